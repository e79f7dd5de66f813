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
    if (!key->is_planned && is_worded)
        assert_non_null(key->words);
    if (key->type == KEY_SECTION)
        assert_non_null(key->section);
    if (key->is_planned)
        assert_true(!key->is_required && key->fallback == NULL);
    assert_false(key->is_required && key->fallback != NULL);
    if (key->section != NULL)
        check_schema(key->section);
}

static void every_key_describes_itself(void **state)
{
    (void)state;
    check_schema(&root_schema);
}

static bool has_key(const struct schema *schema, const char *name,
                    bool is_planned)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->keys[i].name, name) == 0)
            return schema->keys[i].is_planned == is_planned;
    return false;
}

/* Design section 3.4: nothing of it may be an unknown key. */
static void what_comes_later_is_known_already(void **state)
{
    (void)state;
    static const struct {
        const struct schema *schema;
        const char *name;
    } planned[] = {
        {&log_schema, "redact"},
    };
    for (size_t i = 0; i < sizeof planned / sizeof *planned; i++)
        if (!has_key(planned[i].schema, planned[i].name, true))
            fail_msg("%s", planned[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_describes_itself),
        cmocka_unit_test(what_comes_later_is_known_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
