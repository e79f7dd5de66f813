#include "proxy/smtp/line_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 32

static const char *const WORDS[] = {
    [LINE_READY] = "",          [LINE_MORE] = "more",
    [LINE_TOO_LONG] = "<long>", [LINE_BAD] = "<bad>",
    [LINE_MEMORY] = "<memory>",
};

/* Feeds `text` in pieces and writes down what comes out, each line with a
 * '|' behind it. */
static void read_all(struct str text, size_t piece, char *out, size_t room)
{
    struct line_reader reader;
    size_t n = 0;
    line_reader_init(&reader);
    while (text.n > 0) {
        struct str input = str_head(text, piece);
        text = str_skip(text, input.n);
        for (;;) {
            struct str line = {NULL, 0};
            enum line_next next =
                line_reader_next(&reader, &input, LIMIT, &line);
            if (next == LINE_MORE)
                break;
            struct str word = str_from(WORDS[next]);
            assert_true(n + word.n + line.n + 2 < room);
            memcpy(out + n, word.p, word.n);
            n += word.n;
            if (next != LINE_READY)
                continue;
            memcpy(out + n, line.p, line.n);
            n += line.n;
            out[n++] = '|';
        }
        assert_int_equal(input.n, 0);
    }
    out[n] = '\0';
    line_reader_release(&reader);
}

struct line_case {
    struct str text;
    const char *want;
};

static void assert_cases(const struct line_case *cases, size_t count)
{
    char out[512];
    for (size_t i = 0; i < count; i++) {
        for (size_t piece = 1; piece <= cases[i].text.n; piece++) {
            read_all(cases[i].text, piece, out, sizeof out);
            assert_string_equal(out, cases[i].want);
        }
    }
}

