#include "proxy/smtp/header_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES_MAX 256
#define FIELDS_MAX 5

struct header_case {
    struct str content;
    enum header_next want;
    const char *want_names; /* each with a '|' behind it */
    const char *want_block; /* NULL: as it came, without the empty line */
    struct str want_body;
};

/* Feeds in pieces up to the end of data; *rest is what was not taken. */
static enum header_next read_all(struct header_reader *reader,
                                 struct str content, size_t piece,
                                 struct str *rest)
{
    enum header_next next = HEADER_MORE;
    *rest = content;
    while (rest->n > 0 && next == HEADER_MORE) {
        struct str input = str_head(*rest, piece);
        size_t given = input.n;
        next = header_reader_feed(reader, &input);
        *rest = str_skip(*rest, given - input.n);
        assert_true(next != HEADER_MORE || input.n == 0);
    }
    return next == HEADER_MORE ? header_reader_end(reader) : next;
}

static void assert_fields(const struct header_reader *reader,
                          const struct header_case *c)
{
    char names[512] = "";
    char block[2048] = "";
    size_t name_octets = 0;
    size_t block_octets = 0;
    struct arena arena;
    struct header_fields fields;
    arena_init(&arena, 1 << 16);
    header_fields_init(&fields, &arena);
    assert_int_equal(header_reader_fields(reader, &fields), 0);
    for (size_t i = 0; i < fields.count; i++) {
        struct header_field f = fields.items[i];
        memcpy(names + name_octets, f.name.p, f.name.n);
        name_octets += f.name.n;
        names[name_octets++] = '|';
        memcpy(block + block_octets, f.raw.p, f.raw.n);
        block_octets += f.raw.n;
        assert_ptr_equal(f.name.p, f.raw.p);
        assert_int_equal(f.body.p[-1], ':');
        assert_ptr_equal(f.body.p + f.body.n + 2, f.raw.p + f.raw.n);
    }
    names[name_octets] = '\0';
    block[block_octets] = '\0';
    assert_string_equal(names, c->want_names);
    if (c->want_block != NULL)
        assert_string_equal(block, c->want_block);
    else
        assert_memory_equal(block, c->content.p, block_octets);
    arena_release(&arena);
}

static void assert_case(const struct header_case *c, size_t piece)
{
    struct header_reader reader;
    struct str rest;
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    assert_int_equal(read_all(&reader, c->content, piece, &rest), c->want);
    if (c->want == HEADER_DONE) {
        struct str overlap = header_reader_overlap(&reader);
        assert_int_equal(overlap.n + rest.n, c->want_body.n);
        assert_true(str_starts_with(c->want_body, overlap));
        assert_true(str_equals(str_skip(c->want_body, overlap.n), rest));
        assert_fields(&reader, c);
    }
    header_reader_release(&reader);
}

static void assert_cases(const struct header_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t piece = 1; piece <= cases[i].content.n; piece++)
            assert_case(&cases[i], piece);
}

