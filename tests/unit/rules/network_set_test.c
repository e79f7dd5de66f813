/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rules/network_set.h"

static struct cidr network(const char *text)
{
    struct cidr out;
    if (cidr_parse(str_from(text), &out) != 0)
        fail_msg("%s is no network", text);
    return out;
}

static void a_value_is_found_in_the_network_that_holds_it(void **state)
{
    static const char *const NETWORKS[] = {
        "192.0.2.128/25", "10.0.0.0/8",  "10.1.0.0/16",     "10.1.2.3",
        "2001:db8::/32",  "fe80::1",     "2001:db8:1::/48", "255.255.255.255",
        "198.51.100.7",   "192.0.2.0/26"};
    static const struct {
        const char *value;
        bool want;
    } CASES[] = {
        {"10.1.2.3", true},
        {"10.255.255.255", true},
        {"9.255.255.255", false},
        {"11.0.0.0", false},
        {"192.0.2.63", true},
        {"192.0.2.64", false},
        {"192.0.2.127", false},
        {"192.0.2.128", true},
        {"192.0.2.128/25", true},
        {"192.0.2.0/24", false},
        {"255.255.255.255", true},
        {"255.255.255.254", false},
        {"0.0.0.0", false},
        {"198.51.100.7", true},
        {"198.51.100.6", false},
        {"198.51.100.8", false},
        {"2001:db8::1", true},
        {"2001:db8:1::/64", true},
        {"2001:db9::", false},
        {"2001:db7:ffff::", false},
        {"fe80::1", true},
        {"fe80::/64", false},
        {"::", false},
        {"::ffff:10.0.0.1", true},
        {"ffff:ffff::", false},
    };
    struct network_set set = {0};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof NETWORKS / sizeof NETWORKS[0]; i++) {
        struct cidr added = network(NETWORKS[i]);
        assert_int_equal(network_set_add(&set, &arena, &added), 0);
    }
    network_set_seal(&set);
    assert_int_equal(set.v4_count, 5); /* those within 10.0.0.0/8 are gone */
    assert_int_equal(set.v6_count, 2);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct cidr value = network(CASES[i].value);
        if (network_set_holds(&set, &value) != CASES[i].want)
            fail_msg("%s", CASES[i].value);
    }
    arena_release(&arena);
}

static void all_addresses_of_a_family_are_one_network(void **state)
{
    struct network_set set = {0};
    struct arena arena;
    struct cidr all = network("0.0.0.0/0"), one = network("203.0.113.9");
    struct cidr v6 = network("::/0"), v6_one = network("2001:db8::9");
    (void)state;
    arena_init(&arena, 1 << 20);
    network_set_seal(&set);
    assert_false(network_set_holds(&set, &one));
    network_set_add(&set, &arena, &one);
    network_set_add(&set, &arena, &all);
    network_set_seal(&set);
    assert_true(network_set_holds(&set, &one));
    assert_true(network_set_holds(&set, &all));
    assert_false(network_set_holds(&set, &v6_one));
    network_set_add(&set, &arena, &v6);
    network_set_seal(&set);
    assert_true(network_set_holds(&set, &v6_one));
    arena_release(&arena);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A network of the given family with few distinct octets, so that many of
 * them nest and touch. */
static struct cidr random_network(uint32_t *random, bool is_v6, bool is_value)
{
    struct cidr out = {.network.is_v6 = is_v6};
    unsigned bits = is_v6 ? 128 : 32;
    out.prefix = next_random(random) % (bits + 1);
    if (is_value && next_random(random) % 4 != 0)
        out.prefix = bits;
    for (unsigned i = 0; i < bits / 8; i++) {
        static const uint8_t OCTETS[] = {0, 1, 0x80, 0xff};
        out.network.octets[i] = OCTETS[next_random(random) % 4];
    }
    for (unsigned i = out.prefix; i < bits; i++)
        out.network.octets[i / 8] =
            (uint8_t)(out.network.octets[i / 8] & ~(0x80u >> i % 8));
    return out;
}

static void it_agrees_with_looking_at_one_after_the_other(void **state)
{
    uint32_t random = 1;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct cidr networks[40];
        struct network_set set = {0};
        struct arena arena;
        arena_init(&arena, 1 << 20);
        for (size_t i = 0; i < 40; i++) {
            networks[i] = random_network(&random, i % 2 == 0, true);
            assert_int_equal(network_set_add(&set, &arena, &networks[i]), 0);
        }
        network_set_seal(&set);
        for (int i = 0; i < 200; i++) {
            struct cidr value = random_network(&random, i % 2 == 0, true);
            bool want = false;
            for (size_t k = 0; k < 40; k++)
                want = want || (networks[k].prefix <= value.prefix &&
                                cidr_contains(&networks[k], &value.network));
            assert_int_equal(network_set_holds(&set, &value), want);
        }
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_in_the_network_that_holds_it),
        cmocka_unit_test(all_addresses_of_a_family_are_one_network),
        cmocka_unit_test(it_agrees_with_looking_at_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
