#include "config/yaml_keys.h"

#include "rules/problem.h"

#include <stdlib.h>

bool yaml_keys_is_key(const struct node *key, struct diags *diags)
{
    if (key->kind != NODE_SCALAR) {
        diags_error(diags, key->mark,
                    "a key must be a text: put it in quotes if it begins with "
                    "{ or [");
        return false;
    }
    if (key->is_plain && str_equals(key->text, STR("<<"))) {
        diags_error(diags, key->mark,
                    "merge keys (<<) have no use here: write the keys out");
        return false;
    }
    return true;
}

static int compare_keys(const void *left, const void *right)
{
    const struct node *a = *(const struct node *const *)left;
    const struct node *b = *(const struct node *const *)right;
    int order = str_compare(a->text, b->text);
    if (order != 0)
        return order;
    if (a->mark.line != b->mark.line)
        return a->mark.line < b->mark.line ? -1 : 1;
    return (a->mark.column > b->mark.column) -
           (a->mark.column < b->mark.column);
}

/* Sorted, so that a map of a million keys costs no quadratic time. */
int yaml_keys_check(const struct node *map, struct diags *diags)
{
    if (map->count < 2)
        return 0;
    struct node **sorted = calloc(map->count, sizeof(struct node *));
    if (sorted == NULL)
        return -1;
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = map->keys[i];
    qsort(sorted, map->count, sizeof(struct node *), compare_keys);
    for (size_t i = 1; i < map->count; i++) {
        const struct node *key = sorted[i];
        if (str_equals(key->text, sorted[i - 1]->text))
            diags_error(diags, key->mark,
                        "%.*s is given twice, first on line %zu: keep one",
                        PROBLEM_STR(key->text), sorted[i - 1]->mark.line);
    }
    free(sorted);
    return 0;
}
