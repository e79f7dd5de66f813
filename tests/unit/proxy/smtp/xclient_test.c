#include "proxy/smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ALL 0x1ff

static const struct client_identity laptop = {
    .address = STR_INIT("198.51.100.7"),
    .port = 49152,
    .helo = STR_INIT("laptop"),
    .is_extended = true,
    .login = STR_INIT("bob"),
};

static struct client_identity with_login(const char *login)
{
    struct client_identity client = laptop;
    client.login = str_from(login);
    return client;
}

static void assert_written(const struct client_identity *client,
                           unsigned offered, const char *want)
{
    char to[XCLIENT_COMMANDS_MAX];
    size_t length;
    assert_int_equal(xclient_write(client, offered, to, &length), 0);
    assert_int_equal(length, strlen(want));
    assert_memory_equal(to, want, length);
}

static void attributes_are_read_and_unknown_ones_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        unsigned want;
    } cases[] = {
        {"", 0},
        {"NAME ADDR", XCLIENT_NAME | XCLIENT_ADDR},
        {"name aDDR", XCLIENT_NAME | XCLIENT_ADDR},
        {" ADDR  PORT ", XCLIENT_ADDR | XCLIENT_PORT},
        {"TTL SESSION LOGIN FORWARD", XCLIENT_LOGIN},
        {"ADDRESS ADD NAME=x", 0},
        {"NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT", ALL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(xclient_offered(str_from(cases[i].names)),
                         cases[i].want);
}

static void all_that_was_offered_is_told_and_nothing_else(void **state)
{
    (void)state;
    assert_written(&laptop, ALL,
                   "XCLIENT DESTADDR=[UNAVAILABLE] DESTPORT=[UNAVAILABLE] "
                   "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] PORT=49152 "
                   "PROTO=ESMTP HELO=laptop ADDR=198.51.100.7 LOGIN=bob\r\n");
    assert_written(&laptop, XCLIENT_NAME | XCLIENT_ADDR,
                   "XCLIENT NAME=[UNAVAILABLE] ADDR=198.51.100.7\r\n");
    assert_written(&laptop, XCLIENT_ADDR, "XCLIENT ADDR=198.51.100.7\r\n");
    assert_written(&laptop, XCLIENT_LOGIN, "XCLIENT LOGIN=bob\r\n");
}

static void what_is_unknown_is_said_to_be_unavailable(void **state)
{
    (void)state;
    static const struct client_identity nobody = {.helo = STR_INIT("")};
    assert_written(&nobody,
                   XCLIENT_PORT | XCLIENT_PROTO | XCLIENT_HELO | XCLIENT_ADDR |
                       XCLIENT_LOGIN,
                   "XCLIENT PORT=[UNAVAILABLE] PROTO=SMTP HELO=[UNAVAILABLE] "
                   "ADDR=[UNAVAILABLE] LOGIN=[UNAVAILABLE]\r\n");
}

static void an_ipv6_address_has_its_tag(void **state)
{
    (void)state;
    struct client_identity client = laptop;
    client.address = STR("2001:db8::7");
    client.is_v6 = true;
    assert_written(&client, XCLIENT_ADDR, "XCLIENT ADDR=IPV6:2001:db8::7\r\n");
}

static void logins_are_xtext(void **state)
{
    (void)state;
    static const struct {
        const char *login;
        const char *want;
    } cases[] = {
        {"bob", "XCLIENT LOGIN=bob\r\n"},
        {"bob+tag@example.com", "XCLIENT LOGIN=bob+2Btag@example.com\r\n"},
        {"a=b", "XCLIENT LOGIN=a+3Db\r\n"},
        {"a b", "XCLIENT LOGIN=a+20b\r\n"},
        {"j\xc3\xbcrgen", "XCLIENT LOGIN=j+C3+BCrgen\r\n"},
        {"a\r\nMAIL FROM:<>", "XCLIENT LOGIN=a+0D+0AMAIL+20FROM:<>\r\n"},
        {"\x7f\x01\xff", "XCLIENT LOGIN=+7F+01+FF\r\n"},
        {"!~", "XCLIENT LOGIN=!~\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_identity client = with_login(cases[i].login);
        assert_written(&client, XCLIENT_LOGIN, cases[i].want);
    }
    struct client_identity nul = laptop;
    nul.login = STR("a\0b");
    assert_written(&nul, XCLIENT_LOGIN, "XCLIENT LOGIN=a+00b\r\n");
}

static void wire_Y03_a_helo_that_is_no_name_is_not_told(void **state)
{
    (void)state;
    static const struct {
        const char *helo;
        const char *want;
    } cases[] = {
        {"laptop.example.com", "XCLIENT HELO=laptop.example.com\r\n"},
        {"[198.51.100.7]", "XCLIENT HELO=[198.51.100.7]\r\n"},
        {"[IPv6:2001:db8::7]", "XCLIENT HELO=[IPv6:2001:db8::7]\r\n"},
        {"my_laptop", "XCLIENT HELO=my_laptop\r\n"},
        {"a b", "XCLIENT HELO=[UNAVAILABLE]\r\n"},
        {"a LOGIN=root", "XCLIENT HELO=[UNAVAILABLE]\r\n"},
        {"a\r\nQUIT", "XCLIENT HELO=[UNAVAILABLE]\r\n"},
        {"[UNAVAILABLE]", "XCLIENT HELO=[UNAVAILABLE]\r\n"},
        {"$(id)", "XCLIENT HELO=[UNAVAILABLE]\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client_identity client = laptop;
        client.helo = str_from(cases[i].helo);
        assert_written(&client, XCLIENT_HELO, cases[i].want);
    }
}

/* Every length of the two values that a client chooses. */
static void a_command_is_never_over_its_length(void **state)
{
    (void)state;
    char helo[254], login[512];
    memset(helo, 'h', sizeof helo);
    memset(login, 'l', sizeof login);
    for (size_t h = 1; h <= sizeof helo; h++)
        for (size_t l = 0; l <= 430; l += 5) {
            char to[XCLIENT_COMMANDS_MAX];
            size_t length, begin = 0;
            struct client_identity client = laptop;
            client.helo = str_span(helo, h);
            client.login = str_span(login, l);
            assert_int_equal(xclient_write(&client, ALL, to, &length), 0);
            for (size_t i = 0; i < length; i++)
                if (to[i] == '\n') {
                    assert_true(i + 1 - begin <= XCLIENT_COMMAND_MAX);
                    assert_memory_equal(to + begin, "XCLIENT ", 8);
                    begin = i + 1;
                }
            assert_int_equal(begin, length);
        }
}

static void address_and_login_go_last_and_together(void **state)
{
    (void)state;
    char helo[201], login[201], want[XCLIENT_COMMANDS_MAX];
    memset(helo, 'h', 200);
    memset(login, 'l', 200);
    helo[200] = login[200] = '\0';
    struct client_identity client = with_login(login);
    client.helo = str_from(helo);
    snprintf(want, sizeof want,
             "XCLIENT DESTADDR=[UNAVAILABLE] DESTPORT=[UNAVAILABLE] "
             "NAME=[UNAVAILABLE] REVERSE_NAME=[UNAVAILABLE] PORT=49152 "
             "PROTO=ESMTP HELO=%s\r\n"
             "XCLIENT ADDR=198.51.100.7 LOGIN=%s\r\n",
             helo, login);
    assert_written(&client, ALL, want);
}

static void what_cannot_be_told_is_an_error(void **state)
{
    (void)state;
    char to[XCLIENT_COMMANDS_MAX], login[256];
    size_t length;
    memset(login, '\xc3', 255);
    login[255] = '\0';
    static const char *const reading_as_none[] = {
        "[UNAVAILABLE]", "[unavailable]", "[tempunavail]"};
    for (size_t i = 0; i < 3; i++) {
        struct client_identity client = with_login(reading_as_none[i]);
        assert_int_equal(xclient_write(&client, ALL, to, &length), -1);
    }
    struct client_identity client = with_login(login);
    assert_int_equal(xclient_write(&client, ALL, to, &length), -1);
    assert_int_equal(xclient_write(&laptop, 0, to, &length), -1);
}

static void the_longest_login_still_fits_at_its_bound(void **state)
{
    (void)state;
    char to[XCLIENT_COMMANDS_MAX], login[512];
    size_t length, most = XCLIENT_COMMAND_MAX - strlen("XCLIENT LOGIN=\r\n");
    struct client_identity client = laptop;
    memset(login, 'l', sizeof login);
    client.login = str_span(login, most);
    assert_int_equal(xclient_write(&client, XCLIENT_LOGIN, to, &length), 0);
    assert_int_equal(length, XCLIENT_COMMAND_MAX);
    client.login = str_span(login, most + 1);
    assert_int_equal(xclient_write(&client, XCLIENT_LOGIN, to, &length), -1);
}

static void a_difference_in_any_part_is_another_client(void **state)
{
    (void)state;
    struct client_identity other[] = {laptop, laptop, laptop,
                                      laptop, laptop, laptop};
    other[0].address = STR("198.51.100.8");
    other[1].is_v6 = true;
    other[2].port++;
    other[3].helo = STR("phone");
    other[4].is_extended = false;
    other[5].login = STR("eve");
    assert_true(client_identity_equals(&laptop, &laptop));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        assert_false(client_identity_equals(&laptop, &other[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_read_and_unknown_ones_passed_over),
        cmocka_unit_test(all_that_was_offered_is_told_and_nothing_else),
        cmocka_unit_test(what_is_unknown_is_said_to_be_unavailable),
        cmocka_unit_test(an_ipv6_address_has_its_tag),
        cmocka_unit_test(logins_are_xtext),
        cmocka_unit_test(wire_Y03_a_helo_that_is_no_name_is_not_told),
        cmocka_unit_test(a_command_is_never_over_its_length),
        cmocka_unit_test(address_and_login_go_last_and_together),
        cmocka_unit_test(what_cannot_be_told_is_an_error),
        cmocka_unit_test(the_longest_login_still_fits_at_its_bound),
        cmocka_unit_test(a_difference_in_any_part_is_another_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
