/* Inside of the policy's readers: read_policy.c (stages and lists),
 * read_rule.c (a rule), read_action.c (what it does), read_when.c
 * (conditions). */
#ifndef CONFIG_POLICY_READER_H
#define CONFIG_POLICY_READER_H

#include "config/sections.h"
#include "rules/build.h"

struct policy_reader {
    struct reader *reader;
    struct ruleset_builder *builder;
};

/* A rule, which is any node. */
void read_rule(struct policy_reader *policy, enum stage stage,
               const struct node *node);
/* A key of a rule other than rule, when and limit. */
void read_action(struct policy_reader *policy, const struct node *key,
                 const struct node *value);
/* The map of `when`. False after a diagnostic. */
bool read_when(struct policy_reader *policy, const struct node *node,
               struct condition **out);

/* The texts of a scalar or a list of them, in the scratch arena. False after
 * a diagnostic. */
bool read_values(struct policy_reader *policy, const struct node *node,
                 const char *name, struct str **values, size_t *count);
/* Where a list or a rule stands, kept as long as the settings. */
const struct mark *keep_origin(struct policy_reader *policy, struct mark mark);
/* What the builder said of the last call, at the node's mark; of a call with
 * several values, at that of the wrong one. */
void refuse(struct policy_reader *policy, const struct node *node);
void refuse_item(struct policy_reader *policy, const struct node *list);

#endif
