/* Reads the text of a template and checks every name in it. */
#include "rules/build_internal.h"
#include "rules/nearest.h"

#include <string.h>

static const struct {
    const char *name;
    enum segment_kind kind;
} FIGURES[] = {
    {"limit.max", SEGMENT_LIMIT_MAX},
    {"limit.rate", SEGMENT_LIMIT_RATE},
    {"limit.used", SEGMENT_LIMIT_USED},
    {"limit.left", SEGMENT_LIMIT_LEFT},
    {"limit.retry_after", SEGMENT_LIMIT_RETRY_AFTER},
};

static int add_segment(struct ruleset_builder *builder,
                       struct template *template, const struct segment *segment)
{
    struct segment *items =
        build_grow(builder, template->segments, template->count,
                   &template->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    template->segments = items;
    items[template->count++] = *segment;
    return 0;
}

static int add_literal(struct ruleset_builder *builder,
                       struct template *template, struct str text)
{
    struct segment segment = {.kind = SEGMENT_LITERAL};
    if (text.n == 0)
        return 0;
    segment.text = arena_str(build_arena(builder), text);
    if (segment.text.p == NULL)
        return build_out_of_memory(builder);
    return add_segment(builder, template, &segment);
}

static int parse_filter(struct ruleset_builder *builder, struct str text,
                        struct filter *out)
{
    static const char *const NAMES[] = {"lower", "local",  "domain",
                                        "base",  "sha256", "map:NAME"};
    static const struct str MAP = STR_INIT("map:");
    for (size_t i = 0; i < FILTER_MAP; i++) {
        if (str_equals(text, str_from(NAMES[i]))) {
            *out = (struct filter){.kind = (enum filter_kind)i};
            return 0;
        }
    }
    if (str_starts_with(text, MAP)) {
        const struct list *list =
            build_find_list(builder, str_skip(text, MAP.n));
        *out = (struct filter){.kind = FILTER_MAP, .list = list};
        if (list == NULL)
            return -1;
        if (list->values.count == 0)
            return build_fail(builder,
                              "no entry of the list %.*s maps to a value: "
                              "write it behind the entry, as in bob 100/h",
                              PROBLEM_STR(list->name));
        return 0;
    }
    return build_fail(builder,
                      "there is no filter |%.*s; there are |lower, "
                      "|local, |domain, |base, |sha256 and |map:NAME",
                      PROBLEM_STR(text));
}

static int parse_filters(struct ruleset_builder *builder, struct str text,
                         struct segment *segment)
{
    struct str one;
    bool has_more = true;
    while (has_more) {
        has_more = str_cut(text, '|', &one, &text);
        if (segment->filter_count == SEGMENT_FILTERS_MAX)
            return build_fail(builder, "at most %d filters behind each other",
                              SEGMENT_FILTERS_MAX);
        if (parse_filter(builder, str_trim(one),
                         &segment->filters[segment->filter_count++]) != 0)
            return -1;
    }
    return 0;
}

/* What is too large today is too large tomorrow. */
static int check_wait(struct ruleset_builder *builder, enum segment_kind kind)
{
    const struct limit *limit = builder->rule->limit;
    bool is_rate = limit->value == NULL ? limit->rate.period_ms != 0
                                        : limit->maps_to_rates;
    if (kind != SEGMENT_LIMIT_RETRY_AFTER || is_rate ||
        !builder->rule_has_value)
        return 0;
    return build_fail(builder,
                      "{limit.retry_after} needs a limit with a period: no "
                      "time makes room in %s without one",
                      unit_row(limit->unit)->name);
}

static int parse_figure(struct ruleset_builder *builder, struct str name,
                        unsigned flags, struct segment *segment)
{
    if ((flags & TEMPLATE_MAY_LIMIT) == 0)
        return build_fail(builder, "{%.*s} cannot be used here",
                          PROBLEM_STR(name));
    if (builder->rule->limit == NULL)
        return build_fail(builder, "{%.*s} needs a limit in the same rule",
                          PROBLEM_STR(name));
    for (size_t i = 0; i < sizeof FIGURES / sizeof FIGURES[0]; i++) {
        if (str_equals(name, str_from(FIGURES[i].name))) {
            segment->kind = FIGURES[i].kind;
            return check_wait(builder, segment->kind);
        }
    }
    return build_fail(builder,
                      "there is no {%.*s}; there are {limit.max}, "
                      "{limit.rate}, {limit.used}, {limit.left} and "
                      "{limit.retry_after}",
                      PROBLEM_STR(name));
}

static bool is_number(struct str name)
{
    uint64_t number;
    return str_to_u64(name, &number) == 0;
}

static int parse_capture_number(struct ruleset_builder *builder,
                                struct str name, struct segment *segment)
{
    uint64_t number = 0;
    size_t most = 0;
    (void)str_to_u64(name, &number);
    for (size_t i = 0; i < builder->capture_count; i++)
        if (regex_group_count(builder->captures[i]) > most)
            most = regex_group_count(builder->captures[i]);
    if (builder->capture_count == 0)
        return build_fail(builder,
                          "{%.*s} needs a pattern in when, /…/, that captures "
                          "it",
                          PROBLEM_STR(name));
    if (number > most)
        return build_fail(builder,
                          "{%.*s} captures nothing: no pattern of this rule "
                          "has more than %zu group%s",
                          PROBLEM_STR(name), most, most == 1 ? "" : "s");
    segment->kind = SEGMENT_CAPTURE_NUMBER;
    segment->number = (size_t)number;
    return 0;
}

static bool is_capture_name(const struct ruleset_builder *builder,
                            struct str name)
{
    for (size_t i = 0; i < builder->capture_count; i++)
        if (regex_group_named(builder->captures[i], name) > 0)
            return true;
    return false;
}

static int parse_name(struct ruleset_builder *builder, struct str name,
                      unsigned flags, struct segment *segment)
{
    bool may_capture = (flags & TEMPLATE_MAY_CAPTURE) != 0;
    if (name.n == 0)
        return build_fail(builder, "{} names nothing; a brace itself is "
                                   "written {{");
    if (str_starts_with(name, STR("limit.")))
        return parse_figure(builder, name, flags, segment);
    if (is_number(name) && may_capture)
        return parse_capture_number(builder, name, segment);
    if (may_capture && is_capture_name(builder, name)) {
        segment->kind = SEGMENT_CAPTURE_NAME;
        segment->text = arena_str(build_arena(builder), name);
        return segment->text.p == NULL ? build_out_of_memory(builder) : 0;
    }
    if (str_index(name, '.') < 0 && !str_equals(name, STR("listener")))
        return build_fail(builder,
                          "{%.*s} is neither a fact nor a capture of this "
                          "rule%s",
                          PROBLEM_STR(name),
                          may_capture ? "" : " that can be used here");
    segment->kind = SEGMENT_FACT;
    if (build_check_fact(builder, name, &segment->ref) != 0)
        return -1;
    return (flags & TEMPLATE_OPTIONAL) != 0
               ? 0
               : build_require(builder, &segment->ref);
}

/* What stands between the braces. */
static int parse_reference(struct ruleset_builder *builder, struct str text,
                           unsigned flags, struct template *template)
{
    struct segment segment = {0};
    struct str name, filters;
    bool has_filters = str_cut(text, '|', &name, &filters);
    if (parse_name(builder, str_trim(name), flags, &segment) != 0)
        return -1;
    if (has_filters && segment.kind >= SEGMENT_LIMIT_MAX)
        return build_fail(builder, "{%.*s} takes no filter", PROBLEM_STR(name));
    if (has_filters && parse_filters(builder, filters, &segment) != 0)
        return -1;
    return add_segment(builder, template, &segment);
}

int build_template(struct ruleset_builder *builder, struct str text,
                   unsigned flags, struct template *out)
{
    *out = (struct template){.source = arena_str(build_arena(builder), text)};
    if (out->source.p == NULL)
        return build_out_of_memory(builder);
    if (str_index(text, '\n') >= 0 || str_index(text, '\r') >= 0 ||
        str_index(text, '\0') >= 0)
        return build_fail(builder, "the text must be a single line");
    while (text.n > 0) {
        ptrdiff_t open = str_index(text, '{');
        if (open < 0)
            return add_literal(builder, out, text);
        struct str behind = str_skip(text, (size_t)open + 1);
        if (str_starts_with(behind, STR("{"))) {
            if (add_literal(builder, out, str_head(text, (size_t)open + 1)) !=
                0)
                return -1;
            text = str_skip(behind, 1);
            continue;
        }
        ptrdiff_t close = str_index(behind, '}');
        if (close < 0)
            return build_fail(builder, "a { has no }; a brace itself is "
                                       "written {{");
        if (add_literal(builder, out, str_head(text, (size_t)open)) != 0 ||
            parse_reference(builder, str_head(behind, (size_t)close), flags,
                            out) != 0)
            return -1;
        text = str_skip(behind, (size_t)close + 1);
    }
    return 0;
}
