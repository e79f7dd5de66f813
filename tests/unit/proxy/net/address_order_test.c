#include "proxy/net/address_order.h"

#include "proxy/net/socket_address.h"
#include "rules/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <netdb.h>
#include <netinet/in.h>

#include <cmocka.h>

#define FOUND_MAX 16

/* What a resolver found: "4" and "6" are addresses of that family, numbered
 * by their place, and "u" is one of another family. */
struct found {
    struct addrinfo info[FOUND_MAX];
    struct sockaddr_storage address[FOUND_MAX];
};

static void fill(struct found *found, const char *kinds)
{
    memset(found, 0, sizeof(*found));
    for (size_t i = 0; kinds[i] != '\0'; i++) {
        char host[64];
        const char *prefix = kinds[i] == '6' ? "2001:db8::1:" : "192.0.2.";
        snprintf(host, sizeof(host), "%s%zu", prefix, i);
        assert_int_equal(
            socket_address_parse(&found->address[i], str_from(host), 0), 0);
        found->info[i].ai_family = found->address[i].ss_family;
        if (kinds[i] == 'u')
            found->info[i].ai_family = AF_UNIX;
        found->info[i].ai_addr = (struct sockaddr *)&found->address[i];
        found->info[i].ai_addrlen = socket_address_size(&found->address[i]);
        found->info[i].ai_next =
            kinds[i + 1] == '\0' ? NULL : &found->info[i + 1];
    }
}

/* The places of the addresses in their new order: "0213". */
static void assert_order(const char *kinds, size_t max, const char *want)
{
    struct found found;
    struct sockaddr_storage to[FOUND_MAX];
    char order[FOUND_MAX + 1] = "";
    fill(&found, kinds);
    size_t count =
        address_order(*kinds == '\0' ? NULL : found.info, 2525, to, max);
    for (size_t i = 0; i < count; i++) {
        char text[SOCKET_ADDRESS_TEXT];
        socket_address_text(&to[i], text);
        assert_int_equal(socket_address_port(&to[i]), 2525);
        order[i] = text[strlen(text) - 1];
    }
    assert_string_equal(order, want);
}

static void families_take_turns_and_the_first_ones_begins(void **state)
{
    (void)state;
    assert_order("", 8, "");
    assert_order("4", 8, "0");
    assert_order("6644", 8, "0213");
    assert_order("4466", 8, "0213");
    assert_order("6464", 8, "0123");
    assert_order("66664", 8, "04123");
    assert_order("4444", 8, "0123");
}

static void a_cap_leaves_room_for_both_families(void **state)
{
    (void)state;
    assert_order("66666644", 4, "0617");
    assert_order("666", 2, "01");
}

static void other_families_are_passed_over(void **state)
{
    (void)state;
    assert_order("u6u4", 8, "13");
    assert_order("u", 8, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_take_turns_and_the_first_ones_begins),
        cmocka_unit_test(a_cap_leaves_room_for_both_families),
        cmocka_unit_test(other_families_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
