/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/address.h"
#include "rules/address_list.h"

#define MARK "!" /* in `want`: one more value that is no address */

/* The addresses joined by blanks, the value of a malformed body as "!". */
static struct str joined(struct arena *arena, const struct address_list *list)
{
    struct str out = STR("");
    for (size_t i = 0; i < list->count; i++) {
        struct str address = list->items[i].address;
        if (str_starts_with(address, STR("<malformed")))
            address = STR(MARK);
        out = arena_printf(arena, "%.*s%s%.*s", (int)out.n, out.p,
                           i == 0 ? "" : " ", (int)address.n, address.p);
    }
    return out;
}

struct body_case {
    const char *body, *want;
};

static void assert_read(const struct body_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct address_list list = {0};
        arena_init(&arena, 1 << 20);
        /* Just as large as it is: a look behind its end is found out. */
        size_t n = strlen(cases[i].body);
        char *body = malloc(n + 1);
        assert_non_null(body);
        memcpy(body + 1, cases[i].body, n);
        assert_int_equal(
            address_list_read(&arena, str_span(body + 1, n), &list), 0);
        struct str got = joined(&arena, &list);
        if (!str_equals(got, str_from(cases[i].want)))
            fail_msg("%s: got \"%.*s\", want \"%s\"", cases[i].body, (int)got.n,
                     got.p, cases[i].want);
        assert_int_equal(list.is_malformed, strchr(cases[i].want, '!') != NULL);
        arena_release(&arena);
        free(body);
    }
}

static void plain_bodies_give_their_mailboxes(void **state)
{
    static const struct body_case CASES[] = {
        {" me@x.example", "me@x.example"},
        {" <me@x.example>", "me@x.example"},
        {" Bob B. <me@x.example>", "me@x.example"},
        {" \"Bob, B\" <me@x.example>", "me@x.example"},
        {" \"Bob \\\" B\" <me@x.example>", "me@x.example"},
        {" me@x.example (Bob)", "me@x.example"},
        {" (c (nested \\) ) ) me@x.example (d)", "me@x.example"},
        {" a@x.example, B <b@x.example>,\r\n c@x.example",
         "a@x.example b@x.example c@x.example"},
        {" , a@x.example,, b@x.example ,", "a@x.example b@x.example"},
        {" team: a@x.example, B <b@x.example>;", "a@x.example b@x.example"},
        {" undisclosed-recipients:;", ""},
        {" g: a@x.example;, c@x.example", "a@x.example c@x.example"},
        {" \"me\"@x.example", "\"me\"@x.example"},
        {" me@[192.0.2.1]", "me@[192.0.2.1]"},
        {" me@[IPv6:2001:db8::1], a@x.example",
         "me@[IPv6:2001:db8::1] a@x.example"},
        {" \xc3\xbc <me@x.example>", "me@x.example"},
        {" [list] Bob <me@x.example>", "me@x.example"},
        {" Bob <\r\n me@x.example\r\n\t>", "me@x.example"},
        {"", ""},
        {"  \r\n ", ""},
    };
    (void)state;
    assert_read(CASES, sizeof CASES / sizeof CASES[0]);
}

/* Catalogue B.10: every reading is there, and one more that nobody owns. */
static void what_readers_disagree_about_gives_every_reading(void **state)
{
    static const struct body_case CASES[] = {
        {" <me@x.example>, <ceo@x.example>", "me@x.example ceo@x.example"},
        {" =?utf-8?B?PGNlb0B4LmV4YW1wbGU+?=,<me@x.example>",
         "me@x.example ceo@x.example !"},
        {" =?utf-8?B?PGNlb0B4LmV4YW1wbGU+?= <me@x.example>",
         "me@x.example ceo@x.example"},
        {" <=?utf-8?Q?ceo=40x.example?=>", "ceo@x.example !"},
        {" <=?utf-8?Q?ceo?=@x.example>",
         "=?utf-8?Q?ceo?=@x.example ceo@x.example !"},
        {" <@me.example,@a.example:ceo@x.example>", "ceo@x.example !"},
        {" <ceo@x.example>\\,<me@x.example>", "ceo@x.example me@x.example !"},
        {" ceo@x.example,<me@x.example>", "ceo@x.example me@x.example"},
        {" <me@x.example>ceo@x.example", "me@x.example ceo@x.example !"},
        {" <me@x.example> <ceo@x.example>", "me@x.example ceo@x.example !"},
        {" ceo@x.example <me@x.example>", "ceo@x.example me@x.example !"},
        {" ceo@x.example (me@x.example)", "me@x.example ceo@x.example"},
        {" \"x <ceo@x.example>\" <me@x.example>", "ceo@x.example me@x.example"},
        {" ceo @ x.example", "ceo@x.example !"},
        {" ceo@(c)x.example", "ceo@x.example !"},
        {" ceo@x . example", "ceo@x ceo@x.example !"},
        {" ceo@x.example.", "ceo@x.example !"},
        {" me@x.example; ceo@x.example", "me@x.example ceo@x.example !"},
        {" g: h: a@x.example;;", "a@x.example !"},
        {" g: a@x.example", "a@x.example !"},
        {" Doe, John <me@x.example>", "me@x.example !"},
        {" just words", "!"},
        {" (never closed me@x.example", "me@x.example !"},
        {" \"never closed me@x.example", "me@x.example !"},
        {" <me@x.example", "me@x.example !"},
        {" \"me@x.example\\", "me@x.example !"},
        {" (me@x.example\\", "me@x.example !"},
        {" <\"me@x.example\\", "me@x.example !"},
        {" me@x.example>", "me@x.example !"},
        {" <>", "!"},
        {" @", "!"},
        {" \"ceo@x.example\"@me.example",
         "ceo@x.example \"ceo@x.example\"@me.example !"},
        {" me\tyou@x.example", "you@x.example meyou@x.example !"},
        {" ceo\\@x.example", "ceo@x.example !"},
        {" a b@under_score.example",
         "b@under_score.example ab@under_score.example !"},
        {" =?utf-8?Q?=3Cceo=40x.example=3E?=: me@x.example;",
         "me@x.example ceo@x.example"},
        {" me@x.example (=?utf-8?Q?=3Cceo=40x.example=3E?=)",
         "me@x.example ceo@x.example"},
        {" \"=?utf-8?Q?=3Cceo=40x.example=3E?=\" <me@x.example>",
         "me@x.example ceo@x.example"},
        {" =?utf-8?B?PGNl:b0B4LmV4YW1wbGU+?= <me@x.example>;",
         "me@x.example ceo@x.example"},
        {" =?utf-7?Q?+ADw-ceo+AEA-x.example+AD4-?= <me@x.example>",
         "me@x.example !"},
        {" ceo@b\xc3\xbc.example", "ceo@b\xc3\xbc.example"},
        {" me@x.example (ceo@b\xc3\xbc.example)",
         "ceo@b\xc3\xbc.example me@x.example"},
        {" =?utf-7?Q?\xff?= <m%@x.b\xc3\xbc>", "m%@x.b\xc3\xbc !"},
        {" a j\xc3\xbc@b\xc3\xbc.example",
         "j\xc3\xbc@b\xc3\xbc.example aj\xc3\xbc@b\xc3\xbc.example !"},
        /* To whom these octets are no letters, an address ends there. */
        {" a \xffme@x.example\xff", "me@x.example !"},
        {" a j\xc3\xbc@x.example\xe3\x80\x82", "j\xc3\xbc@x.example "
                                               "aj\xc3\xbc@x.example !"},
        {" a \xff@b\xc3\xbc.example", "!"},
        {" me@[IPv6:2001:db8::1]\"ceo\"@x.example",
         "me@[IPv6:2001:db8::1] \"ceo\"@x.example !"},
    };
    (void)state;
    assert_read(CASES, sizeof CASES / sizeof CASES[0]);
}

