#include "rules/template.h"

#include "rules/address.h"
#include "rules/base/digits.h"
#include "rules/base/keyed_hash.h"

#include <string.h>

/* Text that grows in an arena, up to TEMPLATE_OUTPUT_MAX. */
struct output {
    struct arena *arena;
    char *p;
    size_t n, capacity;
};

static int append(struct output *out, struct str text)
{
    if (text.n > TEMPLATE_OUTPUT_MAX - out->n)
        return TEMPLATE_FULL;
    if (out->n + text.n > out->capacity) {
        size_t wanted = (out->n + text.n) * 2 + 64;
        char *moved = arena_alloc(out->arena, wanted);
        if (moved == NULL)
            return TEMPLATE_FULL;
        if (out->n > 0)
            memcpy(moved, out->p, out->n);
        out->p = moved;
        out->capacity = wanted;
    }
    if (text.n > 0)
        memcpy(out->p + out->n, text.p, text.n);
    out->n += text.n;
    return TEMPLATE_OK;
}

/* local+tag@domain without its +tag. */
static struct str without_tag(struct arena *arena, struct str text)
{
    ptrdiff_t at = str_last_index(text, '@');
    struct str local = at < 0 ? text : str_head(text, (size_t)at);
    struct str rest = at < 0 ? STR("") : str_skip(text, (size_t)at);
    ptrdiff_t plus = str_index(local, '+');
    if (plus <= 0 || local.p[0] == '"')
        return text;
    return arena_printf(arena, "%.*s%.*s", (int)plus, local.p, (int)rest.n,
                        rest.p);
}

static struct str sha256_text(struct arena *arena, struct str text)
{
    char digits[65];
    sha256_hex(text, digits);
    return arena_str(arena, str_from(digits));
}

static enum template_result filter(const struct filter *filter,
                                   struct arena *arena, struct str *text)
{
    switch (filter->kind) {
    case FILTER_LOWER:
        *text = arena_lower(arena, *text);
        break;
    case FILTER_LOCAL:
        *text = address_part(arena, *text, FACT_PART_LOCAL);
        break;
    case FILTER_DOMAIN:
        *text = address_part(arena, *text, FACT_PART_DOMAIN);
        break;
    case FILTER_BASE:
        *text = without_tag(arena, *text);
        break;
    case FILTER_SHA256:
        *text = sha256_text(arena, *text);
        break;
    case FILTER_MAP:
        if (!list_map(filter->list, arena, *text, text))
            return TEMPLATE_ABSENT;
        break;
    }
    return text->p == NULL ? TEMPLATE_FULL : TEMPLATE_OK;
}

static enum template_result append_filtered(struct output *out,
                                            const struct segment *segment,
                                            struct arena *arena,
                                            struct str text)
{
    for (size_t i = 0; i < segment->filter_count; i++) {
        enum template_result rc = filter(&segment->filters[i], arena, &text);
        if (rc != TEMPLATE_OK)
            return rc;
    }
    return append(out, text);
}

static enum template_result append_fact(struct output *out,
                                        const struct segment *segment,
                                        struct view *view)
{
    struct fact_values values;
    if (fact_values_read(&view->reader, &segment->ref, &values) != 0)
        return TEMPLATE_FULL;
    if (!values.is_known)
        return TEMPLATE_ABSENT;
    for (size_t i = 0; i < values.count; i++) {
        if (i > 0 && append(out, STR(", ")) != TEMPLATE_OK)
            return TEMPLATE_FULL;
        enum template_result rc =
            append_filtered(out, segment, view->reader.arena, values.items[i]);
        if (rc != TEMPLATE_OK)
            return rc;
    }
    return TEMPLATE_OK;
}

static enum template_result append_number(struct output *out, uint64_t number)
{
    char digits[DIGITS_MAX];
    return append(out, str_span(digits, digits_write(digits, number, 1)));
}

static enum template_result append_figure(struct output *out,
                                          enum segment_kind kind,
                                          const struct limit_figures *figures)
{
    if (figures == NULL)
        return TEMPLATE_ABSENT;
    switch (kind) {
    case SEGMENT_LIMIT_MAX:
        return append(out, figures->max);
    case SEGMENT_LIMIT_RATE:
        return append(out, figures->rate);
    case SEGMENT_LIMIT_USED:
        return append_number(out, figures->used);
    case SEGMENT_LIMIT_LEFT:
        return append_number(out, figures->left);
    default: {
        struct str wait =
            quantity_wait_text(out->arena, figures->retry_after_ms);
        return wait.p == NULL ? TEMPLATE_FULL : append(out, wait);
    }
    }
}

static enum template_result append_capture(struct output *out,
                                           const struct segment *segment,
                                           struct view *view)
{
    struct str text;
    bool is_there =
        segment->kind == SEGMENT_CAPTURE_NUMBER
            ? captures_numbered(&view->captures, segment->number, &text)
            : captures_named(&view->captures, segment->text, &text);
    if (!is_there)
        return TEMPLATE_ABSENT;
    return append_filtered(out, segment, view->reader.arena, text);
}

static enum template_result append_segment(struct output *out,
                                           const struct segment *segment,
                                           struct view *view,
                                           const struct limit_figures *figures)
{
    switch (segment->kind) {
    case SEGMENT_LITERAL:
        return append(out, segment->text);
    case SEGMENT_FACT:
        return append_fact(out, segment, view);
    case SEGMENT_CAPTURE_NUMBER:
    case SEGMENT_CAPTURE_NAME:
        return append_capture(out, segment, view);
    default:
        return append_figure(out, segment->kind, figures);
    }
}

enum template_result template_render(const struct template *template,
                                     struct view *view,
                                     const struct limit_figures *figures,
                                     struct arena *arena, struct str *out)
{
    struct output output = {.arena = arena};
    for (size_t i = 0; i < template->count; i++) {
        enum template_result rc =
            append_segment(&output, &template->segments[i], view, figures);
        if (rc != TEMPLATE_OK)
            return rc;
    }
    *out = output.p == NULL ? STR("") : str_span(output.p, output.n);
    return TEMPLATE_OK;
}

bool template_is_fact(const struct template *template)
{
    return template->count == 1 && template->segments[0].kind == SEGMENT_FACT &&
           template->segments[0].filter_count == 0;
}
