#include "rules/matcher.h"

#include "rules/address.h"
#include "rules/glob.h"

/* A name and everything above it, by whole labels. */
static bool in_names(const struct string_map *map, struct str name)
{
    const struct string_map_slot *slot = string_map_get(map, name);
    if (slot != NULL && (slot->number & MATCH_SELF) != 0)
        return true;
    for (size_t i = 0; map->count > 0 && i < name.n; i++) {
        if (name.p[i] != '.')
            continue;
        slot = string_map_get(map, str_skip(name, i + 1));
        if (slot != NULL && (slot->number & MATCH_BELOW) != 0)
            return true;
    }
    return false;
}

static bool in_globs(const struct matcher *matcher, struct str text)
{
    bool is_address = matcher->type == FACT_TYPE_ADDRESS;
    for (size_t i = 0; i < matcher->glob_count; i++) {
        struct str glob = matcher->globs[i];
        if (is_address ? glob_matches_address(glob, text)
                       : glob_matches_name(glob, text))
            return true;
    }
    return false;
}

static bool in_networks(const struct matcher *matcher, struct str text)
{
    struct cidr value;
    if (matcher->networks.v4_count + matcher->networks.v6_count == 0 ||
        cidr_parse(text, &value) != 0)
        return false;
    return network_set_holds(&matcher->networks, &value);
}

static bool in_ranges(const struct matcher *matcher, uint64_t number)
{
    size_t low = 0, high = matcher->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (matcher->ranges[middle].low <= number)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && number <= matcher->ranges[low - 1].high;
}

/* `text` is canonical, so in lower case. */
static bool in_texts(const struct matcher *matcher, struct str text)
{
    struct address address;
    if (matcher->type == FACT_TYPE_NAME)
        return in_names(&matcher->exact, text) || in_globs(matcher, text);
    if (string_map_get(&matcher->exact, text) != NULL)
        return true;
    if (matcher->type != FACT_TYPE_ADDRESS ||
        matcher->domains.count + matcher->glob_count == 0 ||
        address_parse(text, &address) != ADDRESS_OK)
        return false;
    return in_names(&matcher->domains, address.domain) ||
           in_globs(matcher, text);
}

enum truth matcher_matches_pattern(const struct matcher *matcher,
                                   struct view *view, struct str text)
{
    struct regex_match match;
    for (size_t i = 0; i < matcher->regex_count; i++) {
        const struct regex *regex = matcher->regexes[i];
        switch (regex_match(regex, view->regexes, text, &match)) {
        case REGEX_NO_MATCH:
            continue;
        case REGEX_STEPS:
            view->fault = "caps.pattern_steps: a pattern reached its match "
                          "limit";
            return TRUTH_FAULT;
        case REGEX_ERROR:
            view->fault = "a pattern reached a limit of depth or memory";
            return TRUTH_FAULT;
        case REGEX_TOO_LONG:
            view->fault = "a text is too long for a pattern (over 16 KiB)";
            return TRUTH_FAULT;
        case REGEX_MATCH:
            break;
        }
        if (matcher->captures &&
            captures_add(&view->captures, view->reader.arena, regex, &match) !=
                0) {
            view->fault = "out of memory";
            return TRUTH_FAULT;
        }
        return TRUTH_YES;
    }
    return TRUTH_NO;
}

/* The null reverse path counts as owned (there is nobody to forge); the empty
 * value of a missing From header is in no list. */
static bool empty_is_in(const struct fact_ref *tested,
                        const struct fact_ref *list,
                        const struct fact_values *items)
{
    if (list->fact == FACT_AUTH_ADDRESSES)
        return tested->fact == FACT_MAIL_FROM ||
               tested->fact == FACT_MAIL_ORIGINAL;
    if (tested->fact == FACT_HEADER)
        return false;
    for (size_t i = 0; i < items->count; i++)
        if (items->items[i].n == 0)
            return true;
    return false;
}

/* auth.addresses comes from the operator's own users file, so its entries may
 * be globs; all other facts may hold what a stranger wrote, where a star is
 * only a star. */
