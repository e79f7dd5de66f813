#include "proxy/smtp/content_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_MAX (1 << 20)
#define ROOM 4096

struct seen {
    char content[ROOM];
    size_t length;
    enum content_next last;
    size_t taken; /* of the text */
    struct content_reader reader;
};

/* Reads `text` cut into pieces: the first has `first` octets, the others
 * `piece`. */
static void read_all(struct seen *seen, struct str text, size_t first,
                     size_t piece)
{
    struct str whole = text;
    seen->length = 0;
    seen->last = CONTENT_MORE;
    content_reader_init(&seen->reader, LINE_MAX, false);
    while (text.n > 0 && seen->last != CONTENT_END) {
        struct str input = str_head(text, first);
        size_t given = input.n;
        struct str bytes;
        while ((seen->last = content_reader_next(&seen->reader, &input,
                                                 &bytes)) == CONTENT_BYTES) {
            assert_true(bytes.n > 0 && seen->length + bytes.n <= ROOM);
            memcpy(seen->content + seen->length, bytes.p, bytes.n);
            seen->length += bytes.n;
        }
        assert_true(input.n == 0 || seen->last == CONTENT_END);
        text = str_skip(text, given - input.n);
        first = piece;
    }
    seen->taken = whole.n - text.n;
}

struct data_case {
    struct str text; /* behind the 354 */
    enum content_fault want_fault;
    struct str want_content; /* when there is no fault */
    const char *want_rest;   /* behind the end; NULL: it does not come */
};

static void assert_seen(const struct data_case *c, const struct seen *seen)
{
    assert_int_equal(seen->reader.fault, c->want_fault);
    assert_int_equal(seen->last,
                     c->want_rest == NULL ? CONTENT_MORE : CONTENT_END);
    struct str rest = str_skip(c->text, seen->taken);
    if (c->want_rest != NULL)
        assert_true(str_equals(rest, str_from(c->want_rest)));
    if (c->want_fault != CONTENT_FAULT_NONE)
        return;
    assert_true(
        str_equals(str_span(seen->content, seen->length), c->want_content));
    assert_true(seen->reader.bytes == seen->length);
}

static void assert_cases(const struct data_case *cases, size_t count)
{
    struct seen seen;
    for (size_t i = 0; i < count; i++) {
        for (size_t cut = 1; cut <= cases[i].text.n; cut++) {
            read_all(&seen, cases[i].text, cut, cut);
            assert_seen(&cases[i], &seen);
            read_all(&seen, cases[i].text, cut, SIZE_MAX);
            assert_seen(&cases[i], &seen);
        }
    }
}

/* The smuggler's letter: what follows the sequence would be commands if the
 * sequence were an end. */
#define BEFORE "Subject: s\r\n\r\ntext"
#define AFTER "MAIL FROM:<evil@x>\r\n"
#define REAL_END "\r\n.\r\n"
#define LETTER(sequence) STR_INIT(BEFORE sequence AFTER REAL_END "QUIT\r\n")

static void assert_fault_and_true_end(const struct str *letters, size_t count,
                                      enum content_fault fault)
{
    for (size_t i = 0; i < count; i++) {
        struct data_case c = {
            .text = letters[i], .want_fault = fault, .want_rest = "QUIT\r\n"};
        assert_cases(&c, 1);
    }
}

static void wire_S01_lf_dot_lf_is_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\n.\n")};
    assert_fault_and_true_end(letters, 1, CONTENT_FAULT_BARE_LF);
}

static void wire_S02_lf_dot_crlf_is_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\n.\r\n")};
    assert_fault_and_true_end(letters, 1, CONTENT_FAULT_BARE_LF);
}

static void wire_S03_S04_cr_dot_is_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\r.\r"), LETTER("\r.\r\n")};
    assert_fault_and_true_end(letters, 2, CONTENT_FAULT_BARE_CR);
}

static void wire_S05_crlf_dot_lf_is_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\r\n.\n")};
    assert_fault_and_true_end(letters, 1, CONTENT_FAULT_BARE_LF);
}

