#include "proxy/explain/difference.h"

#include "rules/ruleset.h"

#include <stdio.h>

static bool is_same_stage(const struct story_stage *a,
                          const struct story_stage *b)
{
    return a->stage == b->stage && str_equals(a->reply, b->reply);
}

static void say_refusal(const struct story_stage *refusal,
                        char what[DIFFERENCE_ROOM])
{
    struct str rule =
        refusal->rule == NULL ? STR("") : rule_name(refusal->rule);
    snprintf(what, DIFFERENCE_ROOM, "refused at %s%s%.*s%s: %.*s",
             stage_name(refusal->stage), rule.n == 0 ? "" : " by the rule \"",
             (int)rule.n, rule.p, rule.n == 0 ? "" : "\"",
             (int)refusal->reply.n, refusal->reply.p);
}

static bool is_same_envelope(const struct story *a, const struct story *b)
{
    if (!str_equals(a->reverse_path, b->reverse_path) ||
        a->recipient_count != b->recipient_count)
        return false;
    for (size_t i = 0; i < a->recipient_count; i++)
        if (!str_equals(a->recipients[i].address, b->recipients[i].address))
            return false;
    return true;
}

static bool is_same_header(const struct story *a, const struct story *b)
{
    if (a->header_count != b->header_count)
        return false;
    for (size_t i = 0; i < a->header_count; i++)
        if (!str_equals(a->header[i], b->header[i]))
            return false;
    return true;
}

/* Both accept it. */
static bool compare_mails(const struct story *first, const struct story *second,
                          char what[DIFFERENCE_ROOM])
{
    const char *other = NULL;
    if (!is_same_envelope(first, second))
        other = "accepted with another envelope";
    else if (!is_same_header(first, second))
        other = "accepted with another header";
    else if (!str_equals(first->upstream, second->upstream))
        other = "accepted on another route";
    if (other != NULL)
        snprintf(what, DIFFERENCE_ROOM, "%s", other);
    return other != NULL;
}

bool difference_find(const struct story *first, const struct story *second,
                     char what[DIFFERENCE_ROOM])
{
    const struct story_stage *before = story_refusal(first);
    const struct story_stage *after = story_refusal(second);
    what[0] = '\0';
    if (before != NULL && after != NULL && is_same_stage(before, after))
        return false;
    if (after != NULL) {
        say_refusal(after, what);
        return true;
    }
    if (before != NULL) {
        snprintf(what, DIFFERENCE_ROOM, "accepted");
        return true;
    }
    return compare_mails(first, second, what);
}
