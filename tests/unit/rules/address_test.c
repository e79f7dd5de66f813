#include "rules/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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
    {"\xc3\xa9@b", ADDRESS_SYNTAX, NULL, NULL},
    {"\"\xc3\xa9\"@b", ADDRESS_SYNTAX, NULL, NULL},
    {"a@\xc3\xa9", ADDRESS_SYNTAX, NULL, NULL},
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
        cmocka_unit_test(
            the_longest_mailbox_passes_and_one_more_octet_does_not),
        cmocka_unit_test(canonical_forms_are_equal_where_mailboxes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
