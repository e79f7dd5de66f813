/* Compiles entries: the short forms of design section 3.2, by the type of the
 * fact that they are compared with. */
#include "rules/address.h"
#include "rules/domain_name.h"
#include "rules/build_internal.h"
#include "rules/glob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_LAST 23

static bool is_folded(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '"' || ascii_lower(text.p[i]) != text.p[i])
            return false;
    return !str_has_8bit(text);
}

struct str build_fold(struct ruleset_builder *builder, struct str text)
{
    if (text.n == 0)
        return STR("");
    return is_folded(text) ? text
                           : address_canonical(build_arena(builder), text);
}

static int put(struct ruleset_builder *builder, struct string_map *map,
               struct str key, unsigned flags)
{
    struct arena *arena = build_arena(builder);
    struct str folded = build_fold(builder, key);
    if (folded.p == NULL ||
        (map->count == 0 &&
         string_map_reserve(map, arena, builder->entries_ahead) != 0))
        return build_out_of_memory(builder);
    struct string_map_slot *slot = string_map_put(map, arena, folded);
    if (slot == NULL)
        return build_out_of_memory(builder);
    slot->number |= flags;
    return 0;
}

static int add_glob(struct ruleset_builder *builder, struct matcher *matcher,
                    struct str text)
{
    struct str *items = build_grow(builder, matcher->globs, matcher->glob_count,
                                   &matcher->glob_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    matcher->globs = items;
    items[matcher->glob_count++] = text;
    return 0;
}

static int add_pattern(struct ruleset_builder *builder, struct matcher *matcher,
                       struct str text)
{
    const struct regex **items =
        build_grow(builder, matcher->regexes, matcher->regex_count,
                   &matcher->regex_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    matcher->regexes = items;
    const struct regex *regex = build_regex(builder, text);
    if (regex == NULL)
        return -1;
    items[matcher->regex_count++] = regex;
    return 0;
}

static int add_range(struct ruleset_builder *builder, struct matcher *matcher,
                     uint64_t low, uint64_t high)
{
    struct number_range *items =
        build_grow(builder, matcher->ranges, matcher->range_count,
                   &matcher->range_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    matcher->ranges = items;
    items[matcher->range_count++] = (struct number_range){low, high};
    return 0;
}

static bool is_hour(const struct fact_ref *fact)
{
    return fact != NULL && fact->fact == FACT_TIME_HOUR;
}

static int not_a_number(struct ruleset_builder *builder,
                        const struct fact_ref *fact, struct str text)
{
    if (is_hour(fact))
        return build_fail(builder,
                          "%.*s is no number: time.hour takes whole hours, 0 "
                          "to %d; from ten in the evening to six in the "
                          "morning is [\">= 22\", \"< 6\"]",
                          PROBLEM_STR(text), HOUR_LAST);
    return build_fail(builder,
                      "%.*s is no number; write 10M, > 10M, >= 5, < 3 or "
                      "<= 3",
                      PROBLEM_STR(text));
}

/* `10M`, `> 10M`, `>= 5`, `< 3`, `<= 3`. */
static int add_number(struct ruleset_builder *builder, struct matcher *matcher,
                      const struct fact_ref *fact, struct str text)
{
    static const struct {
        struct str sign;
        bool is_below, is_strict;
    } SIGNS[] = {
        {STR_INIT(">="), false, false},
        {STR_INIT("<="), true, false},
        {STR_INIT(">"), false, true},
        {STR_INIT("<"), true, true},
    };
    uint64_t number;
    for (size_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
        if (!str_starts_with(text, SIGNS[i].sign))
            continue;
        struct str rest = str_trim(str_skip(text, SIGNS[i].sign.n));
        if (quantity_size(rest, &number) != 0)
            break;
        if (!SIGNS[i].is_below)
            return add_range(builder, matcher,
                             number + (SIGNS[i].is_strict ? 1 : 0), UINT64_MAX);
        if (SIGNS[i].is_strict && number == 0)
            return build_fail(builder, "no number is below 0");
        return add_range(builder, matcher, 0,
                         number - (SIGNS[i].is_strict ? 1 : 0));
    }
    if (quantity_size(text, &number) != 0)
        return not_a_number(builder, fact, text);
    if (is_hour(fact) && number > HOUR_LAST)
        return build_fail(builder, "time.hour is 0 to %d, never %.*s",
                          HOUR_LAST, PROBLEM_STR(text));
    return add_range(builder, matcher, number, number);
}

static int add_cidr(struct ruleset_builder *builder, struct matcher *matcher,
                    struct str text)
{
    struct cidr cidr;
    int rc = cidr_parse(text, &cidr);
    if (rc == -2)
        return build_fail(builder,
                          "%.*s has bits set behind its prefix; write the "
                          "network's first address",
                          PROBLEM_STR(text));
    if (rc != 0)
        return build_fail(builder,
                          "%.*s is no address of a host or network, such as "
                          "192.0.2.0/24",
                          PROBLEM_STR(text));
    if (network_set_add(&matcher->networks, build_arena(builder), &cidr) != 0)
        return build_out_of_memory(builder);
    return 0;
}

/* example.org, .example.org, *.example.org go to the map; other globs are
 * tried one by one. */
static int add_name(struct ruleset_builder *builder, struct matcher *matcher,
                    struct string_map *map, struct str text)
{
    bool is_all_below = str_starts_with(text, STR("*."));
    struct str rest = str_skip(text, 2);
    if (is_all_below && !glob_has_star(rest))
        return put(builder, map, rest, MATCH_BELOW);
    if (glob_has_star(text))
        return add_glob(builder, matcher, text);
    if (text.n > 1 && text.p[0] == '.')
        return put(builder, map, str_skip(text, 1), MATCH_SELF | MATCH_BELOW);
    return put(builder, map, text, MATCH_SELF);
}

static int not_an_address(struct ruleset_builder *builder, struct str text)
{
    if (domain_is_valid(text) && str_index(text, '.') >= 0)
        return build_fail(builder,
                          "%.*s is a domain, and the fact holds addresses: "
                          "write *@%.*s, or test its .domain",
                          PROBLEM_STR(text), PROBLEM_STR(text));
    return build_fail(builder, "%.*s is no mail address", PROBLEM_STR(text));
}

static int add_address(struct ruleset_builder *builder, struct matcher *matcher,
                       struct str text)
{
    struct address parsed;
    ptrdiff_t at = str_last_index(text, '@');
    if (text.n == 0 || str_equals_nocase(text, STR("postmaster")))
        return put(builder, &matcher->exact, text, MATCH_SELF);
    bool is_for_domain =
        at < 0 && (text.p[0] == '.' || str_starts_with(text, STR("*.")));
    if (is_for_domain)
        return add_name(builder, matcher, &matcher->domains, text);
    if (at == 1 && text.p[0] == '*' && text.n > 2) {
        struct str domain = str_skip(text, 2);
        bool is_plain =
            !glob_has_star(domain) || (str_starts_with(domain, STR("*.")) &&
                                       !glob_has_star(str_skip(domain, 2)));
        if (is_plain)
            return add_name(builder, matcher, &matcher->domains, domain);
    }
    if (glob_has_star(text) ||
        (at >= 0 && str_starts_with(str_skip(text, (size_t)at), STR("@."))))
        return add_glob(builder, matcher, text);
    if (address_parse(text, &parsed) != ADDRESS_OK)
        return not_an_address(builder, text);
    return put(builder, &matcher->exact, text, MATCH_SELF);
}

/* Of a fact that only ever holds a few words. */
static int check_word(struct ruleset_builder *builder,
                      const struct fact_ref *fact, struct str text)
{
    const char *const *words = fact == NULL ? NULL : fact_words(fact->fact);
    struct problem list = {""};
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (str_equals_nocase(text, str_from(words[i])))
            return 0;
        size_t used = strlen(list.text);
        snprintf(list.text + used, sizeof list.text - used, "%s%s",
                 i == 0 ? "" : " ", words[i]);
    }
    if (words == NULL)
        return 0;
    return build_fail(builder, "%s is never %.*s, but one of: %s",
                      fact_name(fact->fact), PROBLEM_STR(text), list.text);
}

static int add_text(struct ruleset_builder *builder, struct matcher *matcher,
                    const struct fact_ref *fact, struct str text)
{
    if (glob_has_star(text) && fact != NULL)
        return build_fail(builder,
                          "%s%s%.*s is plain text, where * is no wildcard: "
                          "write a pattern, /…/, or {is: …} for the text "
                          "itself",
                          PROBLEM_FACT(fact));
    if (check_word(builder, fact, text) != 0)
        return -1;
    return put(builder, &matcher->exact, text, MATCH_SELF);
}

static int add_flag(struct ruleset_builder *builder, struct matcher *matcher,
                    const struct fact_ref *fact, struct str text)
{
    if (!str_equals(text, STR("true")) && !str_equals(text, STR("false")))
        return build_fail(builder, "%s is true or false, not %.*s",
                          fact == NULL ? "the fact" : fact_name(fact->fact),
                          PROBLEM_STR(text));
    return put(builder, &matcher->exact, text, MATCH_SELF);
}

static int add_by_type(struct ruleset_builder *builder, struct matcher *matcher,
                       const struct fact_ref *fact, struct str text)
{
    switch (matcher->type) {
    case FACT_TYPE_NUMBER:
        return add_number(builder, matcher, fact, text);
    case FACT_TYPE_IP:
        return add_cidr(builder, matcher, text);
    case FACT_TYPE_NAME:
        return add_name(builder, matcher, &matcher->exact, text);
    case FACT_TYPE_ADDRESS:
        return add_address(builder, matcher, text);
    case FACT_TYPE_FLAG:
        return add_flag(builder, matcher, fact, text);
    default:
        return add_text(builder, matcher, fact, text);
    }
}

int build_fail_in_list(struct ruleset_builder *builder, const struct list *list,
                       const struct list_entry *entry)
{
    struct problem inner = builder->problem;
    if (entry->line > 0)
        return build_fail(builder, "list %.*s, line %zu of its file: %.300s",
                          PROBLEM_STR(list->name), entry->line, inner.text);
    return build_fail(builder, "list %.*s: %.300s", PROBLEM_STR(list->name),
                      inner.text);
}

static int compile_list(struct ruleset_builder *builder,
                        const struct list *list, struct matcher *matcher)
{
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    int rc = 0;
    builder->entries_ahead = list->entry_count;
    while (rc == 0 && list_next(&cursor, &entry)) {
        rc = build_entry(builder, matcher, NULL, ENTRY_OF_LIST, entry.text);
        if (rc != 0)
            build_fail_in_list(builder, list, &entry);
    }
    builder->entries_ahead = 0;
    return rc;
}

/* The list compiled for facts of this type; once, then shared. */
static const struct matcher *list_matcher(struct ruleset_builder *builder,
                                          struct list *list,
                                          enum fact_type type)
{
    if (list->matchers[type] != NULL)
        return list->matchers[type];
    struct matcher *matcher =
        arena_alloc(build_arena(builder), sizeof *matcher);
    if (matcher == NULL) {
        build_out_of_memory(builder);
        return NULL;
    }
    matcher->type = type;
    if (compile_list(builder, list, matcher) != 0)
        return NULL;
    matcher_seal(matcher);
    list->matchers[type] = matcher;
    return matcher;
}

static int add_list(struct ruleset_builder *builder, struct matcher *matcher,
                    const struct fact_ref *fact, struct str name)
{
    struct list *list = build_find_list(builder, name);
    if (list == NULL)
        return -1;
    if (list->is_dynamic) {
        list->holds_domains = list->holds_domains || fact_is_domain(fact);
        const struct list **items =
            build_grow(builder, matcher->dynamic, matcher->dynamic_count,
                       &matcher->dynamic_capacity, sizeof *items);
        if (items == NULL)
            return -1;
        matcher->dynamic = items;
        items[matcher->dynamic_count++] = list;
        return 0;
    }
    const struct matcher *compiled = list_matcher(builder, list, matcher->type);
    const struct matcher **items =
        build_grow(builder, matcher->lists, matcher->list_count,
                   &matcher->list_capacity, sizeof *items);
    if (items == NULL || compiled == NULL ||
        build_check_list_labels(builder, list, compiled, fact) != 0)
        return -1;
    matcher->lists = items;
    items[matcher->list_count++] = compiled;
    return 0;
}

static int add_template(struct ruleset_builder *builder,
                        struct matcher *matcher, struct str text)
{
    struct template *items =
        build_grow(builder, matcher->templates, matcher->template_count,
                   &matcher->template_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    matcher->templates = items;
    /* No captures: they come from this very condition. */
    if (build_template(builder, text, 0, &items[matcher->template_count]) != 0)
        return -1;
    matcher->template_count++;
    return 0;
}

static int add_exact(struct ruleset_builder *builder, struct matcher *matcher,
                     const struct fact_ref *fact, struct str text)
{
    switch (matcher->type) {
    case FACT_TYPE_NUMBER:
    case FACT_TYPE_IP:
    case FACT_TYPE_FLAG:
        return add_by_type(builder, matcher, fact, text);
    default:
        if (check_word(builder, fact, text) != 0)
            return -1;
        return put(builder, &matcher->exact, text, MATCH_SELF);
    }
}

static int compare_ranges(const void *a, const void *b)
{
    const struct number_range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

/* In order, those that overlap as one. */
static void join_ranges(struct matcher *matcher)
{
    struct number_range *ranges = matcher->ranges;
    size_t kept = 0;
    if (matcher->range_count > 0)
        qsort(ranges, matcher->range_count, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < matcher->range_count; i++) {
        if (kept == 0 || ranges[i].low > ranges[kept - 1].high)
            ranges[kept++] = ranges[i];
        else if (ranges[i].high > ranges[kept - 1].high)
            ranges[kept - 1].high = ranges[i].high;
    }
    matcher->range_count = kept;
}

void matcher_seal(struct matcher *matcher)
{
    network_set_seal(&matcher->networks);
    join_ranges(matcher);
}

int build_entry(struct ruleset_builder *builder, struct matcher *matcher,
                const struct fact_ref *fact, enum entry_form form,
                struct str text)
{
    if (form == ENTRY_PATTERN)
        return add_pattern(builder, matcher, text);
    if (form != ENTRY_OF_LIST && str_index(text, '{') >= 0 &&
        !regex_is_literal(text))
        return add_template(builder, matcher, text);
    /* Entries of lists are kept with their list; those of a test are not. */
    if (form != ENTRY_OF_LIST)
        text = arena_str(build_arena(builder), text);
    if (text.p == NULL)
        return build_out_of_memory(builder);
    if (form == ENTRY_EXACT)
        return build_check_labels(builder, matcher, fact, text) != 0
                   ? -1
                   : add_exact(builder, matcher, fact, text);
    if (text.n > 0 && text.p[0] == '/')
        return add_pattern(builder, matcher, text);
    if (form == ENTRY_OF_TEST && str_starts_with(text, STR("@")))
        return add_list(builder, matcher, fact, str_skip(text, 1));
    if (build_check_labels(builder, matcher, fact, text) != 0)
        return -1;
    return add_by_type(builder, matcher, fact, text);
}
