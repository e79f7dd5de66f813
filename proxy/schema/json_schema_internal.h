/* The pieces of the schema: json_schema.c (sections by their tables),
 * json_rules.c (the policy), json_values.c (single values). All give a new
 * reference, NULL when out of memory; what takes a json_t takes it over and
 * passes NULL on. */
#ifndef PROXY_SCHEMA_JSON_SCHEMA_INTERNAL_H
#define PROXY_SCHEMA_JSON_SCHEMA_INTERNAL_H

#include "config/sections.h"
#include "proxy/schema/json_schema.h"
#include "rules/rule_table.h"

/* --- values --- */

/* Any scalar that is not empty. */
json_t *describe_text(void);
/* A text that the pattern, of ECMA 262, is found in. */
json_t *describe_pattern(const char *pattern);
/* One of the words, up to NULL. */
json_t *describe_words(const char *const *words);
json_t *describe_flag(void);
json_t *describe_ref(const char *definition);
/* The value, or ${NAME}. */
json_t *describe_or_environment(json_t *value);
/* One, or a list of at least one. */
json_t *describe_one_or_list(json_t *item);
json_t *describe_list(json_t *item);
/* A map from names to it. */
json_t *describe_map_of(json_t *value);
/* A map with these keys only. `required` is an array or NULL. */
json_t *describe_object_of(json_t *properties, json_t *required);
json_t *describe_any_of(json_t *first, json_t *second);
/* Adds a description, with the default if there is one. */
json_t *describe_with(json_t *value, const char *help, const char *fallback);
/* Takes the value over. */
void describe_put(json_t *object, const char *key, json_t *value);

/* --- sections and the policy --- */

/* A section's keys; of the configuration's own sections a scalar may come
 * from the environment. */
json_t *describe_section(const struct schema *schema, bool has_environment);
/* {connect: [rules], ...}. */
json_t *describe_policy(void);
/* Facts as keys, their values as tests give them, put into `properties`;
 * header fields into the object's patternProperties. */
json_t *describe_given(json_t *object);
/* What describe_policy() refers to. */
void describe_put_definitions(json_t *definitions);

#endif