static void blocks_are_cut_into_fields(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR_INIT("A: 1\r\nB:2\r\n\r\nbody\r\n"), HEADER_DONE, "A|B|",
         "A: 1\r\nB:2\r\n", STR_INIT("body\r\n")},
        {STR_INIT("A: 1\r\n\tfold\r\n  more\r\nB: 2\r\n\r\n"), HEADER_DONE,
         "A|B|", "A: 1\r\n\tfold\r\n  more\r\nB: 2\r\n", STR_INIT("")},
        {STR_INIT("A:\r\n\r\n\r\nx"), HEADER_DONE, "A|", "A:\r\n",
         STR_INIT("\r\nx")},
        {STR_INIT("\r\nbody\r\n"), HEADER_DONE, "", "", STR_INIT("body\r\n")},
        {STR_INIT("A: 1\r\n"), HEADER_DONE, "A|", "A: 1\r\n", STR_INIT("")},
        {STR_INIT("A: 1"), HEADER_DONE, "A|", "A: 1\r\n", STR_INIT("")},
        {STR_INIT("A: 1\r\n fold"), HEADER_DONE, "A|", "A: 1\r\n fold\r\n",
         STR_INIT("")},
        {STR_INIT("A: \xc3\xa9:\r\n\r\n"), HEADER_DONE, "A|",
         "A: \xc3\xa9:\r\n", STR_INIT("")},
        {STR_INIT("!#~: x\r\n\r\n"), HEADER_DONE, "!#~|", NULL, STR_INIT("")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void a_message_without_octets_has_an_empty_block(void **state)
{
    (void)state;
    struct header_reader reader;
    struct header_fields fields;
    struct arena arena;
    arena_init(&arena, 4096);
    header_fields_init(&fields, &arena);
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    assert_int_equal(header_reader_end(&reader), HEADER_DONE);
    assert_int_equal(header_reader_fields(&reader, &fields), 0);
    assert_int_equal(fields.count, 0);
    assert_int_equal(header_reader_overlap(&reader).n, 0);
    header_reader_release(&reader);
    arena_release(&arena);
}

static void a_line_that_is_no_field_begins_the_body(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR_INIT("hello\r\nA: 1\r\n\r\n"), HEADER_DONE, "", "",
         STR_INIT("hello\r\nA: 1\r\n\r\n")},
        {STR_INIT("A: 1\r\nhello world\r\nB: 2\r\n"), HEADER_DONE, "A|",
         "A: 1\r\n", STR_INIT("hello world\r\nB: 2\r\n")},
        {STR_INIT("hello"), HEADER_DONE, "", "", STR_INIT("hello")},
        {STR_INIT(":x\r\n\r\n"), HEADER_DONE, "", "", STR_INIT(":x\r\n\r\n")},
        {STR_INIT("A b: 1\r\n"), HEADER_DONE, "", "", STR_INIT("A b: 1\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_H04_H05_H06_H13_odd_names(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR_INIT(" From: <me@x>\r\nFrom: <ceo@x>\r\n"), HEADER_DONE, "", "",
         STR_INIT(" From: <me@x>\r\nFrom: <ceo@x>\r\n")},
        {STR_INIT("From : <a@x>\r\nTo\t :b\r\n\r\n"), HEADER_DONE, "From|To|",
         "From : <a@x>\r\nTo\t :b\r\n", STR_INIT("")},
        {STR_INIT("A: 1\r\nFrom\r\n : <ceo@x>\r\n"), HEADER_DONE, "A|",
         "A: 1\r\n", STR_INIT("From\r\n : <ceo@x>\r\n")},
        {STR_INIT("A: 1\r\nFrom \r\n : x\r\n"), HEADER_DONE, "A|", "A: 1\r\n",
         STR_INIT("From \r\n : x\r\n")},
        {STR_INIT("From\xa0: x\r\n"), HEADER_DONE, "", "",
         STR_INIT("From\xa0: x\r\n")},
        {STR_INIT("Fro\0m: x\r\n"), HEADER_DONE, "", "",
         STR_INIT("Fro\0m: x\r\n")},
        {STR_INIT(">From x: y\r\n"), HEADER_DONE, "", "",
         STR_INIT(">From x: y\r\n")},
        {STR_INIT("From me@x Mon Jan  5 09:30:00 2026\r\nA: 1\r\n"),
         HEADER_DONE, "", "",
         STR_INIT("From me@x Mon Jan  5 09:30:00 2026\r\nA: 1\r\n")},
        {STR_INIT("From: a\r\nfrom: b\r\n\r\nFrom: c\r\n"), HEADER_DONE,
         "From|from|", NULL, STR_INIT("From: c\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_S26_separators_that_readers_read_differently(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR_INIT("A: 1\r\n \r\nFrom: x\r\n\r\nbody"), HEADER_DONE, "A|From|",
         "A: 1\r\nFrom: x\r\n", STR_INIT("body")},
        {STR_INIT("A: 1\r\n\t \r\n fold\r\n \t\r\n\r\nbody"), HEADER_DONE, "A|",
         "A: 1\r\n fold\r\n", STR_INIT("body")},
        {STR_INIT(" \r\nFrom: x\r\n"), HEADER_DONE, "", "",
         STR_INIT(" \r\nFrom: x\r\n")},
        {STR_INIT("A: 1\r\n\n\nB: 2\r\n\r\n"), HEADER_DONE, "A|", "A: 1\r\n",
         STR_INIT("\n\nB: 2\r\n\r\n")},
        {STR_INIT("A: 1\r\n\r\r\nB: 2\r\n"), HEADER_DONE, "A|", "A: 1\r\n",
         STR_INIT("\r\r\nB: 2\r\n")},
        {STR_INIT("A: 1\r\n\0\r\nB: 2\r\n"), HEADER_DONE, "A|", "A: 1\r\n",
         STR_INIT("\0\r\nB: 2\r\n")},
        {STR_INIT("A: 1\nB: 2\r\n\r\n"), HEADER_DONE, "A|", "A: 1\nB: 2\r\n",
         STR_INIT("")},
        {STR_INIT("A: 1\r\n\r"), HEADER_DONE, "A|", "A: 1\r\n", STR_INIT("\r")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

#define X50 "01234567890123456789012345678901234567890123456789"

static void wire_O05_blocks_are_bounded(void **state)
{
    (void)state;
    static const struct header_case cases[] = {
        {STR_INIT("A:1\r\nA:2\r\nA:3\r\nA:4\r\nA:5\r\n\r\n"), HEADER_DONE,
         "A|A|A|A|A|", NULL, STR_INIT("")},
        {STR_INIT("A:1\r\nA:2\r\nA:3\r\nA:4\r\nA:5\r\nA:6\r\n"),
         HEADER_TOO_MANY, NULL, NULL, STR_INIT("")},
        /* 256 octets and one more. */
        {STR_INIT("A:" X50 X50 X50 X50 X50 "67\r\n\r\nbody"), HEADER_DONE, "A|",
         NULL, STR_INIT("body")},
        {STR_INIT("A:" X50 X50 X50 X50 X50 "678\r\n\r\nbody"), HEADER_TOO_LARGE,
         NULL, NULL, STR_INIT("")},
        {STR_INIT("A:" X50 X50 X50 X50 X50 X50), HEADER_TOO_LARGE, NULL, NULL,
         STR_INIT("")},
        {STR_INIT("A:" X50 X50 X50 X50 X50 "678"), HEADER_TOO_LARGE, NULL, NULL,
         STR_INIT("")},
        {STR_INIT(X50 X50 X50 X50 X50 X50), HEADER_TOO_LARGE, NULL, NULL,
         STR_INIT("")},
        /* The body may begin with a line longer than the cap. */
        {STR_INIT("hello world" X50 X50 X50 X50 X50 X50 "\r\n"), HEADER_DONE,
         "", "", STR_INIT("hello world" X50 X50 X50 X50 X50 X50 "\r\n")},
        {STR_INIT("A:" X50 X50 X50 X50 X50 "\r\nx y" X50 "\r\n"), HEADER_DONE,
         "A|", NULL, STR_INIT("x y" X50 "\r\n")},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void a_name_as_long_as_a_line_is_none(void **state)
{
    (void)state;
    char line[1100];
    memset(line, 'n', sizeof line);
    for (size_t colon = 996; colon < 1000; colon++) {
        struct header_reader reader;
        header_reader_init(&reader, 4096, FIELDS_MAX);
        line[colon] = ':';
        struct str content = str_span(line, sizeof line);
        enum header_next next = header_reader_feed(&reader, &content);
        assert_int_equal(next, colon < 998 ? HEADER_MORE : HEADER_DONE);
        line[colon] = 'n';
        header_reader_release(&reader);
    }
}

static void once_done_nothing_more_is_taken(void **state)
{
    (void)state;
    struct header_reader reader;
    struct str content = STR("A: 1\r\n\r\nbody");
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    assert_int_equal(header_reader_feed(&reader, &content), HEADER_DONE);
    assert_true(str_equals(content, STR("body")));
    assert_int_equal(header_reader_feed(&reader, &content), HEADER_DONE);
    assert_true(str_equals(content, STR("body")));
    assert_int_equal(header_reader_end(&reader), HEADER_DONE);
    header_reader_release(&reader);
    header_reader_release(&reader);
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    struct header_reader reader;
    struct header_fields fields;
    struct arena arena;
    struct str content = STR("A: 1\r\n\r\n");
    header_reader_init(&reader, BYTES_MAX, FIELDS_MAX);
    assert_int_equal(header_reader_feed(&reader, &content), HEADER_DONE);
    for (size_t cap = 0; cap < 64; cap += 16) {
        arena_init(&arena, cap);
        header_fields_init(&fields, &arena);
        assert_int_equal(header_reader_fields(&reader, &fields), -1);
        arena_release(&arena);
    }
    header_reader_release(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_cut_into_fields),
        cmocka_unit_test(a_message_without_octets_has_an_empty_block),
        cmocka_unit_test(a_line_that_is_no_field_begins_the_body),
        cmocka_unit_test(wire_H04_H05_H06_H13_odd_names),
        cmocka_unit_test(wire_S26_separators_that_readers_read_differently),
        cmocka_unit_test(wire_O05_blocks_are_bounded),
        cmocka_unit_test(a_name_as_long_as_a_line_is_none),
        cmocka_unit_test(once_done_nothing_more_is_taken),
        cmocka_unit_test(a_full_arena_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
