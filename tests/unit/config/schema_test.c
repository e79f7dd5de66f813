/* The tables themselves: what describes postern.yaml is made from them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/sections.h"

static void check_key(const struct schema *schema, const struct key *key);

static void check_schema(const struct schema *schema)
{
    assert_non_null(schema->name);
    assert_true(schema->count > 0);
    for (size_t i = 0; i < schema->count; i++) {
        check_key(schema, &schema->keys[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(schema->keys[i].name, schema->keys[j].name);
    }
}

static void check_key(const struct schema *schema, const struct key *key)
{
    bool is_worded = key->type == KEY_WORD || key->type == KEY_SWITCH;
    if (key->help == NULL || strlen(key->help) < 10 ||
        strchr(key->help, '\n') != NULL)
        fail_msg("%s: %s has no line of help", schema->name, key->name);
    if (is_worded)
        assert_non_null(key->words);
    if (key->type == KEY_SECTION)
        assert_non_null(key->section);
    assert_false(key->is_required && key->fallback != NULL);
    if (key->section != NULL)
        check_schema(key->section);
}

static void every_key_describes_itself(void **state)
{
    (void)state;
    check_schema(&root_schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_describes_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