static void only_crlf_ends_a_line(void **state)
{
    (void)state;
    static const struct line_case cases[] = {
        {STR_INIT("NOOP\r\n"), "NOOP|"},
        {STR_INIT("\r\n"), "|"},
        {STR_INIT("A\r\nB\r\n\r\nC"), "A|B||"},
        {STR_INIT("A\x0b\x0c\xc2\x85\xe2\x80\xa8 B\r\n"),
         "A\x0b\x0c\xc2\x85\xe2\x80\xa8 B|"},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_G01_bare_line_ends_and_nul_are_bad(void **state)
{
    (void)state;
    static const struct line_case cases[] = {
        {STR_INIT("EHLO x\nMAIL FROM:<a@b>\nQUIT\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("EHLO x\rQUIT\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("EHLO x\r\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("\r\r\r\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("\n\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("\nA\r\n"), "<bad>"},
        {STR_INIT("\rA\r\nB\r\n"), "<bad>B|"},
        {STR_INIT("E\0HLO\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("E\r\0\nA\r\nB\r\n"), "<bad>B|"},
        {STR_INIT("\0\r\nA\r\n"), "<bad>A|"},
        {STR_INIT("a\nb\nc\nd\re\0f\r\nA\r\nx\ny\r\nB\r\n"), "<bad>A|<bad>B|"},
        {STR_INIT("\0\0\0"), "<bad>"},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_G04_a_long_line_is_told_once_and_swallowed(void **state)
{
    (void)state;
    static const struct line_case cases[] = {
        {STR_INIT("012345678901234567890123456789\r\nA\r\n"),
         "012345678901234567890123456789|A|"},
        {STR_INIT("0123456789012345678901234567890\r\nA\r\n"), "<long>A|"},
        {STR_INIT("01234567890123456789012345678901\r\nA\r\n"), "<long>A|"},
        {STR_INIT("012345678901234567890123456789012345678901234567890123456"
                  "789012345678901234567890123456789\n\r\r\nA\r\n"),
         "<long>A|"},
        {STR_INIT("012345678901234567890123456789012345678901234567890123456"
                  "78901234567890123\r\n\r\n"),
         "<long>|"},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void a_whole_line_is_lent_from_the_input(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str input = STR("NOOP\r\nQUIT");
    const char *start = input.p;
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &input, LIMIT, &line),
                     LINE_READY);
    assert_ptr_equal(line.p, start);
    assert_null(reader.buffer);
    assert_true(line_reader_is_empty(&reader));
    assert_int_equal(line_reader_next(&reader, &input, LIMIT, &line),
                     LINE_MORE);
    assert_false(line_reader_is_empty(&reader));
    line_reader_release(&reader);
    assert_true(line_reader_is_empty(&reader));
}

static void a_gathered_line_gives_its_memory_back(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str first = STR("NO");
    struct str second = STR("OP\r\nRSET\r\n");
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &first, LIMIT, &line),
                     LINE_MORE);
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_READY);
    assert_true(str_equals(line, STR("NOOP")));
    assert_true(line_reader_is_empty(&reader));
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_READY);
    assert_true(str_equals(line, STR("RSET")));
    assert_null(reader.buffer);
    line_reader_release(&reader);
}

static void a_line_that_is_forgotten_takes_its_memory_along(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str first = STR("NO");
    struct str second = STR("OP\r\nRS");
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &first, LIMIT, &line),
                     LINE_MORE);
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_READY);
    line_reader_forget(&reader);
    assert_null(reader.buffer);
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_MORE);
    line_reader_forget(&reader);
    struct str third = STR("ET\r\n");
    assert_int_equal(line_reader_next(&reader, &third, LIMIT, &line),
                     LINE_READY);
    assert_true(str_equals(line, STR("RSET")));
    line_reader_release(&reader);
}

static void a_faulty_line_is_lent_up_to_its_fault(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str first = STR("BDA");
    struct str second = STR("T 6\0x\r\nA\nB\r\nC\r\n");
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &first, LIMIT, &line),
                     LINE_MORE);
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_BAD);
    assert_true(str_equals(line, STR("BDAT 6\0")));
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_BAD);
    assert_true(str_equals(line, STR("A\n")));
    assert_null(reader.buffer);
    assert_int_equal(line_reader_next(&reader, &second, LIMIT, &line),
                     LINE_READY);
    assert_true(str_equals(line, STR("C")));
    line_reader_release(&reader);
}

static void the_reader_is_not_empty_while_it_swallows(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str input = STR("A\nB");
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &input, LIMIT, &line), LINE_BAD);
    assert_int_equal(line_reader_next(&reader, &input, LIMIT, &line),
                     LINE_MORE);
    assert_int_equal(input.n, 0);
    assert_false(line_reader_is_empty(&reader));
    line_reader_release(&reader);
}

static void the_limit_may_change_from_call_to_call(void **state)
{
    (void)state;
    struct line_reader reader;
    struct str input = STR("0123456789");
    struct str rest = STR("01234\r\nA\r\n");
    struct str line;
    line_reader_init(&reader);
    assert_int_equal(line_reader_next(&reader, &input, 100, &line), LINE_MORE);
    assert_int_equal(line_reader_next(&reader, &rest, 8, &line), LINE_TOO_LONG);
    assert_int_equal(line_reader_next(&reader, &rest, 8, &line), LINE_READY);
    assert_true(str_equals(line, STR("A")));
    line_reader_release(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_crlf_ends_a_line),
        cmocka_unit_test(wire_G01_bare_line_ends_and_nul_are_bad),
        cmocka_unit_test(wire_G04_a_long_line_is_told_once_and_swallowed),
        cmocka_unit_test(a_whole_line_is_lent_from_the_input),
        cmocka_unit_test(a_gathered_line_gives_its_memory_back),
        cmocka_unit_test(a_line_that_is_forgotten_takes_its_memory_along),
        cmocka_unit_test(a_faulty_line_is_lent_up_to_its_fault),
        cmocka_unit_test(the_reader_is_not_empty_while_it_swallows),
        cmocka_unit_test(the_limit_may_change_from_call_to_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
