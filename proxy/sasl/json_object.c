#include "proxy/sasl/json_object.h"

#include <jansson.h>

/* Jansson goes down by recursion, 2048 deep. */
static bool is_shallow(struct str text)
{
    size_t depth = 0;
    bool is_in_text = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"')
            is_in_text = !is_in_text;
        else if (is_in_text && c == '\\')
            i++;
        else if (!is_in_text && (c == '{' || c == '['))
            depth++;
        else if (!is_in_text && (c == '}' || c == ']') && depth > 0)
            depth--;
        if (depth > JSON_DEPTH_MAX)
            return false;
    }
    return true;
}

json_t *json_object_read(struct str text, const char **wrong)
{
    const char *ignored;
    if (wrong == NULL)
        wrong = &ignored;
    *wrong = "it is nested too deep";
    if (!is_shallow(text))
        return NULL;
    json_error_t error;
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(root)) {
        *wrong = NULL;
        return root;
    }
    *wrong = "it is no JSON object";
    if (root == NULL && json_error_code(&error) == json_error_duplicate_key)
        *wrong = "a member of its JSON stands twice";
    json_decref(root);
    return NULL;
}

struct str json_object_text(const json_t *object, const char *name)
{
    const json_t *member = json_object_get(object, name);
    return str_span(json_string_value(member), json_string_length(member));
}
