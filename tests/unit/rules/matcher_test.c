#include "tests/unit/rules/fixture.h"

/* One fact, one test, does the rule act? `values` are split at ";". */
struct match_case {
    const char *fact, *word, *values;
    const char *known; /* the fact's value; header facts: a body */
    bool want;
};

static void set_fact(struct fixture *f, const char *name, const char *value)
{
    struct fact_ref ref;
    const char *nearest;
    uint64_t number;
    assert_int_equal(fact_ref_parse(str_from(name), &ref, &nearest), 0);
    ref.part = FACT_PART_ALL;
    if (value == NULL) {
        if (fact_stage(&ref) == STAGE_HEADER)
            know_header(f, "X-Other", " x");
        return;
    }
    if (ref.fact == FACT_HEADER) {
        char field[64];
        snprintf(field, sizeof field, "%.*s", (int)ref.header.n, ref.header.p);
        know_header(f, field, value);
    } else if (fact_type(&ref) == FACT_TYPE_NUMBER) {
        assert_int_equal(str_to_u64(str_from(value), &number), 0);
        facts_set_number(&f->facts, ref.fact, number);
    } else if (fact_is_list(&ref)) {
        know_list(f, ref.fact, value);
    } else {
        know(f, ref.fact, value);
    }
}

/* Of so many rules there is an index, which must not pass over them. */
#define MANY 9

static void run_one(const struct match_case *c, size_t rules)
{
    struct fixture f;
    char name[32];
    fixture_init(&f);
    list(&f, "partners", "example.org;.example.net;*.example.com");
    list(&f, "nets", "192.0.2.0/24;2001:db8::1");
    list(&f, "labels", ".xn--b-eha.example");
    list(&f, "people", "ann@example.org;*@sales.example.org;/^x[0-9]+@/");
    for (size_t i = 0; i < rules; i++) {
        snprintf(name, sizeof name, "r%zu", i);
        rule(&f, STAGE_REPLY, name);
        when(&f, c->fact, c->word, c->values);
        built(&f, build_tag(f.builder, STR("acted")));
        end(&f);
    }
    finish(&f);
    know(&f, FACT_HELO_NAME, "x");
    set_fact(&f, c->fact, c->known);
    ask(&f, STAGE_REPLY);
    if (f.verdict.kind != VERDICT_PASS ||
        f.effects.tag_count != (c->want ? rules : 0))
        fail_msg("%s: %s %s %s: not %s of %zu rules", c->fact,
                 c->known == NULL ? "(absent)" : c->known, c->word, c->values,
                 c->want ? "true" : "false", rules);
    fixture_release(&f);
}

static void run(const struct match_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_one(&cases[i], 1);
        run_one(&cases[i], MANY);
    }
}

#define RUN(cases) run(cases, sizeof(cases) / sizeof(cases)[0])

static void texts_are_equal_without_case(void **state)
{
    static const struct match_case CASES[] = {
        {"auth.result", "", "failed", "failed", true},
        {"auth.result", "", "ok", "failed", false},
        {"auth.result", "", "ok;failed", "failed", true},
        {"helo.verb", "", "ehlo", "EHLO", true},
        {"reply.text", "", "/queued/i", "2.0.0 Ok: Queued as 1", true},
        {"reply.text", "matches", "/^Queued/", "2.0.0 Ok: Queued", false},
        {"reply.text", "is", "/a/", "/a/", true},
        {"reply.text", "not_in", "a;b", "c", true},
        {"reply.text", "not_in", "a;b", "B", false},
    };
    (void)state;
    RUN(CASES);
}