static void a_nul_is_malformed(void **state)
{
    struct arena arena;
    struct address_list list = {0};
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        address_list_read(&arena, STR(" me@x.example\0ceo@x.example"), &list),
        0);
    assert_true(list.is_malformed);
    assert_true(list.count >= 3);
    arena_release(&arena);
}

static void the_malformed_value_is_no_mailbox(void **state)
{
    struct address parsed;
    struct arena arena;
    struct address_list list = {0};
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(address_list_read(&arena, STR(" a b@x.example"), &list),
                     0);
    struct str last = list.items[list.count - 1].address;
    assert_int_not_equal(address_parse(last, &parsed), ADDRESS_OK);
    assert_int_equal(last.p[last.n - 1], '>');
    arena_release(&arena);
}

static void display_names_are_decoded(void **state)
{
    static const struct {
        const char *body, *want;
    } CASES[] = {
        {" Bob  B. <me@x.example>", "Bob B."},
        {" \"Bob, \\\"B\\\"\" <me@x.example>", "Bob, \"B\""},
        {" =?utf-8?Q?J=C3=BCrgen?=\r\n =?utf-8?Q?_M?= <me@x.example>",
         "J\xc3\xbcrgen M"},
        {" me@x.example", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct arena arena;
        struct address_list list = {0};
        arena_init(&arena, 1 << 20);
        assert_int_equal(
            address_list_read(&arena, str_from(CASES[i].body), &list), 0);
        assert_true(str_equals(list.items[0].name, str_from(CASES[i].want)));
        arena_release(&arena);
    }
}

static void addresses_say_where_they_stand(void **state)
{
    struct arena arena;
    struct address_list list = {0};
    const char *body = " A <a@x.example>, b@x.example";
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(address_list_read(&arena, str_from(body), &list), 0);
    assert_int_equal(list.count, 2);
    for (size_t i = 0; i < list.count; i++)
        assert_true(
            str_equals(str_span(body + list.items[i].start,
                                list.items[i].end - list.items[i].start),
                       list.items[i].address));
    arena_release(&arena);
}

/* Nesting and repetition cost linear time and no stack. */
static void hostile_bodies_take_linear_time(void **state)
{
    static const char *const UNITS[] = {
        "(",          "\"", "<",          "a@b.example,", "@", "a@",
        ":",          ";",  "=?utf-8?Q?", "\\",           "a", "(a@b)",
        "\"<a@b>\" ", "a:", "a: ;,",      "\"a\"@",
    };
    (void)state;
    for (size_t u = 0; u < sizeof UNITS / sizeof UNITS[0]; u++) {
        size_t unit = strlen(UNITS[u]), n = 200000 / unit * unit;
        char *body = malloc(n);
        struct arena arena;
        struct address_list list = {0};
        assert_non_null(body);
        for (size_t i = 0; i < n; i += unit)
            memcpy(body + i, UNITS[u], unit);
        arena_init(&arena, 64 << 20);
        clock_t before = clock();
        assert_int_equal(address_list_read(&arena, str_span(body, n), &list),
                         0);
        assert_true(clock() - before < 2 * CLOCKS_PER_SEC);
        arena_release(&arena);
        free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_bodies_give_their_mailboxes),
        cmocka_unit_test(what_readers_disagree_about_gives_every_reading),
        cmocka_unit_test(a_nul_is_malformed),
        cmocka_unit_test(the_malformed_value_is_no_mailbox),
        cmocka_unit_test(display_names_are_decoded),
        cmocka_unit_test(addresses_say_where_they_stand),
        cmocka_unit_test(hostile_bodies_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