static void wire_S06_crlf_dot_cr_is_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\r\n.\r"),
                                         LETTER("\r\n.\rx\n")};
    assert_fault_and_true_end(letters, 2, CONTENT_FAULT_BARE_CR);
}

static void wire_S07_mixed_ends_are_no_end(void **state)
{
    (void)state;
    static const struct str crs[] = {LETTER("\r.\n")};
    static const struct str lfs[] = {LETTER("\n.\r")};
    assert_fault_and_true_end(crs, 1, CONTENT_FAULT_BARE_CR);
    assert_fault_and_true_end(lfs, 1, CONTENT_FAULT_BARE_LF);
}

static void wire_S08_a_nul_before_a_true_end_honours_it(void **state)
{
    (void)state;
    static const struct data_case cases[] = {
        {.text = LETTER("\0\r\n.\r\n"),
         .want_fault = CONTENT_FAULT_NUL,
         .want_rest = AFTER REAL_END "QUIT\r\n"},
    };
    assert_cases(cases, 1);
}

static void wire_S09_to_S12_a_nul_within_is_no_end(void **state)
{
    (void)state;
    static const struct str nuls[] = {LETTER("\r\n\0.\r\n"),
                                      LETTER("\r\n.\0\r\n")};
    static const struct str crs[] = {LETTER("\r\0\n.\r\n"),
                                     LETTER("\r\n.\r\0\n")};
    assert_fault_and_true_end(nuls, 2, CONTENT_FAULT_NUL);
    assert_fault_and_true_end(crs, 2, CONTENT_FAULT_BARE_CR);
}

static void wire_S13_a_nul_behind_the_end_is_not_data(void **state)
{
    (void)state;
    struct str text = STR(BEFORE "\r\n.\r\n\0NOOP\r\n");
    struct seen seen;
    read_all(&seen, text, SIZE_MAX, SIZE_MAX);
    assert_int_equal(seen.last, CONTENT_END);
    assert_int_equal(seen.reader.fault, CONTENT_FAULT_NONE);
    assert_true(str_equals(str_skip(text, seen.taken), STR("\0NOOP\r\n")));
}

static void wire_S14_S15_doubled_crs_are_no_end(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\r\n.\r\r\n"),
                                         LETTER("\r\r\n.\r\r\n")};
    assert_fault_and_true_end(letters, 2, CONTENT_FAULT_BARE_CR);
}

static void wire_S16_the_rest_of_the_family(void **state)
{
    (void)state;
    static const struct str lfs[] = {
        LETTER("\n\r.\r\n"),
        LETTER("\n\n.\r\n"),
        LETTER("\r\n\n.\r\n"),
    };
    static const struct str crs[] = {LETTER("\r\r.\r\n"),
                                     LETTER("\r\n\r.\r\n")};
    assert_fault_and_true_end(lfs, 3, CONTENT_FAULT_BARE_LF);
    assert_fault_and_true_end(crs, 2, CONTENT_FAULT_BARE_CR);
}

static void wire_S17_stuffed_dots_before_a_bare_lf(void **state)
{
    (void)state;
    static const struct str letters[] = {LETTER("\r\n..\n"),
                                         LETTER("\n..\r\n")};
    assert_fault_and_true_end(letters, 2, CONTENT_FAULT_BARE_LF);
}

