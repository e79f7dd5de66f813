#include "rules/rule.h"

#include "rules/ruleset.h"

struct str rule_name(const struct rule *rule)
{
    return rule->name;
}

enum stage rule_stage(const struct rule *rule)
{
    return rule->stage;
}

const char *rule_decision_word(enum decision decision)
{
    static const char *const DECISIONS[] = {
        [DECISION_ACCEPT] = "accept",
        [DECISION_REJECT] = "reject",
        [DECISION_DEFER] = "defer",
        [DECISION_CLOSE] = "close",
    };
    return DECISIONS[decision];
}

const char *rule_did(const struct rule *rule)
{
    if (rule->decision != DECISION_NONE)
        return rule_decision_word(rule->decision);
    if (rule->ask.n > 0)
        return "ask";
    if (rule->rewrite_count > 0)
        return "rewrite";
    if (rule->header_count > 0)
        return "headers";
    if (rule->route.n > 0)
        return "route";
    if (rule->list_count > 0)
        return "list";
    if (rule->recipient_count > 0)
        return "add_recipient";
    if (rule->delay_ms > 0)
        return "delay";
    return rule->tag_count > 0 ? "tag" : "note";
}

bool rule_routes_by_recipient(const struct rule *rule)
{
    for (size_t i = 0; rule->route.n > 0 && i < rule->required.count; i++)
        if (fact_stage(&rule->required.items[i]) == STAGE_RCPT)
            return true;
    return false;
}
