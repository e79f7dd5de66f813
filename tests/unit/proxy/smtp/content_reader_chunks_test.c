/* The content reader over the chunks of BDAT. */
#include "proxy/smtp/content_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX 64
#define ROOM 512

struct seen {
    char content[ROOM];
    size_t length;
    struct content_reader reader;
};

static void keep(struct seen *seen, struct str bytes)
{
    assert_true(seen->length + bytes.n <= ROOM);
    memcpy(seen->content + seen->length, bytes.p, bytes.n);
    seen->length += bytes.n;
}

/* One chunk that arrives in pieces, with the next command behind it. */
static void read_chunk(struct seen *seen, struct str chunk, size_t behind,
                       size_t piece)
{
    struct str rest = str_span(chunk.p, chunk.n + behind), bytes;
    enum content_next next = CONTENT_MORE;
    content_reader_chunk(&seen->reader, chunk.n);
    while (next != CONTENT_END) {
        struct str input = str_head(rest, piece);
        size_t given = input.n;
        next = content_reader_next(&seen->reader, &input, &bytes);
        if (next == CONTENT_BYTES) {
            assert_int_equal(seen->reader.fault, CONTENT_FAULT_NONE);
            assert_true(bytes.n > 0);
            keep(seen, bytes);
        }
        assert_true(next != CONTENT_MORE || input.n == 0);
        rest = str_skip(rest, given - input.n);
    }
    assert_int_equal(rest.n, behind);
}

/* `text` in chunks: the first has `first` octets, the others `size`. */
static void read_all(struct seen *seen, struct str text, size_t first,
                     size_t size, size_t piece)
{
    seen->length = 0;
    content_reader_init(&seen->reader, LINE_MAX, false);
    while (text.n > 0) {
        struct str chunk = str_head(text, first);
        text = str_skip(text, chunk.n);
        read_chunk(seen, chunk, text.n, piece);
        first = size;
    }
    keep(seen, content_reader_finish(&seen->reader));
}

struct content_case {
    struct str text;
    enum content_fault want_fault;
    const char *want_end; /* what the last line lacked; NULL: nothing */
};

static void assert_case(const struct content_case *c, const struct seen *seen)
{
    struct str end = str_from(c->want_end == NULL ? "" : c->want_end);
    assert_int_equal(seen->reader.fault, c->want_fault);
    if (c->want_fault != CONTENT_FAULT_NONE)
        return;
    struct str content = str_span(seen->content, seen->length);
    assert_int_equal(content.n, c->text.n + end.n);
    assert_true(str_starts_with(content, c->text));
    assert_true(str_equals(str_skip(content, c->text.n), end));
    assert_true(seen->reader.bytes == content.n);
}

static void assert_cases(const struct content_case *cases, size_t count)
{
    struct seen seen;
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 1; cut <= cases[i].text.n; cut++) {
            read_all(&seen, cases[i].text, cut, SIZE_MAX, SIZE_MAX);
            assert_case(&cases[i], &seen);
            read_all(&seen, cases[i].text, cut, SIZE_MAX, 1);
            assert_case(&cases[i], &seen);
            read_all(&seen, cases[i].text, cut, cut, SIZE_MAX);
            assert_case(&cases[i], &seen);
        }
    }
}

