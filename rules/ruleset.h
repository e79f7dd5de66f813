/* All rules by stage, frozen. Built through rules/build.h; immutable and
 * shared by all threads afterwards. */
#ifndef RULES_RULESET_H
#define RULES_RULESET_H

#include "rules/stage.h"

struct ruleset;
struct rule;

void ruleset_free(struct ruleset *ruleset);
size_t ruleset_count(const struct ruleset *ruleset, enum stage stage);

/* Every upstream that a `route` names, each once. */
size_t ruleset_route_count(const struct ruleset *ruleset);
struct str ruleset_route(const struct ruleset *ruleset, size_t index);

/* Whether recipients of one message may go to different ones. */
bool ruleset_routes_by_recipient(const struct ruleset *ruleset);

/* Every fact that a rule names, each once: what the decision log must hold for
 * a replay. */
struct fact_ref;
size_t ruleset_fact_count(const struct ruleset *ruleset);
const struct fact_ref *ruleset_fact(const struct ruleset *ruleset,
                                    size_t index);
/* Every policy server that an `ask` names, each once. */
size_t ruleset_ask_count(const struct ruleset *ruleset);
struct str ruleset_ask(const struct ruleset *ruleset, size_t index);

/* The rules of a stage in their order. */
const struct rule *ruleset_rule(const struct ruleset *ruleset, enum stage stage,
                                size_t index);
/* NULL: there is none of that name. Dynamic or not. */
struct list;
const struct list *ruleset_list(const struct ruleset *ruleset, struct str name);
/* All of them, as they stand in the configuration. */
size_t ruleset_list_count(const struct ruleset *ruleset);
const struct list *ruleset_list_at(const struct ruleset *ruleset, size_t index);

struct str rule_name(const struct rule *rule);
enum stage rule_stage(const struct rule *rule);

#endif
