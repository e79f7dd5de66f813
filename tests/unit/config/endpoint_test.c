#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "config/endpoint.h"

static void host_and_port_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want_host; /* NULL: refused */
        uint16_t want_port;
        bool want_numeric;
    } cases[] = {
        {"127.0.0.1:25", "127.0.0.1", 25, true},
        {"[::]:587", "::", 587, true},
        {"[2001:db8::1]:65535", "2001:db8::1", 65535, true},
        {"mta.example.com:1", "mta.example.com", 1, false},
        {"localhost:10025", "localhost", 10025, false},
        {"", NULL, 0, false},
        {":25", NULL, 0, false},
        {"25", NULL, 0, false},
        {"127.0.0.1", NULL, 0, false},
        {"127.0.0.1:", NULL, 0, false},
        {"127.0.0.1:0", NULL, 0, false},
        {"127.0.0.1:65536", NULL, 0, false},
        {"127.0.0.1:+25", NULL, 0, false},
        {"127.0.0.1:25 ", NULL, 0, false},
        {"::1:25", NULL, 0, false},
        {"[127.0.0.1]:25", NULL, 0, false},
        {"[::1:25", NULL, 0, false},
        {"[]:25", NULL, 0, false},
        {"[mta]:25", NULL, 0, false},
        {"two words:25", NULL, 0, false},
        {"-x.example:25", NULL, 0, false},
        {"b\xc3\xbc.example:25", NULL, 0, false},
        {"xn--b-eha.example:25", "xn--b-eha.example", 25, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct endpoint got = {0};
        int result = endpoint_parse(str_from(cases[i].text), &got);
        if ((result == 0) != (cases[i].want_host != NULL))
            fail_msg("%s", cases[i].text);
        if (cases[i].want_host == NULL)
            continue;
        assert_true(str_equals(got.host, str_from(cases[i].want_host)));
        assert_true(str_equals(got.text, str_from(cases[i].text)));
        assert_int_equal(got.port, cases[i].want_port);
        assert_int_equal(endpoint_is_numeric(&got), cases[i].want_numeric);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_and_port_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