static void wire_D05_dots_and_ends_of_data_are_content(void **state)
{
    (void)state;
    static const struct content_case cases[] = {
        {.text = STR_INIT("A: b\r\n\r\n.\r\n..\r\n.x\r\nx.\r\n")},
        {.text = STR_INIT(".\r\n")},
        {.text = STR_INIT("a\r\n.\r\nMAIL FROM:<evil@x>\r\n")},
        {.text = STR_INIT("a\r\n. \r\n.\t\r\n\xc2\x85.\r\n\xae\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_D02_the_last_line_gets_its_end_once(void **state)
{
    (void)state;
    static const struct content_case cases[] = {
        {.text = STR_INIT("a"), .want_end = "\r\n"},
        {.text = STR_INIT("."), .want_end = "\r\n"},
        {.text = STR_INIT("a\r\nb"), .want_end = "\r\n"},
        {.text = STR_INIT("a\r\n."), .want_end = "\r\n"},
        {.text = STR_INIT("a\r\n")},
        {.text = STR_INIT("\r\n")},
        {.text = STR_INIT("\r\n\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

#define LETTER(sequence)                                                       \
    STR_INIT("Subject: s\r\n\r\ntext" sequence "MAIL FROM:<evil@x>\r\n")

static void wire_D06_what_is_bare_is_a_fault_in_any_chunk(void **state)
{
    (void)state;
    static const struct content_case cases[] = {
        {.text = LETTER("\n.\n"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = LETTER("\n.\r\n"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = LETTER("\r.\r"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r.\r\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r\n.\n"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = LETTER("\r\n.\r"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r.\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\n.\r"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = LETTER("\0\r\n.\r\n"), .want_fault = CONTENT_FAULT_NUL},
        {.text = LETTER("\r\n\0.\r\n"), .want_fault = CONTENT_FAULT_NUL},
        {.text = LETTER("\r\0\n.\r\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r\n.\0\r\n"), .want_fault = CONTENT_FAULT_NUL},
        {.text = LETTER("\r\n.\r\0\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r\n.\r\r\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r\r\n.\r\r\n"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = LETTER("\r\n\n.\r\n"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = STR_INIT("a\r"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = STR_INIT("a\r\n\r"), .want_fault = CONTENT_FAULT_BARE_CR},
        {.text = STR_INIT("\n"), .want_fault = CONTENT_FAULT_BARE_LF},
        {.text = STR_INIT("\0"), .want_fault = CONTENT_FAULT_NUL},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void a_line_is_measured_over_its_chunks(void **state)
{
    (void)state;
#define OCTETS_32 "0123456789abcdef0123456789abcdef"
    static const struct content_case cases[] = {
        {.text = STR_INIT(OCTETS_32 OCTETS_32 "\r\nx\r\n")},
        {.text = STR_INIT(OCTETS_32 OCTETS_32), .want_end = "\r\n"},
        {.text = STR_INIT(OCTETS_32 OCTETS_32 "x\r\n"),
         .want_fault = CONTENT_FAULT_LINE},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void the_counts_are_those_of_the_whole(void **state)
{
    (void)state;
    struct str text = STR("ab\r\n.cdef\r\n\r\n\xe9");
    struct seen seen;
    for (size_t size = 1; size <= text.n; size++) {
        read_all(&seen, text, size, size, SIZE_MAX);
        assert_int_equal(seen.reader.bytes, 4 + 7 + 2 + 3);
        assert_int_equal(seen.reader.scan.lines, 4);
        assert_int_equal(seen.reader.scan.longest, 5);
    }
}

static void wire_K02_an_empty_chunk_ends_at_once(void **state)
{
    (void)state;
    struct content_reader reader;
    struct str input = STR("NOOP\r\n"), bytes;
    content_reader_init(&reader, LINE_MAX, false);
    content_reader_chunk(&reader, 0);
    assert_int_equal(content_reader_next(&reader, &input, &bytes), CONTENT_END);
    assert_int_equal(input.n, 6);
    assert_int_equal(content_reader_finish(&reader).n, 0);
    assert_int_equal(reader.bytes, 0);
}

static void wire_K01_a_chunk_of_any_size_is_counted_exactly(void **state)
{
    (void)state;
    struct content_reader reader;
    struct str input = STR("hello"), bytes;
    content_reader_init(&reader, LINE_MAX, false);
    content_reader_chunk(&reader, UINT64_MAX);
    assert_int_equal(content_reader_next(&reader, &input, &bytes),
                     CONTENT_BYTES);
    assert_int_equal(content_reader_next(&reader, &input, &bytes),
                     CONTENT_MORE);
    assert_true(reader.chunk_left == UINT64_MAX - 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_D05_dots_and_ends_of_data_are_content),
        cmocka_unit_test(wire_D02_the_last_line_gets_its_end_once),
        cmocka_unit_test(wire_D06_what_is_bare_is_a_fault_in_any_chunk),
        cmocka_unit_test(a_line_is_measured_over_its_chunks),
        cmocka_unit_test(the_counts_are_those_of_the_whole),
        cmocka_unit_test(wire_K02_an_empty_chunk_ends_at_once),
        cmocka_unit_test(wire_K01_a_chunk_of_any_size_is_counted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
