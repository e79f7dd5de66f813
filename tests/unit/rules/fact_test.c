/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/facts.h"

static void every_fact_has_a_name_that_reads_back(void **state)
{
    (void)state;
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        struct fact_ref ref;
        const char *nearest;
        assert_non_null(fact_name(f));
        if (f == FACT_HEADER)
            continue;
        assert_int_equal(fact_ref_parse(str_from(fact_name(f)), &ref, &nearest),
                         0);
        assert_int_equal(ref.fact, f);
    }
}

static void references_have_parts_types_and_stages(void **state)
{
    static const struct {
        const char *name;
        enum fact want_fact;
        enum fact_part want_part;
        enum fact_type want_type;
        enum stage want_stage;
        bool want_list;
    } CASES[] = {
        {"mail.from.domain", FACT_MAIL_FROM, FACT_PART_DOMAIN, FACT_TYPE_NAME,
         STAGE_MAIL, false},
        {"rcpt.to.local", FACT_RCPT_TO, FACT_PART_LOCAL, FACT_TYPE_NAME,
         STAGE_RCPT, false},
        {"header.from", FACT_HEADER, FACT_PART_ALL, FACT_TYPE_ADDRESS,
         STAGE_HEADER, true},
        {"header.From.name", FACT_HEADER, FACT_PART_NAME, FACT_TYPE_NAME,
         STAGE_HEADER, true},
        {"header.x-y.domain", FACT_HEADER, FACT_PART_ALL, FACT_TYPE_TEXT,
         STAGE_HEADER, true},
        {"header.subject", FACT_HEADER, FACT_PART_ALL, FACT_TYPE_TEXT,
         STAGE_HEADER, true},
        {"client.net", FACT_CLIENT_NET, FACT_PART_ALL, FACT_TYPE_IP,
         STAGE_CONNECT, false},
        {"tls.version", FACT_TLS_VERSION, FACT_PART_ALL, FACT_TYPE_TEXT,
         STAGE_CONNECT, false},
        {"auth.addresses", FACT_AUTH_ADDRESSES, FACT_PART_ALL,
         FACT_TYPE_ADDRESS, STAGE_AUTH, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fact_ref ref;
        const char *nearest;
        assert_int_equal(
            fact_ref_parse(str_from(CASES[i].name), &ref, &nearest), 0);
        assert_int_equal(ref.fact, CASES[i].want_fact);
        assert_int_equal(ref.part, CASES[i].want_part);
        assert_int_equal(fact_type(&ref), CASES[i].want_type);
        assert_int_equal(fact_stage(&ref), CASES[i].want_stage);
        assert_int_equal(fact_is_list(&ref), CASES[i].want_list);
    }
}

static void unknown_names_give_the_nearest(void **state)
{
    static const struct {
        const char *name, *want;
    } CASES[] = {
        {"mail.form", "mail.from"},  {"auth.usr", "auth.user"},
        {"rcpt.count.domain", NULL}, {"header.", "header.NAME"},
        {"mail.from.name", NULL},    {"", NULL},
        {"client.ip.local", NULL},   {"header.a b", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fact_ref ref;
        const char *nearest = NULL;
        assert_int_equal(
            fact_ref_parse(str_from(CASES[i].name), &ref, &nearest), -1);
        if (CASES[i].want != NULL)
            assert_string_equal(nearest, CASES[i].want);
    }
}

static void forgetting_a_stage_keeps_what_came_before(void **state)
{
    struct facts facts;
    (void)state;
    facts_init(&facts);
    facts_set_text(&facts, FACT_CLIENT_IP, STR("192.0.2.1"));
    facts_set_text(&facts, FACT_TLS_VERSION, STR("1.3"));
    facts_set_text(&facts, FACT_AUTH_USER, STR("bob"));
    facts_set_number(&facts, FACT_MAIL_SIZE, 5);
    facts_set_text(&facts, FACT_RCPT_TO, STR("a@b.c"));
    facts_forget_from(&facts, STAGE_MAIL);
    assert_true(facts_know(&facts, FACT_AUTH_USER));
    assert_false(facts_know(&facts, FACT_MAIL_SIZE));
    assert_false(facts_know(&facts, FACT_RCPT_TO));
    facts_forget_from(&facts, STAGE_HELO);
    assert_true(facts_know(&facts, FACT_CLIENT_IP));
    assert_true(facts_know(&facts, FACT_TLS_VERSION));
    assert_false(facts_know(&facts, FACT_AUTH_USER));
    assert_int_equal(facts_text(&facts, FACT_AUTH_USER).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_has_a_name_that_reads_back),
        cmocka_unit_test(references_have_parts_types_and_stages),
        cmocka_unit_test(unknown_names_give_the_nearest),
        cmocka_unit_test(forgetting_a_stage_keeps_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
