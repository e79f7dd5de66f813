/* Facts of header fields: the union of all readings, for From and its kin
 * alike. The rows are those of the catalogue of attacks; what only the wire
 * decides stands in tests/dialogue/wire_H*.smtp. */
#include "tests/unit/rules/fixture.h"

#include "rules/evaluate.h"

static const char *const FIELDS[] = {"From", "Sender", "Reply-To", "To", "Cc"};

#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

struct header_case {
    const char *first, *second; /* bodies of one or two fields */
    bool want_refused;
};

/* The field with all its values in the addresses of the login, or refused. */
static bool is_refused(const char *name, const struct header_case *row)
{
    static const struct str OWN[] = {STR_INIT("me@x.example"),
                                     STR_INIT("*@own.example")};
    struct fixture f;
    char fact[32];
    fixture_init(&f);
    snprintf(fact, sizeof fact, "header.%s", name);
    for (char *c = fact; *c != '\0'; c++)
        *c = ascii_lower(*c);
    rule(&f, STAGE_HEADER, "owned");
    when(&f, fact, "not_in", "{auth.addresses}");
    reject(&f, "550 5.7.1 not yours");
    end(&f);
    finish(&f);
    facts_set_list(&f.facts, FACT_AUTH_ADDRESSES, OWN, 2);
    know_header(&f, name, row->first);
    if (row->second != NULL)
        know_header(&f, name, row->second);
    int code = ask(&f, STAGE_HEADER);
    fixture_release(&f);
    return code == 550;
}

static void assert_rows(const struct header_case *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < FIELD_COUNT; k++)
            if (is_refused(FIELDS[k], &rows[i]) != rows[i].want_refused)
                fail_msg("%s:%s is %srefused", FIELDS[k], rows[i].first,
                         rows[i].want_refused ? "not " : "");
}

#define ASSERT_ROWS(rows) assert_rows((rows), sizeof(rows) / sizeof *(rows))

static void wire_H01_every_field_of_the_name_counts(void **state)
{
    static const struct header_case ROWS[] = {
        {" <me@x.example>", " <ceo@x.example>", true},
        {" <ceo@x.example>", " <me@x.example>", true},
        {" <me@x.example>", " a@own.example", false},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H02_every_address_of_a_list_counts(void **state)
{
    static const struct header_case ROWS[] = {
        {" <me@x.example>, <ceo@x.example>", NULL, true},
        {" me@x.example,,\r\n\tb@own.example", NULL, false},
        {" g: me@x.example;, ceo@x.example", NULL, true},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

/* A From without an author among others, which for the rest is no reading. */
static void wire_H06_a_from_without_an_address_is_an_empty_value(void **state)
{
    static const struct header_case ROWS[] = {
        {" undisclosed:;", " <me@x.example>", true},
        {" <me@x.example>", "", true},
        {" (nobody)", NULL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        assert_true(is_refused("From", &ROWS[i]));
        assert_false(is_refused("To", &ROWS[i]));
    }
}

static void wire_H07_encoded_words_hide_no_address(void **state)
{
    static const struct header_case ROWS[] = {
        {" =?utf-8?B?PGNlb0B4LmV4YW1wbGU+?=,<me@x.example>", NULL, true},
        {" =?utf-8?Q?=3Cceo=40x.example=3E?= <me@x.example>", NULL, true},
        {" =?utf-8?Q?=3Cceo=40x.example=3E?=: me@x.example;", NULL, true},
        {" me@x.example (=?utf-8?Q?=3Cceo=40x.example=3E?=)", NULL, true},
        {" \"=?utf-8?Q?=3Cceo=40x.example=3E?=\" <me@x.example>", NULL, true},
        {" <=?utf-8?Q?me?=@x.example>", NULL, true},
        {" =?utf-16?B?ADwAYwBlAG8=?= <me@x.example>", NULL, true},
        {" =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <me@x.example>", NULL, false},
        {" =?utf-8?Q?J=C3=BCrgen?= <me@x.example>", NULL, false},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H08_source_routes_are_no_plain_address(void **state)
{
    static const struct header_case ROWS[] = {
        {" <@me.example,@a.example:ceo@x.example>", NULL, true},
        {" <@a.example:me@x.example>", NULL, true},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H09_what_stands_around_addresses_counts(void **state)
{
    static const struct header_case ROWS[] = {
        {" <ceo@x.example>\\,<me@x.example>", NULL, true},
        {" ceo@x.example,<me@x.example>", NULL, true},
        {" <me@x.example>ceo@x.example", NULL, true},
        {" <me@x.example>;", NULL, true},
        {" ceo\\@x.example <me@x.example>", NULL, true},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H10_groups_and_comments_hide_no_address(void **state)
{
    static const struct header_case ROWS[] = {
        {" g: <ceo@x.example>;", NULL, true},
        {" g: <me@x.example>;", NULL, false},
        {" (c) ceo@x.example (d)", NULL, true},
        {" ceo@x.example (me@x.example)", NULL, true},
        {" me@x.example (ceo@x.example)", NULL, true},
        {" <me@x.example> <ceo@x.example>", NULL, true},
        {" \"x <ceo@x.example>\" <me@x.example>", NULL, true},
        {" \"ceo@x.example\" <me@x.example>", NULL, false},
        {" ceo@x.example <me@x.example>", NULL, true},
        {" ((nested) deeper (still)) me@x.example", NULL, false},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H11_folds_and_controls_cut_no_address(void **state)
{
    static const struct header_case ROWS[] = {
        {"\r\n\tceo@x.example", NULL, true},
        {"\r\n\tme@x.example", NULL, false},
        {" me@x.ex\r\n ample", NULL, true},
        {" me@x.example\x01", NULL, true},
        {" me@x.example\xc2\xa0", NULL, true},
        {" me@x.example\x7f", NULL, true},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

static void wire_H14_one_mailbox_in_other_letters(void **state)
{
    static const struct header_case ROWS[] = {
        {" ME@X.Example", NULL, false},
        {" \"me\"@x.example", NULL, false},
        {" \"m\\e\"@x.example", NULL, false},
        {" me+x@x.example", NULL, true},
        {" me@x.example.", NULL, true},
        {" me@\xc3\xa4.example", NULL, true},
        {" m\xd0\xb5@x.example", NULL, true},
        {" me@xn--4ca.example", NULL, true},
        {" any.body@OWN.example", NULL, false},
        {" me@sub.own.example", NULL, true},
    };
    (void)state;
    ASSERT_ROWS(ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_H01_every_field_of_the_name_counts),
        cmocka_unit_test(wire_H02_every_address_of_a_list_counts),
        cmocka_unit_test(
            wire_H06_a_from_without_an_address_is_an_empty_value),
        cmocka_unit_test(wire_H07_encoded_words_hide_no_address),
        cmocka_unit_test(wire_H08_source_routes_are_no_plain_address),
        cmocka_unit_test(wire_H09_what_stands_around_addresses_counts),
        cmocka_unit_test(wire_H10_groups_and_comments_hide_no_address),
        cmocka_unit_test(wire_H11_folds_and_controls_cut_no_address),
        cmocka_unit_test(wire_H14_one_mailbox_in_other_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
