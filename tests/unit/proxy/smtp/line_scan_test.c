#include "proxy/smtp/line_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The plain way to do the same, an octet at a time. */
static size_t slow_scan(struct line_scan *scan, struct str text,
                        bool heeds_dots)
{
    size_t at = 0;
    while (at < text.n) {
        char c = text.p[at];
        if (c == '\r' && at + 1 < text.n && text.p[at + 1] == '\n') {
            scan->lines++;
            scan->line_octets = 0;
            at += 2;
            if (heeds_dots && at < text.n && text.p[at] == '.')
                return at;
            continue;
        }
        if (c == '\r' || c == '\n' || c == '\0')
            return at;
        at++;
        if (++scan->line_octets > scan->longest)
            scan->longest = scan->line_octets;
    }
    return at;
}

static void assert_same(struct str text, struct line_scan before)
{
    for (int heeds_dots = 0; heeds_dots < 2; heeds_dots++) {
        struct line_scan scan = before, want = before;
        size_t n = slow_scan(&want, text, heeds_dots != 0);
        assert_int_equal(line_scan(&scan, text, heeds_dots != 0), n);
        assert_int_equal(scan.lines, want.lines);
        assert_int_equal(scan.line_octets, want.line_octets);
        assert_int_equal(scan.longest, want.longest);
    }
}

/* Across the ends of blocks too. */
static void pieces_at_every_place_are_seen(void **state)
{
    (void)state;
    static const struct str pieces[] = {
        STR_INIT("\r\n"),         STR_INIT("\r\n."),    STR_INIT("\r\n.\r\n"),
        STR_INIT("\r"),           STR_INIT("\n"),       STR_INIT("\0"),
        STR_INIT("\r\r\n"),       STR_INIT("\n\r"),     STR_INIT("\r\n\n"),
        STR_INIT("\r\n\r\n\r\n"), STR_INIT("\r\n\xff"), STR_INIT("\xc3\xa9"),
        STR_INIT("\x8d\x8a"),
    };
    char text[200];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t at = 0; at + pieces[i].n <= 140; at++) {
            memset(text, 'x', sizeof text);
            memcpy(text + at, pieces[i].p, pieces[i].n);
            for (size_t n = 60; n <= sizeof text; n += 7)
                assert_same(str_span(text, n), (struct line_scan){0});
        }
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void any_text_is_read_as_an_octet_at_a_time(void **state)
{
    (void)state;
    static const struct str pieces[] = {
        STR_INIT("\r\n"),
        STR_INIT("\r\n"),
        STR_INIT("."),
        STR_INIT("a"),
        STR_INIT("a line of some length, as they are in mail"),
        STR_INIT("\r\n"),
        STR_INIT("\r"),
        STR_INIT("\n"),
        STR_INIT("\0"),
    };
    uint32_t seed = 7;
    for (int run = 0; run < 20000; run++) {
        char text[400];
        size_t n = 0;
        /* Most of them without the last three, which end a scan. */
        size_t kinds = run % 4 == 0 ? 9 : 6;
        for (;;) {
            struct str piece = pieces[next_random(&seed) % kinds];
            if (piece.n > sizeof text - n)
                break;
            memcpy(text + n, piece.p, piece.n);
            n += piece.n;
        }
        const uint64_t begun = next_random(&seed) % 90;
        const struct line_scan before = {
            .line_octets = begun,
            .longest = begun + next_random(&seed) % 9,
            .lines = 3,
        };
        assert_same(str_span(text, next_random(&seed) % (n + 1)), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_at_every_place_are_seen),
        cmocka_unit_test(any_text_is_read_as_an_octet_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
