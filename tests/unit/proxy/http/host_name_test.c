#include "proxy/http/host_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *field;
    bool want;
} cases[] = {
    {"127.0.0.1", true},
    {"127.0.0.1:8025", true},
    {"192.0.2.7:1", true},
    {"[::1]", true},
    {"[::1]:8025", true},
    {"[2001:db8::7]:65535", true},
    {"localhost", true},
    {"LocalHost:8025", true},
    {"mail.example.com", true},
    {"MAIL.example.com:80", true},
    {"dash.example.net", true},
    {"dash.example.net:443", true},
    /* Names of others, and what only looks like an address. */
    {"", false},
    {"evil.example", false},
    {"evil.example:8025", false},
    {"localhost.evil.example", false},
    {"127.0.0.1.evil.example", false},
    {"mail.example.com.evil.example", false},
    {"evil.mail.example.com", false},
    {"mail.example.com.", false},
    {"127.0.0.1:", false},
    {"127.0.0.1:x", false},
    {"127.0.0.1:123456", false},
    {"127.0.0.1:80:80", false},
    {"127.1", false},
    {"0x7f000001", false},
    {"2130706433", false},
    {"::1", false},
    {"[::1", false},
    {"[::1]x", false},
    {"[::1]:", false},
    {"[127.0.0.1]", false},
    {"[evil.example]", false},
    {"[]", false},
    {"localhost/", false},
    {"localhost evil.example", false},
    {"localhost@evil.example", false},
    {"evil.example, localhost", false},
};

static void a_host_is_ours_or_not(void **state)
{
    (void)state;
    const struct str names[] = {STR("dash.example.net")};
    struct settings settings = {.hostname = STR("mail.example.com"),
                                .http = {.names = names, .name_count = 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (host_name_is_ours(&settings, str_from(cases[i].field)) !=
            cases[i].want)
            fail_msg("%s", cases[i].field);
}

static void no_host_is_no_browser(void **state)
{
    (void)state;
    struct settings settings = {.hostname = STR("mail.example.com")};
    assert_true(host_name_is_ours(&settings, (struct str){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_is_ours_or_not),
        cmocka_unit_test(no_host_is_no_browser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
