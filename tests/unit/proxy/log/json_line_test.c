#include "proxy/log/json_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(struct json_line *line, const char *want)
{
    struct str got = json_line_end(line);
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
    json_line_release(line);
}

static void objects_and_arrays_nest_with_commas_between(void **state)
{
    (void)state;
    struct json_line line;
    json_line_init(&line, 4096);
    json_open_object(&line, NULL);
    json_number(&line, "n", 18446744073709551615u);
    json_open_object(&line, "empty");
    json_close_object(&line);
    json_open_array(&line, "list");
    json_text(&line, NULL, STR("a"));
    json_open_object(&line, NULL);
    json_flag(&line, "yes", true);
    json_flag(&line, "no", false);
    json_close_object(&line);
    json_close_array(&line);
    json_text(&line, "last", STR(""));
    json_close_object(&line);
    assert_line(&line, "{\"n\":18446744073709551615,\"empty\":{},"
                       "\"list\":[\"a\",{\"yes\":true,\"no\":false}],"
                       "\"last\":\"\"}\n");
}

struct text_case {
    struct str text;
    const char *want;
};

static const struct text_case texts[] = {
    {.text = STR_INIT("plain na\xc3\xafve"), .want = "plain na\xc3\xafve"},
    {.text = STR_INIT("\"quoted\\"), .want = "\\\"quoted\\\\"},
    {.text = STR_INIT("a\r\nb\tc"), .want = "a\\r\\nb\\tc"},
    {.text = STR_INIT("\0\x1b\x7f"), .want = "\\u0000\\u001b\\u007f"},
    {.text = STR_INIT("\xff\xc3"), .want = "\\ufffd\\ufffd"},
    {.text = STR_INIT("\xe2\x80\xa8\xe2\x80\xa9"), .want = "\\u2028\\u2029"},
    {.text = STR_INIT("\xe2\x80\xae"), .want = "\\u202e"},
    {.text = STR_INIT("%n%s"), .want = "%n%s"},
};

static void wire_L01_texts_can_not_break_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char want[128];
        struct json_line line;
        json_line_init(&line, 4096);
        json_text(&line, NULL, texts[i].text);
        snprintf(want, sizeof want, "\"%s\"\n", texts[i].want);
        assert_line(&line, want);
    }
}

static void a_long_text_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[2048];
    char want[2048];
    memset(text, 'x', sizeof text);
    memset(want, 'x', sizeof want);
    memcpy(text + 1022, "\xe2\x82\xac", 3);
    struct json_line line;
    json_line_init(&line, 4096);
    json_text(&line, NULL, str_span(text, sizeof text));
    want[0] = '"';
    memcpy(want + 1 + 1022, "\"\n", 3);
    assert_line(&line, want);
}

static void times_are_utc_with_microseconds(void **state)
{
    (void)state;
    struct json_line line;
    json_line_init(&line, 4096);
    json_open_object(&line, NULL);
    json_time(&line, "time", 1767605401123456u);
    json_ms(&line, "ms", 14209);
    json_ms(&line, "none", 0);
    json_close_object(&line);
    assert_line(&line, "{\"time\":\"2026-01-05T09:30:01.123456Z\","
                       "\"ms\":14.209,\"none\":0.000}\n");
}

static void what_passes_the_cap_is_told(void **state)
{
    (void)state;
    struct json_line line;
    json_line_init(&line, 8);
    json_text(&line, NULL, STR("12345"));
    assert_false(line.is_full);
    assert_line(&line, "\"12345\"\n");
    json_line_init(&line, 8);
    json_text(&line, NULL, STR("123456"));
    assert_true(line.is_full);
    assert_int_equal(json_line_end(&line).n, 0);
    json_line_release(&line);
}

static void the_line_never_grows_past_the_cap(void **state)
{
    (void)state;
    struct json_line line;
    json_line_init(&line, 3000);
    json_open_array(&line, NULL);
    for (int i = 0; i < 1000; i++)
        json_text(&line, NULL, STR("something"));
    assert_true(line.is_full);
    assert_true(line.capacity <= 3000);
    assert_int_equal(json_line_end(&line).n, 0);
    json_line_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_and_arrays_nest_with_commas_between),
        cmocka_unit_test(wire_L01_texts_can_not_break_the_line),
        cmocka_unit_test(a_long_text_is_cut_at_a_character),
        cmocka_unit_test(times_are_utc_with_microseconds),
        cmocka_unit_test(what_passes_the_cap_is_told),
        cmocka_unit_test(the_line_never_grows_past_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
