#include "tests/dialogue/json_subset.h"

#include <jansson.h>

#include "tests/dialogue/pattern.h"

static json_t *parse(struct str text)
{
    return json_loadb(text.p, text.n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                      NULL);
}

bool json_is_valid(struct str text)
{
    json_t *json = parse(text);
    bool is_valid = json_is_object(json);
    json_decref(json);
    return is_valid;
}

static bool contains(const json_t *have, const json_t *want);

static bool object_contains(const json_t *have, json_t *want)
{
    const char *key;
    json_t *value;
    json_object_foreach(want, key, value)
    {
        const json_t *member = json_object_get(have, key);
        if (!member || !contains(member, value))
            return false;
    }
    return true;
}

static bool array_contains(const json_t *have, const json_t *want)
{
    for (size_t i = 0; i < json_array_size(want); i++) {
        bool is_found = false;
        for (size_t j = 0; j < json_array_size(have) && !is_found; j++)
            is_found =
                contains(json_array_get(have, j), json_array_get(want, i));
        if (!is_found)
            return false;
    }
    return true;
}

static bool contains(const json_t *have, const json_t *want)
{
    if (json_typeof(have) != json_typeof(want))
        return false;
    if (json_is_object(want))
        return object_contains(have, (json_t *)want);
    if (json_is_array(want))
        return array_contains(have, want);
    if (json_is_string(want))
        return pattern_match(
            str_span(json_string_value(want), json_string_length(want)),
            str_span(json_string_value(have), json_string_length(have)));
    return json_equal(have, want);
}

bool json_contains(struct str line, struct str pattern)
{
    json_t *have = parse(line);
    json_t *want = parse(pattern);
    bool is_contained = have && want && contains(have, want);
    json_decref(have);
    json_decref(want);
    return is_contained;
}