static bool item_matches(enum fact_type type, const struct fact_ref *list,
                         const struct fact_values *items, size_t index,
                         struct str canonical)
{
    struct str item = items->items[index];
    if (list->fact == FACT_AUTH_ADDRESSES && glob_has_star(item))
        return type == FACT_TYPE_ADDRESS ? glob_matches_address(item, canonical)
                                         : glob_matches_name(item, canonical);
    return str_equals(items->canonical[index], canonical);
}

static enum truth in_fact(const struct matcher *matcher, struct view *view,
                          const struct fact_ref *tested,
                          const struct fact_ref *list, struct str canonical)
{
    struct fact_values items;
    if (fact_values_read(&view->reader, list, &items) != 0) {
        view->fault = "out of memory";
        return TRUTH_FAULT;
    }
    if (canonical.n == 0)
        return empty_is_in(tested, list, &items) ? TRUTH_YES : TRUTH_NO;
    for (size_t i = 0; i < items.count; i++)
        if (items.items[i].n > 0 &&
            item_matches(matcher->type, list, &items, i, canonical))
            return TRUTH_YES;
    return TRUTH_NO;
}

static enum truth in_templates(const struct matcher *matcher, struct view *view,
                               const struct fact_ref *tested,
                               struct str canonical)
{
    struct arena *arena = view->reader.arena;
    for (size_t i = 0; i < matcher->template_count; i++) {
        const struct template *template = &matcher->templates[i];
        struct str text;
        enum truth truth;
        if (template_is_fact(template)) {
            truth = in_fact(matcher, view, tested, &template->segments[0].ref,
                            canonical);
            if (truth != TRUTH_NO)
                return truth;
            continue;
        }
        enum template_result rc =
            template_render(template, view, NULL, arena, &text);
        if (rc == TEMPLATE_FULL) {
            view->fault = "out of memory";
            return TRUTH_FAULT;
        }
        if (rc == TEMPLATE_OK &&
            str_equals(fact_canonical(arena, tested, text), canonical))
            return TRUTH_YES;
    }
    return TRUTH_NO;
}

bool matcher_holds(const struct matcher *matcher,
                   const struct fact_values *values, size_t index)
{
    switch (matcher->type) {
    case FACT_TYPE_NUMBER:
        return in_ranges(matcher, values->number);
    case FACT_TYPE_IP:
        return in_networks(matcher, values->items[index]);
    default:
        return in_texts(matcher, values->canonical[index]);
    }
}

/* What one matcher holds itself; not its dynamic lists. */
static enum truth in_own(const struct matcher *matcher, struct view *view,
                         const struct fact_ref *ref,
                         const struct fact_values *values, size_t index,
                         struct str canonical)
{
    if (matcher_holds(matcher, values, index))
        return TRUTH_YES;
    enum truth truth =
        matcher_matches_pattern(matcher, view, values->items[index]);
    if (truth != TRUTH_NO)
        return truth;
    return in_templates(matcher, view, ref, canonical);
}

static enum truth in_dynamic(const struct matcher *matcher, const bool *listed)
{
    if (matcher->dynamic_count == 0)
        return TRUTH_NO;
    if (listed == NULL)
        return TRUTH_UNKNOWN;
    for (size_t i = 0; i < matcher->dynamic_count; i++)
        if (listed[i])
            return TRUTH_YES;
    return TRUTH_NO;
}

enum truth matcher_matches(const struct matcher *matcher, struct view *view,
                           const struct fact_ref *ref,
                           const struct fact_values *values, size_t index,
                           const bool *listed)
{
    struct str canonical = values->canonical[index];
    enum truth truth = in_own(matcher, view, ref, values, index, canonical);
    for (size_t i = 0; truth == TRUTH_NO && i < matcher->list_count; i++)
        truth = in_own(matcher->lists[i], view, ref, values, index, canonical);
    return truth == TRUTH_NO ? in_dynamic(matcher, listed) : truth;
}
