#include "rules/rule_guard.h"

#include "rules/glob.h"

#include <string.h>

/* A test with more entries of its own is no guard; a list with more is one
 * key, whatever it holds. */
#define TEST_KEYS_MAX 1024
#define LIST_KEYS_MAX 128

struct guard_network guard_network_of(const struct cidr *cidr)
{
    struct guard_network out = {.prefix = (uint8_t)cidr->prefix};
    if (cidr->network.is_v6) {
        memcpy(out.first, cidr->network.octets, sizeof out.first);
        return out;
    }
    out.prefix = (uint8_t)(cidr->prefix + 96);
    out.first[10] = out.first[11] = 0xff;
    memcpy(out.first + 12, cidr->network.octets, 4);
    return out;
}

/* --- which conditions are guards --- */

/* The longest run between stars, and on one side of the @: in front of a
 * domain a dot may stand for the name itself. */
static struct str glob_needs(struct str glob)
{
    struct str best = STR(""), piece, rest = glob;
    bool has_more = true;
    while (has_more) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != '*' && rest.p[end] != '@')
            end++;
        piece = str_head(rest, end);
        if (piece.n > 0 && piece.p[0] == '.')
            piece = str_skip(piece, 1);
        if (piece.n > best.n)
            best = piece;
        has_more = end < rest.n;
        rest = str_skip(rest, end + 1);
    }
    return best;
}

/* Its own entries, without its lists. */
static bool has_keys(const struct matcher *matcher)
{
    if (matcher->dynamic_count > 0 || matcher->template_count > 0)
        return false;
    for (size_t i = 0; i < matcher->glob_count; i++)
        if (glob_needs(matcher->globs[i]).n < GUARD_TEXT_MIN)
            return false;
    for (size_t i = 0; i < matcher->regex_count; i++)
        if (regex_needs(matcher->regexes[i]).n < GUARD_TEXT_MIN)
            return false;
    return true;
}

static size_t entry_count(const struct matcher *matcher)
{
    return matcher->exact.count + matcher->domains.count + matcher->glob_count +
           matcher->regex_count + matcher->range_count +
           matcher->networks.v4_count + matcher->networks.v6_count;
}

static bool is_spread(const struct matcher *list)
{
    return entry_count(list) <= LIST_KEYS_MAX;
}

/* A pattern may break, and a list of globs takes as long as they are many. */
static bool is_one_key(const struct matcher *list)
{
    return list->regex_count == 0 && list->glob_count == 0 &&
           list->template_count == 0 && list->dynamic_count == 0;
}

static bool is_guard_test(const struct test *test)
{
    const struct matcher *matcher = &test->matcher;
    if (test->quantifier == QUANTIFIER_EXISTS)
        return true;
    if (test->quantifier != QUANTIFIER_ANY_IN || !has_keys(matcher) ||
        entry_count(matcher) > TEST_KEYS_MAX)
        return false;
    for (size_t i = 0; i < matcher->list_count; i++) {
        const struct matcher *list = matcher->lists[i];
        if (is_spread(list) ? !has_keys(list) : !is_one_key(list))
            return false;
    }
    return true;
}

/* A pattern may reach its limit, a template may become too long. */
static bool may_fault(const struct condition *condition)
{
    const struct matcher *matcher = &condition->test.matcher;
    for (size_t i = 0; i < matcher->template_count; i++)
        if (!template_is_fact(&matcher->templates[i]))
            return true;
    for (size_t i = 0; i < condition->part_count; i++)
        if (may_fault(condition->parts[i]))
            return true;
    for (size_t i = 0; i < matcher->list_count; i++)
        if (matcher->lists[i]->regex_count > 0)
            return true;
    return matcher->regex_count > 0;
}

static bool is_guard(const struct condition *condition);

/* The next part of `all` that is a guard by itself; NULL: there is none. */
static const struct condition *next_part(const struct condition *all,
                                         size_t *next)
{
    while (*next < all->part_count) {
        const struct condition *part = all->parts[(*next)++];
        /* Nothing behind it: it might break before they are tried. */
        if (may_fault(part))
            *next = all->part_count;
        if (is_guard(part))
            return part;
    }
    return NULL;
}

static bool is_guard(const struct condition *condition)
{
    size_t next = 0;
    switch (condition->kind) {
    case CONDITION_TEST:
        return is_guard_test(&condition->test);
    case CONDITION_ALL:
        return next_part(condition, &next) != NULL;
    case CONDITION_ANY:
        while (next < condition->part_count && is_guard(condition->parts[next]))
            next++;
        return next == condition->part_count;
    default:
        return false;
    }
}