static void names_take_globs_and_lists(void **state)
{
    static const struct match_case CASES[] = {
        {"auth.user", "", "bob", "bob", true},
        {"auth.user", "", "bo*", "bob", true},
        {"auth.user", "", "bo", "bob", false},
        {"auth.user", "is", "bo*", "bob", false},
        {"rcpt.to.domain", "", "@partners", "a@Example.ORG", true},
        {"rcpt.to.domain", "", "@partners", "a@x.example.org", false},
        {"rcpt.to.domain", "", "@partners", "a@example.net", true},
        {"rcpt.to.domain", "", "@partners", "a@a.b.example.net", true},
        {"rcpt.to.domain", "", "@partners", "a@badexample.net", false},
        {"rcpt.to.domain", "", "@partners", "a@example.com", false},
        {"rcpt.to.domain", "", "@partners", "a@x.example.com", true},
        {"rcpt.to.domain", "not_in", "@partners", "a@example.org", false},
        {"rcpt.to.domain", "not_in", "@partners", "a@other.example", true},
        {"rcpt.to.domain", "not_in", "@partners", "Postmaster", true},
        {"rcpt.to.domain", "", "a*.example;@partners", "a@ab.example", true},
        {"rcpt.to.local", "", "admin*", "Administrator@b.example", true},
        {"mail.from.local", "", "ceo", "\"ceo\"@b.example", true},
        {"helo.name", "", ".lan", "lan", true},
        {"auth.groups", "", "students", "staff;students", true},
        {"auth.groups", "", "students", "staff", false},
        {"auth.groups", "", "students", "", false},
        {"auth.groups", "not_in", "students", "", false},
        {"auth.groups", "not_in", "students", "staff;students", true},
        {"auth.groups", "none_in", "students", "staff;students", false},
        {"auth.groups", "none_in", "students", "", true},
        {"auth.groups", "every_in", "students;staff", "staff;students", true},
        {"auth.groups", "every_in", "students", "staff;students", false},
    };
    (void)state;
    RUN(CASES);
}

static void addresses_compare_in_one_form(void **state)
{
    static const struct match_case CASES[] = {
        {"mail.from", "", "bob@example.org", "BOB@Example.org", true},
        {"mail.from", "", "bob@example.org", "\"bob\"@example.org", true},
        {"mail.from", "", "\"bob\"@example.org", "bob@example.org", true},
        {"mail.from", "", "*@example.org", "bob@example.org", true},
        {"mail.from", "", "*@example.org", "bob@x.example.org", false},
        {"mail.from", "", "*@.example.org", "bob@x.example.org", true},
        {"mail.from", "", "*@.example.org", "bob@example.org", true},
        {"mail.from", "", "*@*.example.org", "bob@example.org", false},
        {"mail.from", "", ".example.org", "bob@x.example.org", true},
        {"mail.from", "", "*.example.org", "bob@example.org", false},
        {"mail.from", "", "bob+*@example.org", "bob+x@example.org", true},
        {"mail.from", "", "bob@.example.org", "bob@x.example.org", true},
        {"mail.from", "", "bob@.example.org", "eve@x.example.org", false},
        {"mail.from", "", "@people", "x12@any.example", true},
        {"mail.from", "", "@people", "any@sales.example.org", true},
        {"mail.from", "not_in", "@people", "ann@example.org", false},
        {"mail.from", "", "", "", true},
        {"mail.from", "", "*", "", false},
        {"mail.from", "", "*@*", "a@b.example", true},
        {"rcpt.to", "", "postmaster", "Postmaster", true},
        {"data.recipients", "", "a@x.example", "b@y.example;a@x.example", true},
        {"data.recipients", "every_in", "*@x.example",
         "b@y.example;a@x.example", false},
    };
    (void)state;
    RUN(CASES);
}

