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

struct str rule_name(const struct rule *rule);
enum stage rule_stage(const struct rule *rule);

#endif
