/* Where the server takes orders, read from configurations good and bad. */
#include "config/control_path.h"

#include "tests/unit/config/folder.h"

struct path_case {
    const char *text;
    const char *want;       /* NULL: refused */
    const char *want_error; /* is in the first error */
};

static void check_case(const struct path_case *c)
{
    struct arena arena;
    struct diags diags;
    arena_init(&arena, 65536);
    diags_init(&diags);
    write_file("postern.yaml", c->text);
    const char *path = config_control_path("postern.yaml", &arena, &diags);
    if (c->want == NULL) {
        assert_null(path);
        assert_true(diags.errors > 0);
        assert_non_null(strstr(diags.items[0].text, c->want_error));
    } else {
        assert_non_null(path);
        assert_string_equal(path, c->want);
        assert_int_equal(diags.count, 0);
    }
    diags_release(&diags);
    arena_release(&arena);
}

static void the_path_is_found_whatever_else_is_wrong(void **state)
{
    static const struct path_case cases[] = {
        {.text = GOOD, .want = "/run/postern/control"},
        {.text = GOOD "control: /tmp/x\n", .want = "/tmp/x"},
        {.text = "control: here\n", .want = "here"},
        {.text = "control: here\nnonsense: 1\npolicy: 7\n", .want = "here"},
        {.text = "control: here\nhostname: ${POSTERN_NOT_SET}\n",
         .want = "here"},
        {.text = "include: missing.yaml\ncontrol: here\n", .want = "here"},
        {.text = "control: ${POSTERN_NOT_SET}\n",
         .want_error = "POSTERN_NOT_SET"},
        {.text = "control: [a, b]\n", .want_error = "control"},
        {.text = "control:\n", .want_error = "control"},
        {.text = "control: {\n", .want_error = ""},
        {.text = "", .want_error = "empty"},
        {.text = "- control\n", .want_error = "map"},
    };
    (void)state;
    unsetenv("POSTERN_NOT_SET");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

static void an_included_file_may_hold_it(void **state)
{
    static const struct path_case c = {.text = "include: more.yaml\n",
                                       .want = "from-more"};
    (void)state;
    write_file("more.yaml", "control: from-more\n");
    check_case(&c);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct arena arena;
    struct diags diags;
    (void)state;
    arena_init(&arena, 65536);
    diags_init(&diags);
    assert_null(config_control_path("nowhere.yaml", &arena, &diags));
    assert_int_equal(diags.errors, 1);
    diags_release(&diags);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_path_is_found_whatever_else_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(an_included_file_may_hold_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_told, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
