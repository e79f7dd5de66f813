/* ${NAME}: a whole scalar that comes from the environment. */
#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

#include "config/node.h"

/* Puts values in the place of all such scalars of a file's tree but in
 * `policy` and `tests`, where a brace belongs to templates and patterns. A
 * name that is not set is a diagnostic. */
void environment_expand(struct reader *reader, struct node *root);

#endif
