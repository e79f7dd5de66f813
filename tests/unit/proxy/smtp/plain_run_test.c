#include "proxy/smtp/plain_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The plain way to do the same. */
static size_t slow_run(struct str text)
{
    size_t i = 0;
    while (i < text.n && text.p[i] != '\r' && text.p[i] != '\n' &&
           text.p[i] != '\0')
        i++;
    return i;
}

static void assert_same(struct str text)
{
    assert_int_equal(plain_run(text), slow_run(text));
}

static void every_octet_at_every_place_is_seen(void **state)
{
    (void)state;
    char text[40];
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t at = 0; at < sizeof text; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)octet;
            for (size_t n = at; n <= sizeof text; n++)
                assert_same(str_span(text, n));
        }
    }
}

static void pairs_of_octets_do_not_hide_each_other(void **state)
{
    (void)state;
    static const char octets[] = "\0\x01\t\n\x0b\r\x0e\x7f\x80\x8a\x8d\xff x";
    char text[24];
    for (size_t a = 0; a < sizeof octets - 1; a++) {
        for (size_t b = 0; b < sizeof octets - 1; b++) {
            for (size_t at = 0; at + 1 < sizeof text; at++) {
                memset(text, 'x', sizeof text);
                text[at] = octets[a];
                text[at + 1] = octets[b];
                assert_same(str_span(text, sizeof text));
            }
        }
    }
}

static void nothing_has_no_run(void **state)
{
    (void)state;
    assert_int_equal(plain_run(str_span(NULL, 0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_at_every_place_is_seen),
        cmocka_unit_test(pairs_of_octets_do_not_hide_each_other),
        cmocka_unit_test(nothing_has_no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
