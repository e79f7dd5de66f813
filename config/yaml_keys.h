/* What may be a key of a map, and that none is given twice. */
#ifndef CONFIG_YAML_KEYS_H
#define CONFIG_YAML_KEYS_H

#include "config/node.h"

/* False after a diagnostic: the pair is left out. */
bool yaml_keys_is_key(const struct node *key, struct diags *diags);
/* A diagnostic for each key that stands in the map already. 0, or -1 when out
 * of memory. */
int yaml_keys_check(const struct node *map, struct diags *diags);

#endif
