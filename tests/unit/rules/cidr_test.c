#include "rules/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct str text_of_net(struct arena *arena, const char *address)
{
    struct ip ip;
    assert_int_equal(ip_parse(str_from(address), &ip), 0);
    return ip_net_text(arena, &ip);
}

static void addresses_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want_text;
    } cases[] = {
        {.text = "192.0.2.1", .want_text = "192.0.2.1"},
        {.text = "0.0.0.0", .want_text = "0.0.0.0"},
        {.text = "::1", .want_text = "::1"},
        {.text = "2001:DB8::A", .want_text = "2001:db8::a"},
        {.text = "2001:db8:0:0:0:0:0:1", .want_text = "2001:db8::1"},
        {.text = "::ffff:192.0.2.1", .want_text = "192.0.2.1"},
        {.text = "::ffff:c000:201", .want_text = "192.0.2.1"},
    };
    struct arena arena;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ip ip;
        assert_int_equal(ip_parse(str_from(cases[i].text), &ip), 0);
        assert_string_equal(ip_text(&arena, &ip).p, cases[i].want_text);
    }
    arena_release(&arena);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        " 1.2.3.4",
        "::1%lo",
        "[::1]",
        "1:2",
        "::1::",
        "localhost",
        ":::",
        "1.2.3.4/32",
        "12345::",
        "1.2.3.4\r\n",
        "::g",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
    };
    struct ip ip;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(ip_parse(str_from(cases[i]), &ip), -1);
    assert_int_equal(ip_parse(STR("1.2.3.4\0"), &ip), -1);
}

static void networks_contain_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *address;
        bool want_inside;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.200", true},
        {"10.0.0.0/7", "11.255.255.255", true},
        {"10.0.0.0/7", "12.0.0.0", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"2001:db8::1", "2001:db8::1", true},
        {"192.0.2.0/24", "::ffff:192.0.2.7", true},
        {"::ffff:192.0.2.0/120", "192.0.2.7", true},
        {"::ffff:192.0.2.0/120", "192.0.3.7", false},
        {"::ffff:0:0/96", "203.0.113.9", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cidr cidr;
        struct ip ip;
        assert_int_equal(cidr_parse(str_from(cases[i].network), &cidr), 0);
        assert_int_equal(ip_parse(str_from(cases[i].address), &ip), 0);
        assert_int_equal(cidr_contains(&cidr, &ip), cases[i].want_inside);
    }
}

static void wrong_networks_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        {"192.0.2.1/24", -2},
        {"2001:db8::1/64", -2},
        {"::ffff:0:0/90", -2},
        {"192.0.2.0/33", -1},
        {"2001:db8::/129", -1},
        {"192.0.2.0/", -1},
        {"192.0.2.0/-1", -1},
        {"192.0.2.0/024", -1},
        {"192.0.2.0/+8", -1},
        {"192.0.2.0/8x", -1},
        {"/8", -1},
        {"", -1},
        {"192.0.2/24", -1},
        {"example.org/8", -1},
        {"10.0.0.0/8/8", -1},
        {"10.0.0.0/0008", -1},
    };
    struct cidr cidr;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cidr_parse(str_from(cases[i].text), &cidr),
                         cases[i].want);
}

static void the_net_of_a_client_is_its_32_or_64(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 65536);
    assert_string_equal(text_of_net(&arena, "192.0.2.1").p, "192.0.2.1");
    assert_string_equal(text_of_net(&arena, "::ffff:192.0.2.1").p, "192.0.2.1");
    assert_string_equal(text_of_net(&arena, "2001:db8:0:1:2:3:4:5").p,
                        "2001:db8:0:1::/64");
    assert_string_equal(text_of_net(&arena, "::1").p, "::/64");
    arena_release(&arena);
    arena_init(&arena, 0);
    assert_null(text_of_net(&arena, "::1").p);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_and_written),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(networks_contain_their_own),
        cmocka_unit_test(wrong_networks_are_refused),
        cmocka_unit_test(the_net_of_a_client_is_its_32_or_64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