static void wire_H14_domains_meet_as_a_labels(void **state)
{
    static const struct match_case CASES[] = {
        {"mail.from", "", "a@xn--b-eha.example", "a@b\xc3\xbc.example", true},
        {"mail.from", "", "*@xn--b-eha.example", "A@B\xc3\x9c.example", true},
        {"mail.from", "", ".xn--b-eha.example", "a@x.b\xc3\xbc.example", true},
        {"mail.from", "", "*a@xn--b-eha.*", "a@b\xc3\xbc.example", true},
        {"mail.from", "", "j\xc3\xbc@x.example", "ju\xcc\x88@x.example", true},
        {"mail.from", "", "ju\xcc\x88@x.example", "j\xc3\xbc@x.example", true},
        {"mail.from", "", "*@x.example", "a\xcd\xbe@x.example", true},
        {"mail.from.local", "", "j\xc3\xbc", "Ju\xcc\x88@x.example", true},
        {"mail.from.domain", "", "@labels", "a@b\xc3\xbc.example", true},
        {"mail.from.domain", "", "{helo.name}.b\xc3\xbc.example",
         "a@x.xn--b-eha.example", true},
        {"rcpt.to", "not_in", "*@xn--b-eha.example", "a@b\xc3\xbc.example",
         false},
        {"data.domains", "", "xn--b-eha.example", "b\xc3\xbc.example", true},
        {"tls.client.names", "", "a@xn--b-eha.example", "a@b\xc3\xbc.example",
         true},
        {"header.from", "", "*@xn--b-eha.example", " A <a@b\xc3\xbc.example>",
         true},
        {"header.from", "not_in", "a@xn--b-eha.example",
         " A <a@b\xc3\xbc.example>", false},
        {"header.from", "", "ceo@xn--b-eha.example",
         " a b <ceo@b\xc3\xbc.example", true},
        {"header.from.domain", "", "xn--b-eha.example",
         " A <a@b\xc3\xbc.example>", true},
        {"auth.user", "", "a@b\xc3\xbc.example", "a@xn--b-eha.example", true},
        {"auth.user", "", "a@xn--b-eha.example", "a@b\xc3\xbc.example", true},
        {"auth.user", "", "j\xc3\xbc.x", "j\xc3\xbc.x", true},
        {"mail.envid", "", "o2@o\xc9\xb0", "o2@o\xc9\xb0", true},
    };
    (void)state;
    RUN(CASES);
}

static void hosts_are_in_networks(void **state)
{
    static const struct match_case CASES[] = {
        {"client.ip", "", "192.0.2.0/24", "192.0.2.200", true},
        {"client.ip", "", "192.0.2.0/24", "192.0.3.1", false},
        {"client.ip", "", "@nets", "2001:db8::1", true},
        {"client.ip", "", "@nets", "2001:db8::2", false},
        {"client.ip", "not_in", "@nets", "198.51.100.1", true},
        {"client.net", "", "2001:db8::/32", "2001:db8:0:1::/64", true},
        {"client.net", "", "2001:db8:0:1::1", "2001:db8:0:1::/64", false},
        {"client.net", "", "192.0.2.0/24", "192.0.2.1", true},
        {"client.ip", "is", "::ffff:192.0.2.1", "192.0.2.1", true},
        {"client.ip", "", "/^192\\./", "192.0.2.1", true},
    };
    (void)state;
    RUN(CASES);
}

static void numbers_compare(void **state)
{
    static const struct match_case CASES[] = {
        {"mail.size", "", "> 10K", "10240", false},
        {"mail.size", "", "> 10K", "10241", true},
        {"mail.size", "", ">= 10K", "10240", true},
        {"mail.size", "", "< 10K", "10240", false},
        {"mail.size", "", "<10K", "10239", true},
        {"mail.size", "", "<= 10K", "10240", true},
        {"mail.size", "", "10K", "10240", true},
        {"mail.size", "", "1;2;3", "2", true},
        {"mail.size", "not_in", "1;2;3", "2", false},
        {"mail.size", "above", "10K", "10241", true},
        {"mail.size", "above", "10K", "10240", false},
        {"mail.size", "below", "10K", "10239", true},
        {"mail.size", "below", "10K", "10240", false},
        {"reply.code", "", "/^5/", "550", true},
        {"reply.code", "", "/^5/", "450", false},
        {"time.hour", "", ">= 22;< 6", "23", true},
        {"time.hour", "", ">= 22;< 6", "12", false},
    };
    (void)state;
    RUN(CASES);
}

