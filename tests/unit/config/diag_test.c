#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/diag.h"

static struct mark at(const char *file, size_t line, size_t column)
{
    return (struct mark){file, line, column};
}

static void assert_printed(const struct diags *diags, const char *want)
{
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);
    assert_non_null(out);
    diags_print(diags, out);
    fclose(out);
    assert_string_equal(got, want);
    free(got);
}

static void each_is_a_line_with_its_place(void **state)
{
    (void)state;
    struct diags diags;
    diags_init(&diags);
    diags_error(&diags, at("a.yaml", 3, 5), "%s is wrong", "this");
    diags_warn(&diags, at("a.yaml", 0, 0), "of the whole file");
    diags_error(&diags, at(NULL, 0, 0), "of no file");
    assert_int_equal(diags.errors, 2);
    assert_printed(&diags, "a.yaml:3:5: error: this is wrong\n"
                           "a.yaml: warning: of the whole file\n"
                           "error: of no file\n");
    diags_release(&diags);
}

static void texts_and_names_are_copied(void **state)
{
    (void)state;
    struct diags diags;
    char file[] = "a.yaml";
    diags_init(&diags);
    diags_error(&diags, at(file, 1, 1), "x");
    memset(file, '?', sizeof file - 1);
    assert_printed(&diags, "a.yaml:1:1: error: x\n");
    diags_release(&diags);
}

static void they_are_sorted_by_place(void **state)
{
    (void)state;
    struct diags diags;
    diags_init(&diags);
    diags_error(&diags, at("b.yaml", 1, 1), "1");
    diags_error(&diags, at("main.yaml", 9, 2), "2");
    diags_error(&diags, at("main.yaml", 9, 1), "3");
    diags_warn(&diags, at("main.yaml", 2, 7), "4");
    diags_error(&diags, at("a.yaml", 5, 1), "5");
    diags_error(&diags, at("main.yaml", 9, 1), "6");
    diags_sort(&diags, "main.yaml");
    assert_printed(&diags, "main.yaml:2:7: warning: 4\n"
                           "main.yaml:9:1: error: 3\n"
                           "main.yaml:9:1: error: 6\n"
                           "main.yaml:9:2: error: 2\n"
                           "a.yaml:5:1: error: 5\n"
                           "b.yaml:1:1: error: 1\n");
    diags_release(&diags);
}

static void twenty_are_kept_and_the_rest_is_counted(void **state)
{
    (void)state;
    struct diags diags;
    diags_init(&diags);
    diags_warn(&diags, at("f", 1, 1), "a warning gives way");
    for (size_t i = 0; i < 22; i++)
        diags_error(&diags, at("f", i + 2, 1), "%zu", i);
    diags_warn(&diags, at("f", 99, 1), "no room");
    assert_int_equal(diags.count, DIAG_MAX);
    assert_int_equal(diags.errors, 22);
    assert_int_equal(diags.dropped, 4);
    for (size_t i = 0; i < diags.count; i++)
        assert_int_equal(diags.items[i].level, DIAG_ERROR);
    diags_release(&diags);
}

static void nothing_in_a_text_drives_a_terminal(void **state)
{
    (void)state;
    struct diags diags;
    diags_init(&diags);
    diags_error(&diags, at("f", 1, 1), "a\x1b[31mb\r\nc\x7f");
    diags_error(&diags, at("f", 1, 2), "%s", "\xc3\xbc\xe2\x80\xa6\xff.");
    diags_error(&diags, at("f", 1, 3), "%.*s.", 1, "\xc3\xbc");
    assert_printed(&diags, "f:1:1: error: a?[31mb??c?\n"
                           "f:1:2: error: \xc3\xbc\xe2\x80\xa6?.\n"
                           "f:1:3: error: ?.\n");
    diags_release(&diags);
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    struct diags diags;
    char text[2000];
    diags_init(&diags);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    diags_error(&diags, at("f", 1, 1), "%s", text);
    size_t length = strlen(diags.items[0].text);
    assert_true(length < 600);
    assert_string_equal(diags.items[0].text + length - 4, "x...");
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_a_line_with_its_place),
        cmocka_unit_test(texts_and_names_are_copied),
        cmocka_unit_test(they_are_sorted_by_place),
        cmocka_unit_test(twenty_are_kept_and_the_rest_is_counted),
        cmocka_unit_test(nothing_in_a_text_drives_a_terminal),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
