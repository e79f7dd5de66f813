#include "rules/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#define LOCAL_64                                                               \
    "0123456789012345678901234567890123456789012345678901234567890123"
#define LABEL_63                                                               \
    "012345678901234567890123456789012345678901234567890123456789012"
#define LABEL_61 "0123456789012345678901234567890123456789012345678901234567890"
#define DOMAIN_189 LABEL_63 "." LABEL_63 "." LABEL_61

struct parse_case {
    const char *text;
    enum address_error want;
    const char *want_local;
    const char *want_domain;
};

static const struct parse_case MAILBOXES[] = {
    {"a@b", ADDRESS_OK, "a", "b"},
    {"bob.smith+x@example.com", ADDRESS_OK, "bob.smith+x", "example.com"},
    {"!#$%&'*+-/=?^_`{|}~@b", ADDRESS_OK, "!#$%&'*+-/=?^_`{|}~", "b"},
    {"u%v@d", ADDRESS_OK, "u%v", "d"},
    {"a!b@d", ADDRESS_OK, "a!b", "d"},
    {"\"a@b\"@d", ADDRESS_OK, "\"a@b\"", "d"},
    {"\"a b\"@d", ADDRESS_OK, "\"a b\"", "d"},
    {"\"a\\\"b\"@d", ADDRESS_OK, "\"a\\\"b\"", "d"},
    {"\"a\\\\\"@d", ADDRESS_OK, "\"a\\\\\"", "d"},
    {"\"\"@d", ADDRESS_OK, "\"\"", "d"},
    {"a@[127.0.0.1]", ADDRESS_OK, "a", "[127.0.0.1]"},
    {"a@[IPv6:::1]", ADDRESS_OK, "a", "[IPv6:::1]"},
    {"a@[ipv6:2001:db8::1]", ADDRESS_OK, "a", "[ipv6:2001:db8::1]"},
    {"a@b-c.d1", ADDRESS_OK, "a", "b-c.d1"},
    {"root@my_host", ADDRESS_OK, "root", "my_host"},
    {"a@1.2.3.4", ADDRESS_OK, "a", "1.2.3.4"},
    {LOCAL_64 "@b", ADDRESS_OK, LOCAL_64, "b"},
    {"a@" LABEL_63, ADDRESS_OK, "a", LABEL_63},
    {"a@b%00.evil", ADDRESS_SYNTAX, "a", "b%00.evil"},
};

static void mailboxes_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof MAILBOXES / sizeof *MAILBOXES; i++) {
        const struct parse_case *c = &MAILBOXES[i];
        struct address address;
        assert_int_equal(address_parse(str_from(c->text), &address), c->want);
        if (c->want != ADDRESS_OK)
            continue;
        assert_true(str_equals(address.text, str_from(c->text)));
        assert_true(str_equals(address.local, str_from(c->want_local)));
        assert_true(str_equals(address.domain, str_from(c->want_domain)));
    }
}

