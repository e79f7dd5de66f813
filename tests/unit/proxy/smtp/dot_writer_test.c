#include "proxy/smtp/dot_writer.h"

#include "proxy/smtp/content_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 65536

/* Writes `content` in pieces into rooms of `room` octets. Returns 0 or -1. */
static int write_all(struct str content, size_t piece, size_t room, char *out,
                     size_t *length)
{
    struct dot_writer writer;
    size_t n;
    dot_writer_init(&writer);
    *length = 0;
    while (content.n > 0) {
        struct str input = str_head(content, piece);
        content = str_skip(content, input.n);
        while (input.n > 0) {
            assert_true(*length + room <= ROOM);
            if (dot_writer_write(&writer, &input, out + *length, room, &n) < 0)
                return -1;
            assert_true(n > 0 && n <= room);
            *length += n;
        }
    }
    if (dot_writer_finish(&writer, out + *length, ROOM - *length, &n) < 0)
        return -1;
    *length += n;
    return 0;
}

static void wire_D01_D02_dots_are_doubled_and_the_end_made(void **state)
{
    (void)state;
    static const struct {
        struct str content;
        struct str want;
    } cases[] = {
        {STR_INIT(""), STR_INIT(".\r\n")},
        {STR_INIT("\r\n"), STR_INIT("\r\n.\r\n")},
        {STR_INIT("a\r\n"), STR_INIT("a\r\n.\r\n")},
        {STR_INIT("a"), STR_INIT("a\r\n.\r\n")},
        {STR_INIT("."), STR_INIT("..\r\n.\r\n")},
        {STR_INIT(".\r\n"), STR_INIT("..\r\n.\r\n")},
        {STR_INIT(".\r\n..\r\n...x\r\n.x\r\nx.\r\n"),
         STR_INIT("..\r\n...\r\n....x\r\n..x\r\nx.\r\n.\r\n")},
        {STR_INIT("a\r\n.\r\nMAIL FROM:<x@y>\r\n"),
         STR_INIT("a\r\n..\r\nMAIL FROM:<x@y>\r\n.\r\n")},
        {STR_INIT("\xe9.\x85\t.\r\n"), STR_INIT("\xe9.\x85\t.\r\n.\r\n")},
    };
    char *out = malloc(ROOM);
    assert_non_null(out);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= cases[i].content.n + 1; piece++) {
            for (size_t room = 2; room < 40; room++) {
                size_t n;
                assert_int_equal(
                    write_all(cases[i].content, piece, room, out, &n), 0);
                assert_true(str_equals(str_span(out, n), cases[i].want));
            }
        }
    }
    free(out);
}

static void wire_D03_what_would_break_the_invariant_is_refused(void **state)
{
    (void)state;
    static const struct str cases[] = {
        STR_INIT("a\r.\r\n"),   STR_INIT("a\n.\r\n"),  STR_INIT("a\r"),
        STR_INIT("a\r\r\n"),    STR_INIT("\n"),        STR_INIT("\r"),
        STR_INIT("a\0b\r\n"),   STR_INIT("a\r\0\n"),   STR_INIT("a\r\n\n"),
        STR_INIT("a\r\n.\r\r"), STR_INIT("a\r\n\r.x"),
    };
    char *out = malloc(ROOM);
    assert_non_null(out);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= cases[i].n; piece++) {
            size_t n;
            assert_int_equal(write_all(cases[i], piece, 8, out, &n), -1);
        }
    }
    free(out);
}

static void a_broken_writer_makes_no_end(void **state)
{
    (void)state;
    struct dot_writer writer;
    struct str bad = STR("a\nb");
    struct str good = STR("c\r\n");
    char out[16];
    size_t n;
    dot_writer_init(&writer);
    assert_int_equal(dot_writer_write(&writer, &bad, out, 16, &n), -1);
    assert_int_equal(dot_writer_write(&writer, &good, out, 16, &n), -1);
    assert_int_equal(n, 0);
    assert_int_equal(dot_writer_finish(&writer, out, 16, &n), -1);
    assert_int_equal(n, 0);
}

static void a_dot_waits_for_room_for_two(void **state)
{
    (void)state;
    struct dot_writer writer;
    struct str input = STR("a\r\n.b");
    char out[8];
    size_t n;
    dot_writer_init(&writer);
    assert_int_equal(dot_writer_write(&writer, &input, out, 4, &n), 0);
    assert_int_equal(n, 3);
    assert_true(str_equals(input, STR(".b")));
    assert_int_equal(dot_writer_write(&writer, &input, out, 3, &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(out, "..b", 3);
}

/* Reads back what was written. */
static size_t decode(struct str wire, char *out)
{
    struct content_reader reader;
    struct str bytes;
    size_t n = 0;
    content_reader_init(&reader, UINT64_MAX, false);
    while (content_reader_next(&reader, &wire, &bytes) == CONTENT_BYTES) {
        memcpy(out + n, bytes.p, bytes.n);
        n += bytes.n;
    }
    assert_int_equal(reader.fault, CONTENT_FAULT_NONE);
    assert_int_equal(wire.n, 0);
    return n;
}

static void wire_D04_dots_at_the_first_octet_of_every_piece(void **state)
{
    (void)state;
    enum { LENGTH = 8192 };
    char *content = malloc(LENGTH + 2);
    char *wire = malloc(ROOM);
    char *back = malloc(ROOM);
    assert_true(content != NULL && wire != NULL && back != NULL);
    for (size_t piece = 1; piece <= 4096; piece += piece < 70 ? 1 : 61) {
        for (size_t i = 0; i < LENGTH; i++) {
            bool ends = i % (3 * piece) == 3 * piece - 2 && i + 1 < LENGTH;
            content[i] = i % piece == 0 ? '.' : 'x';
            if (!ends)
                continue;
            memcpy(content + i, "\r\n", 2);
            i++;
        }
        memcpy(content + LENGTH, "\r\n", 2);
        size_t n;
        assert_int_equal(
            write_all(str_span(content, LENGTH + 2), piece, 4096, wire, &n), 0);
        size_t length = decode(str_span(wire, n), back);
        assert_int_equal(length, LENGTH + 2);
        assert_memory_equal(back, content, length);
    }
    free(content);
    free(wire);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_D01_D02_dots_are_doubled_and_the_end_made),
        cmocka_unit_test(wire_D03_what_would_break_the_invariant_is_refused),
        cmocka_unit_test(a_broken_writer_makes_no_end),
        cmocka_unit_test(a_dot_waits_for_room_for_two),
        cmocka_unit_test(wire_D04_dots_at_the_first_octet_of_every_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
