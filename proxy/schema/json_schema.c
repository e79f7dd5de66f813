/* The sections: each row of a table becomes a property. */
#include "proxy/schema/json_schema_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SIZE "^[0-9]+[KMGTkmgt]?$"
#define TIME "^[0-9]+(ms|s|m|h|d)$"
#define NUMBER "^[0-9]+$"
#define PERCENT "^[0-9]{1,3}(\\.[0-9]{1,4})?%$"
#define NAME "^[A-Za-z0-9._-]{1,64}$"
#define ENDPOINT "^(\\[[0-9A-Fa-f:.]+\\]|[^:\\s]+):[0-9]{1,5}$"
#define CIDR "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"
#define REPLY "^[2-5][0-9][0-9]( .*)?$"

/* A number as YAML reads it, or as text with a unit. */
static json_t *amount(const struct key *key, const char *pattern)
{
    json_t *value = json_pack("{s:[s,s], s:s}", "type", "integer", "string",
                              "pattern", pattern);
    describe_put(value, "minimum", json_integer((json_int_t)key->min));
    if (key->max != 0)
        describe_put(value, "maximum", json_integer((json_int_t)key->max));
    return value;
}

static json_t *limited_text(const struct key *key)
{
    json_t *value = describe_text();
    if (key->max != 0)
        describe_put(value, "maxLength", json_integer((json_int_t)key->max));
    return value;
}

static json_t *stages(void)
{
    const char *words[STAGE_COUNT + 1] = {NULL};
    for (enum stage s = 0; s < STAGE_COUNT; s++)
        words[s] = stage_name(s);
    return describe_words(words);
}

static json_t *of_list(const struct key *key, bool has_environment)
{
    json_t *entries = describe_one_or_list(describe_text());
    return describe_any_of(entries,
                           describe_section(key->section, has_environment));
}

static json_t *of_content(const struct key *key, bool has_environment)
{
    switch (key->content) {
    case CONTENT_ENDPOINT:
        return describe_pattern(ENDPOINT);
    case CONTENT_CIDR:
        return describe_pattern(CIDR);
    case CONTENT_WORD:
        return describe_words(key->words);
    case CONTENT_STAGE:
        return stages();
    case CONTENT_REPLY:
        return json_pack("{s:[s,s], s:s, s:i, s:i}", "type", "integer",
                         "string", "pattern", REPLY, "minimum", 200, "maximum",
                         599);
    case CONTENT_FACTS:
        return describe_given(
            key->section == NULL
                ? describe_object_of(json_object(), NULL)
                : describe_section(key->section, has_environment));
    case CONTENT_LISTS:
        return of_list(key, has_environment);
    case CONTENT_RULES:
        return describe_policy();
    default:
        return key->section == NULL
                   ? describe_text()
                   : describe_section(key->section, has_environment);
    }
}

static json_t *of_type(const struct key *key, bool has_environment)
{
    switch (key->type) {
    case KEY_NUMBER:
        return amount(key, NUMBER);
    case KEY_SIZE:
        return amount(key, SIZE);
    case KEY_TIME:
        return describe_pattern(TIME);
    case KEY_PERCENT:
        return describe_pattern(PERCENT);
    case KEY_FLAG:
        return describe_flag();
    case KEY_WORD:
    case KEY_SWITCH:
        return describe_words(key->words);
    case KEY_TEXT:
    case KEY_PATH:
        return limited_text(key);
    case KEY_SECTION:
        return describe_section(key->section, has_environment);
    default:
        return of_content(key, has_environment);
    }
}

/* Texts hold ${NAME} as they are. */
static bool may_expand(const struct key *key)
{
    bool is_scalar = key->section == NULL && key->content != CONTENT_RULES &&
                     key->content != CONTENT_FACTS;
    return is_scalar && key->type != KEY_TEXT && key->type != KEY_PATH;
}

static json_t *of_names(json_t *value, bool is_required)
{
    json_t *map = describe_map_of(value);
    describe_put(map, "propertyNames", json_pack("{s:s}", "pattern", NAME));
    if (is_required)
        describe_put(map, "minProperties", json_integer(1));
    return map;
}

static json_t *of_key(const struct key *key, bool has_environment)
{
    json_t *value = of_type(key, has_environment);
    if (has_environment && may_expand(key))
        value = describe_or_environment(value);
    switch (key->shape) {
    case SHAPE_LIST:
        value = describe_list(value);
        break;
    case SHAPE_ONE_OR_LIST:
        value = describe_one_or_list(value);
        break;
    case SHAPE_NAMED:
        value = of_names(value, key->is_required);
        break;
    case SHAPE_ONE:
        break;
    }
    return describe_with(value, key->help, key->fallback);
}

json_t *describe_section(const struct schema *schema, bool has_environment)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < schema->count; i++) {
        const struct key *key = &schema->keys[i];
        bool is_policy =
            key->content == CONTENT_RULES || strcmp(key->name, "tests") == 0;
        describe_put(properties, key->name,
                     of_key(key, has_environment && !is_policy));
        if (key->is_required)
            json_array_append_new(required, json_string(key->name));
    }
    return describe_object_of(properties, required);
}

/* A file that includes others may find what it needs there, and one that is
 * included has none of it. */
static void relax_required(json_t *root)
{
    json_t *required = json_object_get(root, "required");
    json_t *none = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(required, i, name)
        json_array_append_new(none, json_pack("{s:[O]}", "required", name));
    describe_put(root, "anyOf",
                 json_pack("[{s:O}, {s:[s]}, {s:{s:o}}]", "required", required,
                           "required", "include", "not", "anyOf", none));
    json_object_del(root, "required");
}

json_t *json_schema_new(void)
{
    json_t *root = describe_section(&root_schema, true);
    json_t *definitions = json_object();
    relax_required(root);
    describe_put_definitions(definitions);
    describe_put(root, "definitions", definitions);
    describe_put(root, "$schema",
                 json_string("http://json-schema.org/draft-07/schema#"));
    describe_put(root, "title", json_string("postern.yaml"));
    describe_put(
        root, "description",
        json_string("configuration of the SMTP submission proxy Postern, "
                    "postern.yaml(5)"));
    return root;
}
