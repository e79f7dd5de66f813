#include "proxy/smtp/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_octets(struct reply reply, const char *want)
{
    char out[4096];
    size_t n = reply_format(&reply, out, sizeof out);
    assert_int_equal(n, strlen(want));
    assert_memory_equal(out, want, n);
}

static void replies_are_written(void **state)
{
    (void)state;
    assert_octets((struct reply){250, STR("2.0.0"), STR("Ok")},
                  "250 2.0.0 Ok\r\n");
    assert_octets((struct reply){354, STR(""), STR("Go on")}, "354 Go on\r\n");
    assert_octets((struct reply){250, STR("2.1.5"), STR("")}, "250 2.1.5\r\n");
    assert_octets((struct reply){334, STR(""), STR("")}, "334 \r\n");
    assert_octets((struct reply){250, STR(""), STR("a\nSIZE 1\nDSN")},
                  "250-a\r\n250-SIZE 1\r\n250 DSN\r\n");
    assert_octets((struct reply){550, STR("5.7.1"), STR("a\n\nb")},
                  "550-5.7.1 a\r\n550-5.7.1\r\n550 5.7.1 b\r\n");
    assert_octets((struct reply){599, STR(""), STR("a\n")},
                  "599-a\r\n599 \r\n");
}

static void wire_L02_nothing_but_printable_ascii_goes_out(void **state)
{
    (void)state;
    assert_octets((struct reply){550, STR(""), STR("a\r\n250 ok\r")},
                  "550-a?\r\n550 250 ok?\r\n");
    assert_octets((struct reply){550, STR(""), STR("\0\t\x1b\x7f\x80\xff ~")},
                  "550 ?????? ~\r\n");
    assert_octets((struct reply){550, STR(""), STR("\xe2\x80\xa8")},
                  "550 ???\r\n");
    assert_octets((struct reply){550, STR("5\r\n.7"), STR("x")},
                  "550 5??.7 x\r\n");
}

/* Each line within the limit, the same code, only the last with a space. */
static size_t assert_lines(const char *octets, size_t n)
{
    size_t lines = 0;
    size_t start = 0;
    for (size_t i = 0; i < n; i++) {
        if (octets[i] != '\n')
            continue;
        assert_true(i > 0 && octets[i - 1] == '\r');
        assert_true(i + 1 - start <= REPLY_LINE_MAX);
        assert_memory_equal(octets + start, "550", 3);
        assert_int_equal(octets[start + 3], i + 1 == n ? ' ' : '-');
        start = i + 1;
        lines++;
    }
    assert_int_equal(start, n);
    return lines;
}

static void long_lines_are_broken(void **state)
{
    (void)state;
    char text[3000];
    char out[8192];
    memset(text, 'x', sizeof text);
    for (size_t n = 480; n < sizeof text; n += 7) {
        struct reply reply = {550, STR("5.7.1"), str_span(text, n)};
        size_t length = reply_format(&reply, out, sizeof out);
        size_t want = (n + 499) / 500; /* 512 - 4 - 6 - 2 */
        assert_int_equal(assert_lines(out, length), want);
        assert_int_equal(length, n + want * 12);
    }
}

static void lines_are_broken_at_spaces_where_there_are_any(void **state)
{
    (void)state;
    char text[1200];
    char out[8192];
    memset(text, 'x', sizeof text);
    text[400] = ' ';
    text[700] = ' ';
    text[901] = ' '; /* just behind 500 more */
    struct reply reply = {550, STR("5.7.1"), str_span(text, sizeof text)};
    size_t length = reply_format(&reply, out, sizeof out);
    assert_int_equal(assert_lines(out, length), 3);
    assert_int_equal(length, sizeof text - 2 + 3 * 12);
    assert_int_equal(out[400 + 12 + REPLY_LINE_MAX - 1], '\n');
}

static void without_room_nothing_is_said(void **state)
{
    (void)state;
    struct reply reply = {250, STR("2.0.0"), STR("Ok\nOk")};
    char out[28];
    for (size_t room = 0; room < sizeof out; room++)
        assert_int_equal(reply_format(&reply, out, room), 0);
    assert_int_equal(reply_format(&reply, out, sizeof out), sizeof out);
}

static void replies_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int want;
        struct reply want_reply;
    } cases[] = {
        {"553 5.7.1 no", 0, {553, STR_INIT("5.7.1"), STR_INIT("no")}},
        {"421 4.7.0 a b", 0, {421, STR_INIT("4.7.0"), STR_INIT("a b")}},
        {"250 Ok", 0, {250, STR_INIT(""), STR_INIT("Ok")}},
        {"250", 0, {250, STR_INIT(""), STR_INIT("")}},
        {"250 2.0.0", 0, {250, STR_INIT("2.0.0"), STR_INIT("")}},
        {"550 1.2.3.4 is bad",
         0,
         {550, STR_INIT(""), STR_INIT("1.2.3.4 is bad")}},
        {"550 5.7 x", 0, {550, STR_INIT(""), STR_INIT("5.7 x")}},
        {"550 5.7.1000 x", 0, {550, STR_INIT(""), STR_INIT("5.7.1000 x")}},
        {"550 4.7.1 x", -1, {0}},
        {"450 5.7.1 x", -1, {0}},
        {"354 3.0.0 x", -1, {0}},
        {"199 x", -1, {0}},
        {"600 x", -1, {0}},
        {"25 x", -1, {0}},
        {"2500 x", -1, {0}},
        {"250-x", -1, {0}},
        {"+50 x", -1, {0}},
        {"", -1, {0}},
        {"5.7.1 x", -1, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reply reply;
        assert_int_equal(reply_parse(str_from(cases[i].line), &reply),
                         cases[i].want);
        if (cases[i].want < 0)
            continue;
        assert_int_equal(reply.code, cases[i].want_reply.code);
        assert_true(str_equals(reply.enhanced, cases[i].want_reply.enhanced));
        assert_true(str_equals(reply.text, cases[i].want_reply.text));
    }
}

static void enhanced_codes_fit_their_class(void **state)
{
    (void)state;
    static const struct {
        const char *enhanced;
        int code;
        bool want;
    } cases[] = {
        {"5.7.1", 550, true},     {"4.7.1", 450, true},
        {"2.0.0", 250, true},     {"5.999.999", 550, true},
        {"5.7.1", 450, false},    {"2.0.0", 550, false},
        {"3.0.0", 354, false},    {"5.7", 550, false},
        {"5.7.", 550, false},     {"5..1", 550, false},
        {".7.1", 550, false},     {"5.7.1.", 550, false},
        {"5.7.1.2", 550, false},  {"5.7.a", 550, false},
        {"5.7.1234", 550, false}, {"55.7.1", 550, false},
        {"", 550, false},         {"5", 550, false},
        {"5.-7.1", 550, false},   {"x.7.1", 550, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(
            enhanced_code_fits(str_from(cases[i].enhanced), cases[i].code),
            cases[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_written),
        cmocka_unit_test(wire_L02_nothing_but_printable_ascii_goes_out),
        cmocka_unit_test(long_lines_are_broken),
        cmocka_unit_test(lines_are_broken_at_spaces_where_there_are_any),
        cmocka_unit_test(without_room_nothing_is_said),
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(enhanced_codes_fit_their_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
