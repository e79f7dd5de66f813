/* What is configured and of no use, which no section can see alone. */
#include "config/sections.h"

#include "rules/problem.h"

static bool is_asked(const struct ruleset *rules, struct str name)
{
    for (size_t i = 0; rules != NULL && i < ruleset_ask_count(rules); i++)
        if (str_equals(ruleset_ask(rules, i), name))
            return true;
    return false;
}

static bool is_routed(const struct ruleset *rules, struct str name)
{
    for (size_t i = 0; rules != NULL && i < ruleset_route_count(rules); i++)
        if (str_equals(ruleset_route(rules, i), name))
            return true;
    return false;
}

static bool is_taken(const struct settings *settings,
                     const struct upstream_settings *upstream)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].upstream == upstream)
            return true;
    return is_routed(settings->rules, upstream->name) ||
           is_routed(settings->shadow, upstream->name);
}

void read_unused(struct reader *reader)
{
    const struct settings *settings = reader->settings;
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (!is_taken(settings, &settings->upstreams[i]))
            diags_warn(reader->diags, settings->upstreams[i].mark,
                       "nothing sends mail to the upstream %.*s: no listener "
                       "names it, and no rule routes there",
                       PROBLEM_STR(settings->upstreams[i].name));
    for (size_t i = 0; i < settings->policy_server_count; i++) {
        struct str name = settings->policy_servers[i].name;
        if (!is_asked(settings->rules, name) &&
            !is_asked(settings->shadow, name))
            diags_warn(reader->diags, settings->policy_servers[i].mark,
                       "no rule asks the policy server %.*s",
                       PROBLEM_STR(name));
    }
}
