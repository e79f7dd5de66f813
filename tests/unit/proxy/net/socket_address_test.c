#include "proxy/net/socket_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static const struct address_case {
    struct str host;
    const char *want_text; /* NULL: not an address */
} CASES[] = {
    {STR_INIT("192.0.2.7"), "192.0.2.7"},
    {STR_INIT("2001:db8::1"), "2001:db8::1"},
    {STR_INIT("2001:0db8:0:0::0001"), "2001:db8::1"},
    {STR_INIT("::ffff:192.0.2.7"), "192.0.2.7"},
    {STR_INIT("::"), "::"},
    {STR_INIT(""), NULL},
    {STR_INIT("mx.example.org"), NULL},
    {STR_INIT("192.0.2"), NULL},
    {STR_INIT("192.0.2.256"), NULL},
    {STR_INIT("1:2:3:4:5:6:7:8:9"), NULL},
    {STR_INIT("0000000000000000000000000000000000000000000000000000000000"
              "00000000000000000000000000000000000000000000000000000001"),
     NULL},
};

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct sockaddr_storage address;
        char text[SOCKET_ADDRESS_TEXT];
        int result = socket_address_parse(&address, CASES[i].host, 587);
        assert_int_equal(result, CASES[i].want_text == NULL ? -1 : 0);
        if (result != 0)
            continue;
        socket_address_text(&address, text);
        assert_string_equal(text, CASES[i].want_text);
        assert_int_equal(socket_address_port(&address), 587);
        socket_address_set_port(&address, 465);
        assert_int_equal(socket_address_port(&address), 465);
    }
}

static void the_path_of_a_unix_socket_must_fit(void **state)
{
    struct sockaddr_storage address;
    char text[SOCKET_ADDRESS_TEXT], path[sizeof(struct sockaddr_un)];
    (void)state;
    assert_int_equal(socket_address_unix(&address, "/run/policy.sock"), 0);
    assert_int_equal(address.ss_family, AF_UNIX);
    assert_int_equal(socket_address_size(&address), sizeof(struct sockaddr_un));
    socket_address_text(&address, text);
    assert_string_equal(text, "");
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(socket_address_unix(&address, path), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(the_path_of_a_unix_socket_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