static const struct parse_case NO_MAILBOXES[] = {
    {"", ADDRESS_SYNTAX, NULL, NULL},
    {"@", ADDRESS_SYNTAX, NULL, NULL},
    {"a@", ADDRESS_SYNTAX, NULL, NULL},
    {"@b", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b@c", ADDRESS_SYNTAX, NULL, NULL},
    {".a@b", ADDRESS_SYNTAX, NULL, NULL},
    {"a.@b", ADDRESS_SYNTAX, NULL, NULL},
    {"a..b@c", ADDRESS_SYNTAX, NULL, NULL},
    {"a b@c", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b.", ADDRESS_SYNTAX, NULL, NULL},
    {"a@.b", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b..c", ADDRESS_SYNTAX, NULL, NULL},
    {"a@-b", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b-", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b c", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b/c", ADDRESS_SYNTAX, NULL, NULL},
    {"a@0" LABEL_63, ADDRESS_SYNTAX, NULL, NULL},
    {"<a@b>", ADDRESS_SYNTAX, NULL, NULL},
    {";cmd;@x", ADDRESS_SYNTAX, NULL, NULL},
    {"(any@x", ADDRESS_SYNTAX, NULL, NULL},
    {"any@x(a.me", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b\r\nRCPT TO:", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a\\\"", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a\\", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a\"b@d", ADDRESS_SYNTAX, NULL, NULL},
    {"a\"b\"@d", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a\nb\"@d", ADDRESS_SYNTAX, NULL, NULL},
    {"\"a\\\nb\"@d", ADDRESS_SYNTAX, NULL, NULL},
    {"\"\"@", ADDRESS_SYNTAX, NULL, NULL},
    {"\xc3@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\xc0\xae@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\xed\xa0\x80@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\xe2\x80\xae@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\xc2\x85@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\"\\\xc3\xa9\"@b", ADDRESS_SYNTAX, NULL, NULL},
    {"a@\xc3", ADDRESS_SYNTAX, NULL, NULL},
    {"a@\xef\xbc\xa1", ADDRESS_SYNTAX, NULL, NULL},
    {"a@b\xe3\x80\x82"
     "c",
     ADDRESS_SYNTAX, NULL, NULL},
    {"a@\xc3\xa9-", ADDRESS_SYNTAX, NULL, NULL},
    {"a@\xe2\x80\x8d", ADDRESS_SYNTAX, NULL, NULL},
    {"a\xef\xbc\xa0"
     "b",
     ADDRESS_UNQUALIFIED, NULL, NULL},
    {"a@[]", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[127.0.0.1", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[127.0.0]", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[IPv6:127.0.0.1]", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[::1]", ADDRESS_SYNTAX, NULL, NULL},
    {"a@[x:y]", ADDRESS_SYNTAX, NULL, NULL},
    {"bob", ADDRESS_UNQUALIFIED, NULL, NULL},
    {"\"bob smith\"", ADDRESS_UNQUALIFIED, NULL, NULL},
    {"\"\"", ADDRESS_UNQUALIFIED, NULL, NULL},
    {"0" LOCAL_64 "@b", ADDRESS_TOO_LONG, NULL, NULL},
    {LOCAL_64 "@" DOMAIN_189 ".c", ADDRESS_TOO_LONG, NULL, NULL},
};

struct form {
    const char *text, *want;
};

/* RFC 6531 3.3, 5890; written in several ways, one address. */
static const struct form FORMS_BEYOND_ASCII[] = {
    {"a@b\xc3\xbc.example", "a@xn--b-eha.example"},
    {"A@B\xc3\x9c.Example", "a@xn--b-eha.example"},
    {"a@xn--b-eha.example", "a@xn--b-eha.example"},
    {"a@bu\xcc\x88.example", "a@xn--b-eha.example"},
    {"a@stra\xc3\x9f"
     "e.example",
     "a@xn--strae-oqa.example"},
    {"J\xc3\xbcrgen@x", "j\xc3\xbcrgen@x"},
    {"Ju\xcc\x88rgen@x", "j\xc3\xbcrgen@x"},
    {"\"j\xc3\xbcrgen\"@x", "j\xc3\xbcrgen@x"},
    {"\"j\xc3\xbc g\"@b\xc3\xbc", "\"j\xc3\xbc g\"@xn--b-eha"},
    /* A small t composes with a diaeresis, a large one does not. */
    {"aT\xcc\x88@x", "a\xe1\xba\x97@x"},
    {"at\xcc\x88@x", "a\xe1\xba\x97@x"},
    /* A Greek question mark is composed to a semicolon. */
    {"a\xcd\xbe"
     "b@x",
     "\"a;b\"@x"},
    {"\"a\xcd\xbe"
     "b\"@x",
     "\"a;b\"@x"},
    {"\xe5\xb0\x8f@\xe4\xbe\x8b\xe5\xad\x90", "\xe5\xb0\x8f@xn--fsqu00a"},
};

static void wire_H14_addresses_beyond_ascii_have_one_form(void **state)
{
    (void)state;
    size_t count = sizeof FORMS_BEYOND_ASCII / sizeof *FORMS_BEYOND_ASCII;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    for (size_t i = 0; i < count; i++) {
        struct address address;
        struct str text = str_from(FORMS_BEYOND_ASCII[i].text);
        struct str want = str_from(FORMS_BEYOND_ASCII[i].want);
        assert_int_equal(address_parse(text, &address), ADDRESS_OK);
        struct str canonical = address_canonical(&arena, text);
        if (!str_equals(canonical, want))
            print_error("%.*s\n", (int)canonical.n, canonical.p);
        assert_true(str_equals(canonical, want));
        assert_true(str_equals(address_canonical(&arena, want), want));
    }
    arena_release(&arena);
}

/* Within the limits as written, beyond them as it compares: no rule about the
 * domain could tell whose it is. */
static void wire_G08_the_limits_hold_in_the_form_that_compares(void **state)
{
    static const struct {
        const char *octets;
        size_t count;
        const char *before, *behind;
        enum address_error want;
    } CASES[] = {
        {"\xe0\xa5\x98", 10, "", "@x.example", ADDRESS_OK},
        {"\xe0\xa5\x98", 11, "", "@x.example", ADDRESS_TOO_LONG},
        {"\xcd\xbe", 31, "", "@x.example", ADDRESS_OK},
        {"\xc3\xbc.", 23, LOCAL_64 "@", "x", ADDRESS_OK},
        {"\xc3\xbc.", 24, LOCAL_64 "@", "x", ADDRESS_TOO_LONG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char text[ADDRESS_MAX_OCTETS + 1];
        struct address address;
        struct arena arena;
        size_t n = (size_t)snprintf(text, sizeof text, "%s", CASES[i].before);
        for (size_t k = 0; k < CASES[i].count; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  CASES[i].octets);
        snprintf(text + n, sizeof text - n, "%s", CASES[i].behind);
        assert_int_equal(address_parse(str_from(text), &address),
                         CASES[i].want);
        arena_init(&arena, 4096);
        if (CASES[i].want == ADDRESS_OK)
            assert_int_equal(
                address_parse(address_canonical(&arena, str_from(text)),
                              &address),
                ADDRESS_OK);
        arena_release(&arena);
    }
}

static void what_is_no_mailbox_is_refused(void **state)
{
    (void)state;
    struct address address;
    for (size_t i = 0; i < sizeof NO_MAILBOXES / sizeof *NO_MAILBOXES; i++)
        assert_int_equal(
            address_parse(str_from(NO_MAILBOXES[i].text), &address),
            NO_MAILBOXES[i].want);
    assert_int_equal(address_parse(STR("\"\0\"@d"), &address), ADDRESS_SYNTAX);
    assert_int_equal(address_parse(STR("\"\\\0\"@d"), &address),
                     ADDRESS_SYNTAX);
    assert_int_equal(address_parse(STR("a@b\0evil"), &address), ADDRESS_SYNTAX);
    assert_int_equal(address_parse(STR("a\0@b"), &address), ADDRESS_SYNTAX);
}

static void the_longest_mailbox_passes_and_one_more_octet_does_not(void **state)
{
    (void)state;
    struct str longest = STR(LOCAL_64 "@" DOMAIN_189);
    struct address address;
    assert_int_equal(longest.n, ADDRESS_MAX_OCTETS);
    assert_int_equal(address_parse(longest, &address), ADDRESS_OK);
    assert_int_equal(address_parse(STR(LOCAL_64 "@" DOMAIN_189 "x"), &address),
                     ADDRESS_TOO_LONG);
}

static void canonical_forms_are_equal_where_mailboxes_are(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {
        {"Bob@Example.COM", "bob@example.com"},
        {"\"Bob\"@d", "bob@d"},
        {"\"a.b\"@d", "a.b@d"},
        {"\"\\a\\b\"@d", "ab@d"},
        {"\"a b\"@D", "\"a b\"@d"},
        {"\"\\a b\"@d", "\"a b\"@d"},
        {"\"a\\\"\\\\b\"@d", "\"a\\\"\\\\b\"@d"},
        {"\"a..b\"@d", "\"a..b\"@d"},
        {"\"a@b\"@d", "\"a@b\"@d"},
        {"\"\"@D", "\"\"@d"},
        {"a@[IPv6:::A]", "a@[ipv6:::a]"},
        {"", ""},
        {"Postmaster", "postmaster"},
        {"\"Broken", "\"broken"},
        {"A@b@C", "a@b@c"},
    };
    struct arena arena;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str out = address_canonical(&arena, str_from(cases[i].text));
        assert_non_null(out.p);
        assert_int_equal(out.n, strlen(cases[i].want));
        assert_string_equal(out.p, cases[i].want);
    }
    arena_release(&arena);
    arena_init(&arena, 0);
    assert_null(address_canonical(&arena, STR("\"a\"@b")).p);
    assert_null(address_canonical(&arena, STR("a@b")).p);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_read),
        cmocka_unit_test(what_is_no_mailbox_is_refused),
        cmocka_unit_test(wire_H14_addresses_beyond_ascii_have_one_form),
        cmocka_unit_test(wire_G08_the_limits_hold_in_the_form_that_compares),
        cmocka_unit_test(
            the_longest_mailbox_passes_and_one_more_octet_does_not),
        cmocka_unit_test(canonical_forms_are_equal_where_mailboxes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
