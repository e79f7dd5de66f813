/* The JSON Schema of postern.yaml (draft-07, as the YAML language server
 * reads it), made from the tables that the loader and the rule builder read
 * by. YAML types plain scalars before a schema sees them; the loader types
 * them by their keys: so a text may be a number or a flag here. */
#ifndef PROXY_SCHEMA_JSON_SCHEMA_H
#define PROXY_SCHEMA_JSON_SCHEMA_H

#include <jansson.h>

/* The caller gives it back; NULL when out of memory. */
json_t *json_schema_new(void);

#endif
