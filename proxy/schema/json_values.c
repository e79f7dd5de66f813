#include "proxy/schema/json_schema_internal.h"

#include <stdio.h>
#include <string.h>

#define ENVIRONMENT "^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$"

void describe_put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

json_t *describe_text(void)
{
    return json_pack("{s:[s,s,s], s:i}", "type", "string", "number", "boolean",
                     "minLength", 1);
}

json_t *describe_pattern(const char *pattern)
{
    return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

json_t *describe_ref(const char *definition)
{
    char path[64];
    snprintf(path, sizeof path, "#/definitions/%s", definition);
    return json_pack("{s:s}", "$ref", path);
}

/* What a reader of YAML makes of the word, if that is no text. */
static json_t *as_yaml_types_it(const char *word)
{
    static const char *const yes[] = {"true", "yes", "on"};
    static const char *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(word, yes[i]) == 0)
            return json_true();
        if (strcmp(word, no[i]) == 0)
            return json_false();
    }
    json_t *number = json_loads(word, JSON_DECODE_ANY, NULL);
    if (number != NULL && json_is_number(number))
        return number;
    json_decref(number);
    return NULL;
}

json_t *describe_words(const char *const *words)
{
    json_t *list = json_array();
    for (size_t i = 0; words[i] != NULL; i++) {
        json_t *typed = as_yaml_types_it(words[i]);
        json_array_append_new(list, json_string(words[i]));
        if (typed != NULL)
            json_array_append_new(list, typed);
    }
    return json_pack("{s:o}", "enum", list);
}

json_t *describe_flag(void)
{
    static const char *const words[] = {"true", "false", NULL};
    return describe_words(words);
}

json_t *describe_any_of(json_t *first, json_t *second)
{
    return json_pack("{s:[o,o]}", "anyOf", first, second);
}

json_t *describe_or_environment(json_t *value)
{
    return describe_any_of(value, describe_pattern(ENVIRONMENT));
}

json_t *describe_list(json_t *item)
{
    return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

json_t *describe_one_or_list(json_t *item)
{
    json_t *list = json_pack("{s:s, s:O, s:i}", "type", "array", "items", item,
                             "minItems", 1);
    return describe_any_of(item, list);
}

json_t *describe_map_of(json_t *value)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                     value);
}

json_t *describe_object_of(json_t *properties, json_t *required)
{
    json_t *object =
        json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties",
                  0, "properties", properties);
    if (required != NULL && json_array_size(required) > 0)
        describe_put(object, "required", required);
    else
        json_decref(required);
    return object;
}

/* A definition that is referred to has no room for words beside it (draft-07
 * 8.3). */
static json_t *make_room(json_t *value)
{
    if (json_object_get(value, "$ref") == NULL)
        return value;
    return json_pack("{s:[o]}", "allOf", value);
}

json_t *describe_with(json_t *value, const char *help, const char *fallback)
{
    char text[512];
    value = make_room(value);
    if (fallback == NULL)
        snprintf(text, sizeof text, "%s", help);
    else
        snprintf(text, sizeof text, "%s. Default: %s", help, fallback);
    describe_put(value, "description", json_string(text));
    return value;
}