static void headers_are_read_in_every_way(void **state)
{
    static const struct match_case CASES[] = {
        {"header.from", "", "bob@x.example", " Bob <BOB@x.example>", true},
        {"header.from", "not_in", "bob@x.example",
         " bob@x.example, ceo@x.example", true},
        {"header.from", "not_in", "bob@x.example", " bob@x.example", false},
        {"header.from", "not_in", "bob@x.example",
         " ceo@x.example <bob@x.example>", true},
        {"header.from", "", "ceo@x.example", " ceo@x.example <bob@x.example>",
         true},
        {"header.from", "not_in", "*@x.example", " a b@x.example", true},
        {"header.from", "not_in", "*", " a b@x.example", true},
        {"header.from.domain", "not_in", "x.example", " a b@x.example", true},
        {"header.from.domain", "not_in", ".x.example", " a b@x.example", true},
        {"header.from", "not_in", "bob@x.example", NULL, true},
        {"header.from", "not_in", "*", NULL, true},
        {"header.from", "", "", NULL, true},
        {"header.from.name", "", "*boss*", " The Boss <bob@x.example>", true},
        {"header.to", "every_in", "*@x.example", " a@x.example, b@x.example",
         true},
        {"header.subject", "", "/^Re: .*\xc3\xbc/",
         " Re:\r\n =?utf-8?B?w7w=?=", true},
        {"header.subject", "not_in", "a", NULL, false},
        {"header.subject", "exists", "false", NULL, true},
        {"header.subject", "exists", "true", " ", true},
        {"header.sender", "exists", "true", NULL, false},
        {"headers.count", "", "1", NULL, true},
    };
    (void)state;
    RUN(CASES);
}

static void absent_facts_hold_for_exists_alone(void **state)
{
    static const struct match_case CASES[] = {
        {"auth.user", "exists", "true", NULL, false},
        {"auth.user", "exists", "false", NULL, true},
        {"auth.user", "exists", "true", "bob", true},
        {"auth.groups", "exists", "true", "", true},
        {"auth.user", "not_in", "bob", NULL, false},
        {"auth.groups", "none_in", "bob", NULL, false},
        {"mail.size", "", "< 10", NULL, false},
    };
    (void)state;
    RUN(CASES);
}

/* --- lists that facts hold --- */

struct owned_case {
    const char *addresses, *from;
    bool want_owned;
};

static void
owned_addresses_may_be_globs_and_the_null_path_is_owned(void **state)
{
    static const struct owned_case CASES[] = {
        {"bob@example.org", "BOB@example.org", true},
        {"bob@example.org", "\"bob\"@example.org", true},
        {"bob@example.org", "ceo@example.org", false},
        {"*@sales.example.org", "x@sales.example.org", true},
        {"*@sales.example.org", "x@a.sales.example.org", false},
        {"*@sales.example.org", "\"a@b\"@sales.example.org", true},
        {"bob@xn--b-eha.example", "bob@b\xc3\xbc.example", true},
        {"bob@b\xc3\xbc.example", "bob@xn--b-eha.example", true},
        {"*@xn--b-eha.example", "bob@b\xc3\xbc.example", true},
        {"*@xn--b-eha.example", "bob@bu.example", false},
        {"bob@example.org;*@*.example.org", "x@a.example.org", true},
        {"bob@example.org", "", true},
        {"", "", true},
        {"", "bob@example.org", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, STAGE_MAIL, "own");
        when(&f, "mail.from", "not_in", "{auth.addresses}");
        reject(&f, "553 5.7.1 no");
        end(&f);
        finish(&f);
        know_list(&f, FACT_AUTH_ADDRESSES, CASES[i].addresses);
        know(&f, FACT_MAIL_FROM, CASES[i].from);
        if (ask(&f, STAGE_MAIL) != (CASES[i].want_owned ? 0 : 553))
            fail_msg("%s / %s", CASES[i].addresses, CASES[i].from);
        fixture_release(&f);
    }
}

static void header_addresses_are_owned_in_every_reading(void **state)
{
    static const struct owned_case CASES[] = {
        {"bob@x.example", " Bob <bob@x.example>", true},
        {"bob@x.example", " bob@x.example, ceo@x.example", false},
        {"*@x.example", " =?utf-8?Q?ceo?=@x.example", false},
        {"*@x.example;*", " <@x.example:a@x.example>", false},
        {"bob@x.example", " <>", false},
        {"bob@xn--b-eha.example", " Bob <bob@b\xc3\xbc.example>", true},
        {"bob@xn--b-eha.example", " bob@bu\xcc\x88.example", true},
        {"bob@b.example", " bob@b\xc3\xbc.example", false},
        {"bob@x.example", NULL, false},
        {"bob@x.example;", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, STAGE_HEADER, "own");
        when(&f, "header.from", "not_in", "{auth.addresses}");
        reject(&f, "550 5.7.1 no");
        end(&f);
        finish(&f);
        know_list(&f, FACT_AUTH_ADDRESSES, CASES[i].addresses);
        if (CASES[i].from == NULL)
            know_header(&f, "Subject", " x");
        else
            know_header(&f, "FROM", CASES[i].from);
        if (ask(&f, STAGE_HEADER) != (CASES[i].want_owned ? 0 : 550))
            fail_msg("%s / %s", CASES[i].addresses,
                     CASES[i].from == NULL ? "(none)" : CASES[i].from);
        fixture_release(&f);
    }
}

