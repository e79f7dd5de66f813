/* Text with `{fact}`, `{1}`, `{capture}` and `{limit.max}` in it, checked
 * when built (template_parse.c), filled in when a rule acts. */
#ifndef RULES_TEMPLATE_H
#define RULES_TEMPLATE_H

#include "rules/list.h"
#include "rules/quantity.h"
#include "rules/view.h"

#define TEMPLATE_OUTPUT_MAX ((size_t)16 * 1024)

enum segment_kind {
    SEGMENT_LITERAL,
    SEGMENT_FACT,
    SEGMENT_CAPTURE_NUMBER,
    SEGMENT_CAPTURE_NAME,
    SEGMENT_LIMIT_MAX,
    SEGMENT_LIMIT_RATE,
    SEGMENT_LIMIT_USED,
    SEGMENT_LIMIT_LEFT,
    SEGMENT_LIMIT_RETRY_AFTER
};

enum filter_kind {
    FILTER_LOWER,
    FILTER_LOCAL,
    FILTER_DOMAIN,
    FILTER_BASE,
    FILTER_SHA256,
    FILTER_MAP
};

struct filter {
    enum filter_kind kind;
    const struct list *list; /* FILTER_MAP */
};

#define SEGMENT_FILTERS_MAX 4

struct segment {
    enum segment_kind kind;
    struct str text; /* the literal, or the capture's name */
    struct fact_ref ref;
    size_t number; /* of the capture */
    struct filter filters[SEGMENT_FILTERS_MAX];
    size_t filter_count;
};

struct template
{
    struct str source; /* as written */
    struct segment *segments;
    size_t count;
    size_t capacity;
};

/* What `{limit.…}` stands for. */
struct limit_figures {
    struct str max;  /* as written, without the period */
    struct str rate; /* as written */
    uint64_t used, left;
    uint64_t retry_after_ms;
};

enum template_result {
    TEMPLATE_OK = 0,
    TEMPLATE_ABSENT = -1, /* names something that is not there */
    TEMPLATE_FULL = -2    /* arena full, or the text too long */
};

/* `figures` may be NULL where the template names none. The text lies in
 * `arena`. */
enum template_result template_render(const struct template *template,
                                     struct view *view,
                                     const struct limit_figures *figures,
                                     struct arena *arena, struct str *out);

/* Whether it is exactly one `{fact}`, without filters. */
bool template_is_fact(const struct template *template);

#endif
