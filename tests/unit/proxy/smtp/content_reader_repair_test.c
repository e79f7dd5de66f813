/* The content reader of a listener that repairs ends of line. */
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
    size_t rest; /* octets behind the end */
    bool has_ended;
    struct content_reader reader;
};

static void keep(struct seen *seen, struct str bytes)
{
    assert_true(seen->length + bytes.n <= ROOM);
    memcpy(seen->content + seen->length, bytes.p, bytes.n);
    seen->length += bytes.n;
}

/* Everything that the reader makes of one piece of input. */
static enum content_next read_piece(struct seen *seen, struct str *input)
{
    struct str bytes;
    enum content_next next;
    while ((next = content_reader_next(&seen->reader, input, &bytes)) ==
           CONTENT_BYTES) {
        assert_int_equal(seen->reader.fault, CONTENT_FAULT_NONE);
        assert_true(bytes.n > 0);
        keep(seen, bytes);
    }
    return next;
}

/* As DATA, in pieces: the first has `first` octets, the others `piece`. */
static void read_data(struct seen *seen, struct str text, size_t first,
                      size_t piece)
{
    seen->length = 0;
    seen->has_ended = false;
    content_reader_init(&seen->reader, LINE_MAX, true);
    while (text.n > 0 && !seen->has_ended) {
        struct str input = str_head(text, first);
        size_t given = input.n;
        seen->has_ended = read_piece(seen, &input) == CONTENT_END;
        assert_true(seen->has_ended || input.n == 0);
        text = str_skip(text, given - input.n);
        first = piece;
    }
    seen->rest = text.n;
}

/* As BDAT, each piece a chunk. */
static void read_chunks(struct seen *seen, struct str text, size_t first,
                        size_t size)
{
    seen->length = 0;
    content_reader_init(&seen->reader, LINE_MAX, true);
    for (; text.n > 0; first = size) {
        struct str chunk = str_head(text, first);
        text = str_skip(text, chunk.n);
        content_reader_chunk(&seen->reader, chunk.n);
        assert_int_equal(read_piece(seen, &chunk), CONTENT_END);
    }
    keep(seen, content_reader_finish(&seen->reader));
}

struct repair_case {
    struct str text;
    enum content_fault want_fault;
    struct str want_content; /* when there is no fault */
    bool is_unrepaired;
    const char *want_rest; /* DATA: behind the end; NULL: it does not come */
};

static void assert_case(const struct repair_case *c, const struct seen *seen)
{
    struct str content = str_span(seen->content, seen->length);
    assert_int_equal(seen->reader.fault, c->want_fault);
    if (c->want_fault != CONTENT_FAULT_NONE)
        return;
    assert_true(str_equals(content, c->want_content));
    assert_true(seen->reader.bytes == content.n);
    assert_int_equal(seen->reader.has_repaired, !c->is_unrepaired);
}

static void assert_data(const struct repair_case *cases, size_t count)
{
    struct seen seen;
    for (size_t i = 0; i < count; i++) {
        const struct repair_case *c = &cases[i];
        const char *rest = c->want_rest == NULL ? "" : c->want_rest;
        for (size_t cut = 1; cut <= c->text.n; cut++) {
            for (size_t all = 0; all < 2; all++) {
                read_data(&seen, c->text, cut, all ? SIZE_MAX : cut);
                assert_case(c, &seen);
                assert_int_equal(seen.has_ended, c->want_rest != NULL);
                assert_int_equal(seen.rest, strlen(rest));
            }
        }
    }
}

static void assert_chunks(const struct repair_case *cases, size_t count)
{
    struct seen seen;
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 1; cut <= cases[i].text.n; cut++) {
            read_chunks(&seen, cases[i].text, cut, SIZE_MAX);
            assert_case(&cases[i], &seen);
            read_chunks(&seen, cases[i].text, cut, cut);
            assert_case(&cases[i], &seen);
        }
    }
}

/* What an attacker holds for an end of data is a line of the text. */
#define BEFORE "A: b\r\n\r\ntext"
#define AFTER "MAIL FROM:<evil@x>\r\n"
#define LETTER(sequence) STR_INIT(BEFORE sequence AFTER "\r\n.\r\nQUIT\r\n")
#define READ(sequence) STR_INIT(BEFORE sequence AFTER "\r\n")