/* The empty value of a missing From is in no list, not even beside the null
 * reverse path. */
static void a_missing_from_is_in_no_list(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "aligned");
    when(&f, "header.from", "not_in", "{mail.from}");
    reject(&f, "550 5.7.1 no");
    end(&f);
    rule(&f, STAGE_MAIL, "same");
    when(&f, "mail.from", "in", "{mail.original}");
    reject(&f, "551 5.7.1 no");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "");
    know_header(&f, "Subject", " x");
    assert_int_equal(ask(&f, STAGE_HEADER), 550);
    assert_int_equal(ask(&f, STAGE_MAIL), 551);
    fixture_release(&f);
}

static void every_from_field_counts(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "own");
    when(&f, "header.from", "not_in", "{auth.addresses}");
    reject(&f, "550 5.7.1 no");
    end(&f);
    finish(&f);
    know_list(&f, FACT_AUTH_ADDRESSES, "bob@x.example");
    know_header(&f, "From", " bob@x.example");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    know_header(&f, "from", " ceo@x.example");
    assert_int_equal(ask(&f, STAGE_HEADER), 550);
    fixture_release(&f);
}

/* A star that a stranger wrote is only a star. */
static void values_of_strangers_are_no_globs(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "aligned");
    when(&f, "mail.from", "not_in", "{header.from}");
    reject(&f, "550 5.7.1 no");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "ceo@x.example");
    know_header(&f, "From", " *@x.example");
    assert_int_equal(ask(&f, STAGE_HEADER), 550);
    f.header.count = 0;
    know_header(&f, "From", " CEO@X.example");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    fixture_release(&f);
}

static void a_template_in_a_test_is_filled_in(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    when(&f, "mail.from", "not_in", "{auth.user}@example.org;x@example.org");
    reject(&f, "550 5.7.1 no");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_MAIL_FROM, "Bob@example.org");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    know(&f, FACT_MAIL_FROM, "eve@example.org");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    fixture_release(&f);
}

static void a_pattern_out_of_budget_is_a_fault(void **state)
{
    struct fixture f;
    static char text[8000];
    (void)state;
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = '!';
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "slow");
    when(&f, "header.subject", "", "/^(a+)+$/");
    reject(&f, "550 5.7.1 no");
    end(&f);
    finish(&f);
    know_header(&f, "Subject", text);
    assert_int_equal(ask(&f, STAGE_HEADER), 451);
    assert_int_equal(f.verdict.kind, VERDICT_FAULT);
    assert_str(f.verdict.enhanced, "4.3.5");
    assert_str(rule_name(f.verdict.rule), "slow");
    assert_string_equal(f.verdict.fault, "caps.pattern_steps: a pattern "
                                         "reached its match limit");
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_equal_without_case),
        cmocka_unit_test(names_take_globs_and_lists),
        cmocka_unit_test(addresses_compare_in_one_form),
        cmocka_unit_test(wire_H14_domains_meet_as_a_labels),
        cmocka_unit_test(hosts_are_in_networks),
        cmocka_unit_test(numbers_compare),
        cmocka_unit_test(headers_are_read_in_every_way),
        cmocka_unit_test(absent_facts_hold_for_exists_alone),
        cmocka_unit_test(
            owned_addresses_may_be_globs_and_the_null_path_is_owned),
        cmocka_unit_test(header_addresses_are_owned_in_every_reading),
        cmocka_unit_test(a_missing_from_is_in_no_list),
        cmocka_unit_test(every_from_field_counts),
        cmocka_unit_test(values_of_strangers_are_no_globs),
        cmocka_unit_test(a_template_in_a_test_is_filled_in),
        cmocka_unit_test(a_pattern_out_of_budget_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