static void wire_S18_S25_only_the_first_end_counts(void **state)
{
    (void)state;
    static const struct data_case cases[] = {
        {.text = STR_INIT("text\r\n.\r\n.\r\n"),
         .want_content = STR_INIT("text\r\n"),
         .want_rest = ".\r\n"},
        {.text = STR_INIT(".\r\n.\r\n"), .want_rest = ".\r\n"},
        {.text = STR_INIT(".\r\n"), .want_rest = ""},
        {.text = STR_INIT("\r\n.\r\n"),
         .want_content = STR_INIT("\r\n"),
         .want_rest = ""},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_S19_S20_S21_look_alikes_are_text(void **state)
{
    (void)state;
    static const struct data_case cases[] = {
        {.text = STR_INIT("a\r\n. \r\nb\r\n.\r\n"),
         .want_content = STR_INIT("a\r\n \r\nb\r\n"),
         .want_rest = ""},
        {.text = STR_INIT("a\r\n.\t\r\nb\r\n.\r\n"),
         .want_content = STR_INIT("a\r\n\t\r\nb\r\n"),
         .want_rest = ""},
        {.text = STR_INIT("a\r\n.\x0b\r\n.\x0c\r\nb\r\n.\r\n"),
         .want_content = STR_INIT("a\r\n\x0b\r\n\x0c\r\nb\r\n"),
         .want_rest = ""},
        {.text = STR_INIT("a\r\n\xc2\x85.\r\n\xe2\x80\xa8.\r\n.\r\n"),
         .want_content = STR_INIT("a\r\n\xc2\x85.\r\n\xe2\x80\xa8.\r\n"),
         .want_rest = ""},
        {.text = STR_INIT("a\x8d\x8a.\x8d\x8a\r\n\xae\r\n.\r\n"),
         .want_content = STR_INIT("a\x8d\x8a.\x8d\x8a\r\n\xae\r\n"),
         .want_rest = ""},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_D01_stuffed_dots_are_taken_off(void **state)
{
    (void)state;
    static const struct data_case cases[] = {
        {.text = STR_INIT("..\r\n...\r\n....x\r\n..x\r\nx.\r\n.\r\n"),
         .want_content = STR_INIT(".\r\n..\r\n...x\r\n.x\r\nx.\r\n"),
         .want_rest = ""},
        {.text = STR_INIT(".x\r\n.\r\n"),
         .want_content = STR_INIT("x\r\n"),
         .want_rest = ""},
        {.text = STR_INIT("x\r\n..\r\n"),
         .want_content = STR_INIT("x\r\n.\r\n")},
        {.text = STR_INIT("x\r\n."), .want_content = STR_INIT("x\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_S22_S23_sequences_across_every_offset(void **state)
{
    (void)state;
    static const size_t offsets[] = {512,  998,   1000,  2048,  4096,
                                     8192, 16383, 16384, 16385, 65535};
    static const char sequence[] = "\r\n.\rMAIL\r\n.\n\r\n.\r\nQUIT";
    size_t tail = sizeof sequence - 1;
    char *text = malloc(65536 + tail);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        for (size_t before = 0; before <= tail; before++) {
            size_t pad = offsets[i] - before;
            struct content_reader reader;
            struct str bytes;
            memset(text, 'x', pad);
            memcpy(text + pad, sequence, tail);
            struct str first = str_span(text, offsets[i]);
            struct str second = str_span(text + offsets[i], tail - before);
            content_reader_init(&reader, LINE_MAX, false);
            while (content_reader_next(&reader, &first, &bytes) ==
                   CONTENT_BYTES)
                continue;
            while (content_reader_next(&reader, &second, &bytes) ==
                   CONTENT_BYTES)
                continue;
            assert_int_equal(reader.fault, CONTENT_FAULT_BARE_CR);
            assert_int_equal(first.n + second.n, 4);
        }
    }
    free(text);
}

/* Every false end, cut after each of its octets, at each edge that a buffer
 * of ours or of a next server may have. */
static void wire_S23_every_false_end_at_every_edge(void **state)
{
    (void)state;
    static const size_t edges[] = {512,   998,   1000,  2048,  4096,
                                   8192,  16383, 16384, 16385, 32768,
                                   65534, 65535, 65536, 65537, 65538};
    static const struct str sequences[] = {
        STR_INIT("\n.\n"),       STR_INIT("\n.\r\n"),
        STR_INIT("\r.\r"),       STR_INIT("\r.\r\n"),
        STR_INIT("\r\n.\n"),     STR_INIT("\r\n.\rx"),
        STR_INIT("\r.\n"),       STR_INIT("\n.\r"),
        STR_INIT("\r\n\0.\r\n"), STR_INIT("\r\0\n.\r\n"),
        STR_INIT("\r\n.\0\r\n"), STR_INIT("\r\n.\r\0\n"),
        STR_INIT("\r\n.\r\r\n"), STR_INIT("\r\r\n.\r\r\n"),
        STR_INIT("\n\r.\r\n"),   STR_INIT("\n\n.\r\n"),
        STR_INIT("\r\r.\r\n"),   STR_INIT("\r\n\r.\r\n"),
        STR_INIT("\r\n\n.\r\n"), STR_INIT("\r\n..\n"),
        STR_INIT("\n..\r\n"),
    };
    static const struct str tail = STR_INIT("MAIL FROM:<evil@x>\r\n.\r\nQUIT");
    char *text = malloc(65538 + 64);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t j = 0; j < sizeof sequences / sizeof *sequences; j++)
            for (size_t before = 0; before <= sequences[j].n; before++) {
                struct content_reader reader;
                size_t pad = edges[i] - before;
                size_t n = pad + sequences[j].n + tail.n;
                memset(text, 'x', pad);
                memcpy(text + pad, sequences[j].p, sequences[j].n);
                memcpy(text + n - tail.n, tail.p, tail.n);
                struct str first = str_span(text, edges[i]);
                struct str second = str_span(text + edges[i], n - edges[i]);
                struct str bytes;
                content_reader_init(&reader, LINE_MAX, false);
                while (content_reader_next(&reader, &first, &bytes) ==
                       CONTENT_BYTES)
                    continue;
                while (content_reader_next(&reader, &second, &bytes) ==
                       CONTENT_BYTES)
                    continue;
                assert_int_not_equal(reader.fault, CONTENT_FAULT_NONE);
                assert_true(str_equals(second, STR("QUIT")));
            }
    free(text);
}

static void wire_S24_a_cut_is_no_start_of_a_line(void **state)
{
    (void)state;
    static const size_t lengths[] = {2047, 2048, 2049,  2050,  4095,  4096,
                                     4097, 4098, 65534, 65535, 65536, 65537};
    char *text = malloc(65537 + 5);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i];
        memset(text, 'x', n);
        text[n - 1] = '.';
        memcpy(text + n, "\r\n.\r\n", 5);
        for (size_t piece = 1; piece <= n + 5; piece *= 2) {
            struct content_reader reader;
            size_t content = 0;
            content_reader_init(&reader, LINE_MAX, false);
            for (size_t at = 0; at < n + 5; at += piece) {
                struct str input =
                    str_head(str_span(text + at, n + 5 - at), piece);
                struct str bytes;
                while (content_reader_next(&reader, &input, &bytes) ==
                       CONTENT_BYTES)
                    content += bytes.n;
            }
            assert_int_equal(content, n + 2);
            assert_int_equal(reader.scan.longest, n);
        }
    }
    free(text);
}

static void wire_S24_a_line_over_the_limit_is_a_fault(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        enum content_fault want;
    } cases[] = {
        {STR_INIT("0123456789\r\n.\r\n"), CONTENT_FAULT_NONE},
        {STR_INIT(".0123456789\r\n.\r\n"), CONTENT_FAULT_NONE},
        {STR_INIT("0123456789x\r\n.\r\n"), CONTENT_FAULT_LINE},
        {STR_INIT("a\r\n0123456789.\r\n.\r\n"), CONTENT_FAULT_LINE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= cases[i].text.n; piece++) {
            struct content_reader reader;
            enum content_next next = CONTENT_MORE;
            struct str text = cases[i].text;
            content_reader_init(&reader, 10, false);
            while (text.n > 0) {
                struct str input = str_head(text, piece);
                struct str bytes;
                text = str_skip(text, input.n);
                do {
                    next = content_reader_next(&reader, &input, &bytes);
                } while (next == CONTENT_BYTES);
            }
            assert_int_equal(next, CONTENT_END);
            assert_int_equal(reader.fault, cases[i].want);
        }
    }
}

static void nothing_is_handed_out_behind_a_fault(void **state)
{
    (void)state;
    struct str text = STR("a\r\nb\nc\r\nd\r\n.\r\n");
    struct seen seen;
    for (size_t piece = 1; piece <= text.n; piece++) {
        read_all(&seen, text, piece, piece);
        assert_int_equal(seen.last, CONTENT_END);
        assert_true(str_starts_with(STR("a\r\nb"),
                                    str_span(seen.content, seen.length)));
    }
}

static void the_counts_are_those_of_the_content(void **state)
{
    (void)state;
    struct str text = STR("ab\r\n..cdef\r\n\r\n.\xe9\r\n.\r\n");
    struct seen seen;
    for (size_t piece = 1; piece <= text.n; piece++) {
        read_all(&seen, text, piece, piece);
        assert_int_equal(seen.reader.bytes, 4 + 7 + 2 + 3);
        assert_int_equal(seen.reader.scan.lines, 4);
        assert_int_equal(seen.reader.scan.longest, 5);
    }
    read_all(&seen, STR("plain text, longer than a word\r\n.\r\n\xff"),
             SIZE_MAX, SIZE_MAX);
}

static void content_is_lent_from_the_input(void **state)
{
    (void)state;
    struct str input = STR("a\r\nb\r\n.\r\n");
    struct str whole = input;
    struct content_reader reader;
    struct str bytes;
    content_reader_init(&reader, LINE_MAX, false);
    assert_int_equal(content_reader_next(&reader, &input, &bytes),
                     CONTENT_BYTES);
    assert_ptr_equal(bytes.p, whole.p);
    assert_int_equal(bytes.n, 6);
    assert_int_equal(content_reader_next(&reader, &input, &bytes), CONTENT_END);
    assert_int_equal(content_reader_next(&reader, &input, &bytes), CONTENT_END);
}

static void faults_have_words(void **state)
{
    (void)state;
    assert_string_equal(content_fault_text(CONTENT_FAULT_BARE_CR), "a bare CR");
    assert_string_equal(content_fault_text(CONTENT_FAULT_BARE_LF), "a bare LF");
    assert_string_equal(content_fault_text(CONTENT_FAULT_NUL), "a NUL");
    assert_non_null(content_fault_text(CONTENT_FAULT_LINE));
    assert_non_null(content_fault_text(CONTENT_FAULT_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_S01_lf_dot_lf_is_no_end),
        cmocka_unit_test(wire_S02_lf_dot_crlf_is_no_end),
        cmocka_unit_test(wire_S03_S04_cr_dot_is_no_end),
        cmocka_unit_test(wire_S05_crlf_dot_lf_is_no_end),
        cmocka_unit_test(wire_S06_crlf_dot_cr_is_no_end),
        cmocka_unit_test(wire_S07_mixed_ends_are_no_end),
        cmocka_unit_test(wire_S08_a_nul_before_a_true_end_honours_it),
        cmocka_unit_test(wire_S09_to_S12_a_nul_within_is_no_end),
        cmocka_unit_test(wire_S13_a_nul_behind_the_end_is_not_data),
        cmocka_unit_test(wire_S14_S15_doubled_crs_are_no_end),
        cmocka_unit_test(wire_S16_the_rest_of_the_family),
        cmocka_unit_test(wire_S17_stuffed_dots_before_a_bare_lf),
        cmocka_unit_test(wire_S18_S25_only_the_first_end_counts),
        cmocka_unit_test(wire_S19_S20_S21_look_alikes_are_text),
        cmocka_unit_test(wire_D01_stuffed_dots_are_taken_off),
        cmocka_unit_test(wire_S22_S23_sequences_across_every_offset),
        cmocka_unit_test(wire_S23_every_false_end_at_every_edge),
        cmocka_unit_test(wire_S24_a_cut_is_no_start_of_a_line),
        cmocka_unit_test(wire_S24_a_line_over_the_limit_is_a_fault),
        cmocka_unit_test(nothing_is_handed_out_behind_a_fault),
        cmocka_unit_test(the_counts_are_those_of_the_content),
        cmocka_unit_test(content_is_lent_from_the_input),
        cmocka_unit_test(faults_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