static void smuggled_ends_of_data_are_lines(void **state)
{
    (void)state;
    static const struct repair_case cases[] = {
        {.text = LETTER("\n.\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\n.\r\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r.\r"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r.\r\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r\n.\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r\n.\r"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r.\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\n.\r"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r\n.\r\r\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\r\r.\r\n"), .want_content = READ("\r\n\r\n.\r\n")},
        {.text = LETTER("\n\r.\r\n"), .want_content = READ("\r\n\r\n.\r\n")},
        {.text = LETTER("\n\n.\r\n"), .want_content = READ("\r\n\r\n.\r\n")},
        {.text = LETTER("\r\n\r.\r\n"), .want_content = READ("\r\n\r\n.\r\n")},
        {.text = LETTER("\r\n\n.\r\n"), .want_content = READ("\r\n\r\n.\r\n")},
        {.text = LETTER("\r\n..\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\n..\r\n"), .want_content = READ("\r\n.\r\n")},
        {.text = LETTER("\n.x\n"), .want_content = READ("\r\nx\r\n")},
        {.text = LETTER("\n.\n.\n"), .want_content = READ("\r\n.\r\n.\r\n")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct repair_case c = cases[i];
        c.want_rest = "QUIT\r\n";
        assert_data(&c, 1);
    }
}

static void an_end_that_stands_on_the_wire_is_one(void **state)
{
    (void)state;
    static const struct repair_case cases[] = {
        {.text = STR_INIT("a\r\r\n.\r\nQUIT\r\n"),
         .want_content = STR_INIT("a\r\n"),
         .want_rest = "QUIT\r\n"},
        {.text = STR_INIT("a\n.\r\n.\r\nQUIT\r\n"),
         .want_content = STR_INIT("a\r\n.\r\n"),
         .want_rest = "QUIT\r\n"},
        {.text = STR_INIT("a\r\n.\r\r\n.\r\nQUIT\r\n"),
         .want_content = STR_INIT("a\r\n.\r\n"),
         .want_rest = "QUIT\r\n"},
        {.text = STR_INIT("a\n\r\n.\r\nQUIT\r\n"),
         .want_content = STR_INIT("a\r\n\r\n"),
         .want_rest = "QUIT\r\n"},
        {.text = STR_INIT(".\r\n"), .is_unrepaired = true, .want_rest = ""},
        {.text = STR_INIT("a\r\n..\r\n.\r\n"),
         .want_content = STR_INIT("a\r\n.\r\n"),
         .is_unrepaired = true,
         .want_rest = ""},
    };
    struct seen seen;
    assert_data(cases, sizeof cases / sizeof *cases);
    read_data(&seen, STR("\n.\r\n"), 1, 1);
    assert_false(seen.has_ended);
}

static void a_nul_is_a_fault_all_the_same(void **state)
{
    (void)state;
    static const struct repair_case cases[] = {
        {.text = LETTER("\0"),
         .want_fault = CONTENT_FAULT_NUL,
         .want_rest = "QUIT\r\n"},
        {.text = LETTER("\r\0\n.\r\n"),
         .want_fault = CONTENT_FAULT_NUL,
         .want_rest = "QUIT\r\n"},
        {.text = LETTER("\r\n.\0\r\n"),
         .want_fault = CONTENT_FAULT_NUL,
         .want_rest = "QUIT\r\n"},
        {.text = LETTER("\n\0"),
         .want_fault = CONTENT_FAULT_NUL,
         .want_rest = "QUIT\r\n"},
    };
    assert_data(cases, sizeof cases / sizeof *cases);
}

static void chunks_are_repaired_across_their_edges(void **state)
{
    (void)state;
    static const struct repair_case cases[] = {
        {.text = STR_INIT("a\nb\rc\r\nd\r\r\ne\n\nf\r\rg"),
         .want_content =
             STR_INIT("a\r\nb\r\nc\r\nd\r\ne\r\n\r\nf\r\n\r\ng\r\n")},
        {.text = STR_INIT("a\n.\r\n.\n"),
         .want_content = STR_INIT("a\r\n.\r\n.\r\n")},
        {.text = STR_INIT("a\r"), .want_content = STR_INIT("a\r\n")},
        {.text = STR_INIT("a\r\r"), .want_content = STR_INIT("a\r\n")},
        {.text = STR_INIT("\r"), .want_content = STR_INIT("\r\n")},
        {.text = STR_INIT("\n"), .want_content = STR_INIT("\r\n")},
        {.text = STR_INIT("a\r\n\r\n"),
         .want_content = STR_INIT("a\r\n\r\n"),
         .is_unrepaired = true},
        {.text = STR_INIT("a"),
         .want_content = STR_INIT("a\r\n"),
         .is_unrepaired = true},
        {.text = STR_INIT("a\n\0"), .want_fault = CONTENT_FAULT_NUL},
    };
    assert_chunks(cases, sizeof cases / sizeof *cases);
}

static void carriage_returns_that_wait_are_bounded(void **state)
{
    (void)state;
    char text[LINE_MAX + 3];
    struct seen seen;
    memset(text, '\r', sizeof text);
    text[LINE_MAX] = '\n';
    read_chunks(&seen, str_span(text, LINE_MAX + 1), SIZE_MAX, SIZE_MAX);
    assert_int_equal(seen.reader.fault, CONTENT_FAULT_NONE);
    assert_int_equal(seen.length, 2);
    text[LINE_MAX] = '\r';
    text[LINE_MAX + 1] = '\n';
    read_chunks(&seen, str_span(text, LINE_MAX + 2), SIZE_MAX, SIZE_MAX);
    assert_int_equal(seen.reader.fault, CONTENT_FAULT_LINE);
}

static void the_counts_are_those_of_what_is_handed_out(void **state)
{
    (void)state;
    struct seen seen;
    struct str text = STR("ab\n..cdef\r\n\r.\xe9\r\n.\r\n");
    for (size_t piece = 1; piece <= text.n; piece++) {
        read_data(&seen, text, piece, piece);
        assert_true(seen.has_ended);
        assert_int_equal(seen.reader.bytes, 4 + 7 + 2 + 3);
        assert_int_equal(seen.reader.scan.lines, 4);
        assert_int_equal(seen.reader.scan.longest, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smuggled_ends_of_data_are_lines),
        cmocka_unit_test(an_end_that_stands_on_the_wire_is_one),
        cmocka_unit_test(a_nul_is_a_fault_all_the_same),
        cmocka_unit_test(chunks_are_repaired_across_their_edges),
        cmocka_unit_test(carriage_returns_that_wait_are_bounded),
        cmocka_unit_test(the_counts_are_those_of_what_is_handed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