bool rule_guard_next(const struct rule *rule, struct guard_cursor *cursor,
                     struct guard *out)
{
    const struct condition *when = rule->when;
    *out = (struct guard){0};
    if (cursor->required < rule->required.count) {
        out->required = &rule->required.items[cursor->required++];
        return true;
    }
    if (when == NULL)
        return false;
    if (when->kind == CONDITION_ALL)
        out->part = next_part(when, &cursor->part);
    else if (cursor->part++ == 0 && is_guard(when))
        out->part = when;
    return out->part != NULL;
}

/* --- their keys --- */

struct speaker {
    on_guard_key *then;
    void *owner;
    const struct fact_ref *fact;
};

static void say(const struct speaker *speaker, enum guard_kind kind,
                const void *octets, size_t n)
{
    const struct guard_key key = {kind, speaker->fact, str_span(octets, n)};
    speaker->then(speaker->owner, &key);
}

static void say_map(const struct speaker *speaker, const struct string_map *map,
                    enum guard_kind of_self)
{
    for (size_t i = 0; i < map->capacity; i++) {
        const struct string_map_slot *slot = &map->slots[i];
        if (slot->key == NULL)
            continue;
        if ((slot->number & MATCH_SELF) != 0)
            say(speaker, of_self, slot->key, slot->key_octets);
        if ((slot->number & MATCH_BELOW) != 0)
            say(speaker, GUARD_BELOW, slot->key, slot->key_octets);
    }
}

static void say_networks(const struct speaker *speaker,
                         const struct network_set *set)
{
    for (size_t i = 0; i < set->v4_count; i++) {
        const struct network_v4 *v4 = &set->v4[i];
        struct cidr cidr = {.prefix = v4->prefix};
        for (size_t k = 0; k < 4; k++)
            cidr.network.octets[k] = (uint8_t)(v4->first >> (24 - 8 * k));
        struct guard_network network = guard_network_of(&cidr);
        say(speaker, GUARD_NETWORK, &network, sizeof network);
    }
    for (size_t i = 0; i < set->v6_count; i++) {
        struct guard_network network = {.prefix = set->v6[i].prefix};
        memcpy(network.first, set->v6[i].first, sizeof network.first);
        say(speaker, GUARD_NETWORK, &network, sizeof network);
    }
}

static void say_entries(const struct speaker *speaker,
                        const struct matcher *matcher)
{
    say_map(speaker, &matcher->exact, GUARD_VALUE);
    say_map(speaker, &matcher->domains, GUARD_DOMAIN);
    say_networks(speaker, &matcher->networks);
    for (size_t i = 0; i < matcher->range_count; i++)
        say(speaker, GUARD_RANGE, &matcher->ranges[i], sizeof *matcher->ranges);
    for (size_t i = 0; i < matcher->glob_count; i++) {
        struct str needs = glob_needs(matcher->globs[i]);
        say(speaker, GUARD_TEXT, needs.p, needs.n);
    }
    for (size_t i = 0; i < matcher->regex_count; i++) {
        struct str needs = regex_needs(matcher->regexes[i]);
        say(speaker, GUARD_TEXT, needs.p, needs.n);
    }
}

static void say_test(const struct speaker *speaker, const struct test *test)
{
    const struct matcher *matcher = &test->matcher;
    if (test->quantifier == QUANTIFIER_EXISTS) {
        say(speaker, GUARD_PRESENT, "", 0);
        return;
    }
    say_entries(speaker, matcher);
    for (size_t i = 0; i < matcher->list_count; i++) {
        if (is_spread(matcher->lists[i]))
            say_entries(speaker, matcher->lists[i]);
        else
            say(speaker, GUARD_LIST, &matcher->lists[i],
                sizeof *matcher->lists);
    }
}

static void say_condition(const struct condition *condition, on_guard_key *then,
                          void *owner)
{
    const struct speaker speaker = {then, owner, &condition->test.fact};
    size_t next = 0;
    switch (condition->kind) {
    case CONDITION_TEST:
        say_test(&speaker, &condition->test);
        return;
    case CONDITION_ALL:
        say_condition(next_part(condition, &next), then, owner);
        return;
    default:
        for (; next < condition->part_count; next++)
            say_condition(condition->parts[next], then, owner);
    }
}

void guard_keys(const struct guard *guard, on_guard_key *then, void *owner)
{
    const struct speaker speaker = {then, owner, guard->required};
    if (guard->part != NULL)
        say_condition(guard->part, then, owner);
    else
        say(&speaker, GUARD_PRESENT, "", 0);
}
