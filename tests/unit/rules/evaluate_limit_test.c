#include "tests/unit/rules/fixture.h"

#include "rules/limit.h"

/* --- warn --- */

static void the_use_that_crosses_the_warning_is_told_once(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "recipients", "5/h");
    limit(&f, "warn", "60%");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    for (int i = 0; i < 6; i++)
        assert_int_equal(ask(&f, STAGE_RCPT), i < 5 ? 0 : 550);
    assert_int_equal(f.effects.use_count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct limit_use *use = &f.effects.uses[i];
        assert_int_equal(use->is_warning, i == 2);
        assert_int_equal(use->is_unwritten, i == 2);
        assert_int_equal(use->is_within, i < 5);
    }
    /* Given back and taken again: it is crossed again. */
    settle(&f, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_true(f.effects.uses[2].is_warning);
    fixture_release(&f);
}

static void a_warning_is_of_burst_and_rounds_up(void **state)
{
    static const struct {
        const char *burst, *warn;
        uint64_t want_after;
    } CASES[] = {
        {"3", "50%", 2},
        {"3", "100%", 3},
        {"3", "1%", 1},
        {"10", "95%", 10},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, STAGE_RCPT, "r");
        limit(&f, "recipients", "100/h");
        limit(&f, "burst", CASES[i].burst);
        limit(&f, "warn", CASES[i].warn);
        reject(&f, "550 no");
        end(&f);
        finish(&f);
        for (int k = 0; k < 10; k++)
            ask(&f, STAGE_RCPT);
        size_t warnings = 0;
        for (size_t k = 0; k < f.effects.use_count; k++) {
            if (!f.effects.uses[k].is_warning)
                continue;
            warnings++;
            assert_int_equal(f.effects.uses[k].after, CASES[i].want_after);
        }
        assert_int_equal(warnings, 1);
        fixture_release(&f);
    }
}

static void connections_at_the_same_time_may_warn_too(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_CONNECT, "r");
    limit(&f, "connections", "2");
    limit(&f, "warn", "100%");
    built(&f, build_close(f.builder, STR("421 busy")));
    end(&f);
    finish(&f);
    ask(&f, STAGE_CONNECT);
    effects_init(&f.effects, &f.arena);
    ask(&f, STAGE_CONNECT);
    assert_true(f.effects.uses[0].is_warning);
    fixture_release(&f);
}

/* --- an upstream's quota --- */

static const struct pace_case {
    const char *by;
    bool is_shadow, is_tag, counts_attempts;
    bool want_paced;
} PACE_CASES[] = {
    {.by = "{upstream.name}", .want_paced = true},
    {.by = "{auth.user} {upstream.name}", .want_paced = true},
    {.by = "{auth.user}"},
    {.by = "{upstream.name}", .is_shadow = true},
    {.by = "{upstream.name}", .is_tag = true},
    {.by = "{upstream.name}", .counts_attempts = true},
};

static void only_what_refuses_for_an_upstream_may_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof PACE_CASES / sizeof PACE_CASES[0]; i++) {
        const struct pace_case *c = &PACE_CASES[i];
        struct fixture f;
        struct evaluation evaluation;
        struct question question;
        fixture_init(&f);
        rule(&f, STAGE_RCPT, "r");
        limit(&f, "recipients", "1/h");
        limit(&f, "by", c->by);
        if (c->counts_attempts)
            limit(&f, "count", "attempts");
        if (c->is_tag)
            built(&f, build_tag(f.builder, STR("t")));
        else
            reject(&f, "550 no");
        if (c->is_shadow)
            built(&f, build_mode(f.builder, STR("shadow")));
        end(&f);
        finish(&f);
        know(&f, FACT_AUTH_USER, "bob");
        know(&f, FACT_RCPT_TO, "a@x.example");
        know(&f, FACT_UPSTREAM_NAME, "mta");
        evaluate_start(&evaluation, f.ruleset, STAGE_RCPT, &f.facts, &f.effects,
                       f.scratch);
        assert_int_equal(evaluate(&evaluation, &question, &f.verdict),
                         EVALUATE_QUESTION);
        assert_int_equal(question.is_paced, c->want_paced);
        /* Asked again, it fits: the wait is told. */
        struct answer answer = {
            .is_within = true, .after = 1, .paced_ms = 1500};
        evaluate_answer(&evaluation, &answer);
        assert_int_equal(evaluate(&evaluation, &question, &f.verdict),
                         EVALUATE_VERDICT);
        assert_int_equal(f.verdict.kind, VERDICT_PASS);
        assert_int_equal(f.effects.uses[0].paced_ms, 1500);
        fixture_release(&f);
    }
}

static void a_route_is_where_the_mail_goes_for_later_rules(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "away");
    built(&f, build_route(f.builder, STR("partner")));
    end(&f);
    rule(&f, STAGE_RCPT, "quota");
    limit(&f, "recipients", "1/h");
    limit(&f, "by", "{upstream.name}");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_RCPT_TO, "a@x.example");
    know(&f, FACT_UPSTREAM_NAME, "mta");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_str(f.effects.uses[0].key, "partner");
    fixture_release(&f);
}

/* --- distinct units --- */

static void a_recipient_is_new_until_it_was_written_to(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "new_recipients", "2/h");
    limit(&f, "by", "{auth.user}");
    reject(&f, "550 {limit.used} of {limit.max}");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_RCPT_TO, "a@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.effects.holds[0].scope, HOLD_RECIPIENT);
    assert_str(f.effects.holds[0].member, "a@x.example");
    know(&f, FACT_RCPT_TO, "B@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_str(f.effects.holds[1].member, "b@x.example");
    know(&f, FACT_RCPT_TO, "c@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_said(&f, "2 of 2");
    settle(&f, true);
    know(&f, FACT_RCPT_TO, "A@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    know(&f, FACT_RCPT_TO, "c@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    fixture_release(&f);
}

static void a_rewritten_recipient_is_the_one_that_counts(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "rewriting");
    built(&f, build_rewrite(f.builder, STR("rcpt.to"), STR("x@y.example")));
    end(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "new_recipients", "1/h");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_RCPT_TO, "a@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_str(f.effects.holds[0].member, "x@y.example");
    fixture_release(&f);
}

static void a_network_counts_once_a_transaction_and_rule(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "networks", "2/d");
    limit(&f, "by", "{auth.user}");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.questions, 0); /* its network is not known */
    for (char net = '1'; net <= '3'; net++) {
        char text[] = "192.0.2.0/32";
        text[8] = net;
        know(&f, FACT_CLIENT_NET, text);
        assert_int_equal(ask(&f, STAGE_RCPT), net < '3' ? 0 : 550);
        assert_int_equal(ask(&f, STAGE_RCPT), net < '3' ? 0 : 550);
        if (net < '3')
            assert_int_equal(f.effects.hold_count, 1);
        settle(&f, true);
    }
    assert_int_equal(f.questions, 4);
    know(&f, FACT_CLIENT_NET, "192.0.2.1/32");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    fixture_release(&f);
}

static void each_attempt_to_log_in_counts_its_name(void **state)
{
    static const struct {
        const char *name;
        int want;
    } STEPS[] = {
        {"bob", 0}, {"BOB", 0}, {"ann", 0}, {"eve", 421}, {"bob", 0},
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_AUTH, "r");
    limit(&f, "logins", "2/h");
    limit(&f, "by", "{client.net}");
    built(&f, build_close(f.builder, STR("421 too many names")));
    end(&f);
    finish(&f);
    know(&f, FACT_CLIENT_NET, "192.0.2.1/32");
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        know(&f, FACT_AUTH_NAME, STEPS[i].name);
        assert_int_equal(ask(&f, STAGE_AUTH), STEPS[i].want);
    }
    for (size_t i = 0; i < f.effects.hold_count; i++) {
        assert_int_equal(f.effects.holds[i].scope, HOLD_CHARGED);
        assert_true(f.effects.holds[i].is_settled);
    }
    fixture_release(&f);
}

/* --- every unit at every stage --- */

static void each_unit_is_limited_where_the_table_says(void **state)
{
    (void)state;
    for (enum limit_unit unit = 0; unit < UNIT_COUNT; unit++) {
        const struct unit_row *row = unit_row(unit);
        for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
            for (int is_rate = 0; is_rate < 2; is_rate++) {
                struct fixture f;
                fixture_init(&f);
                rule(&f, stage, "r");
                bool is_here = (row->stages & 1u << stage) != 0;
                bool fits = row->periods == LIMIT_EITHER ||
                            (row->periods == LIMIT_WITH_PERIOD) == is_rate;
                int rc = try_limit(&f, row->name, is_rate ? "5/h" : "5");
                const char *error = build_error(f.builder);
                assert_int_equal(rc == 0, is_here && fits);
                if (!is_here)
                    assert_non_null(strstr(error, row->where));
                else if (!fits)
                    assert_non_null(strstr(error, is_rate ? "without a period"
                                                          : "is a rate"));
                fixture_release(&f);
            }
        }
    }
}

/* One of everything that a limit counts. */
static void know_countable(struct fixture *f)
{
    know(f, FACT_CLIENT_NET, "192.0.2.1/32");
    know(f, FACT_AUTH_NAME, "bob");
    know(f, FACT_AUTH_USER, "bob");
    know(f, FACT_AUTH_RESULT, "failed");
    know(f, FACT_RCPT_TO, "a@x.example");
    facts_set_number(&f->facts, FACT_RCPT_COUNT, 1);
    facts_set_number(&f->facts, FACT_MAIL_SIZE, 1);
    facts_set_number(&f->facts, FACT_MESSAGE_BYTES, 1);
    facts_set_number(&f->facts, FACT_MESSAGE_LONGEST_LINE, 1);
    facts_set_number(&f->facts, FACT_HEADERS_COUNT, 1);
    facts_set_number(&f->facts, FACT_HEADERS_BYTES, 1);
    facts_set_number(&f->facts, FACT_HEADERS_HOPS, 1);
    facts_set_number(&f->facts, FACT_REPLY_CODE, 550);
}

/* What one more is: another member, or a larger message. */
static void know_another(struct fixture *f)
{
    know(f, FACT_CLIENT_NET, "192.0.2.2/32");
    know(f, FACT_AUTH_NAME, "eve");
    know(f, FACT_RCPT_TO, "b@x.example");
    facts_set_number(&f->facts, FACT_RCPT_COUNT, 2);
    facts_set_number(&f->facts, FACT_MAIL_SIZE, 2);
    facts_set_number(&f->facts, FACT_MESSAGE_BYTES, 2);
    facts_set_number(&f->facts, FACT_MESSAGE_LONGEST_LINE, 2);
    facts_set_number(&f->facts, FACT_HEADERS_COUNT, 2);
    facts_set_number(&f->facts, FACT_HEADERS_BYTES, 2);
    facts_set_number(&f->facts, FACT_HEADERS_HOPS, 2);
}

static void test_unit(enum limit_unit unit, enum stage stage, bool is_rate,
                      bool is_mapped, bool is_attempt)
{
    struct fixture f;
    const char *value = is_rate ? "1/h" : "1";
    fixture_init(&f);
    list(&f, "quota", is_rate ? "bob 1/h" : "bob 1");
    rule(&f, stage, "r");
    /* auth.user is learned at auth: earlier keys are of the network. */
    if (is_mapped)
        value = stage >= STAGE_AUTH ? "{auth.user|map:quota}"
                                    : "{client.net|map:quota}";
    limit(&f, unit_row(unit)->name, value);
    if (is_attempt)
        limit(&f, "count", "attempts");
    built(&f, build_tag(f.builder, STR("{limit.rate}")));
    end(&f);
    finish(&f);
    know_countable(&f);
    ask(&f, stage);
    if (f.effects.tag_count != 0)
        fail_msg("%s at %s acts within the limit", unit_row(unit)->name,
                 stage_name(stage));
    /* Another transaction or session, the first of which is still held. */
    effects_init(&f.effects, &f.arena);
    know_another(&f);
    ask(&f, stage);
    size_t want = is_mapped && stage < STAGE_AUTH ? 0 : 1;
    if (f.effects.tag_count != want)
        fail_msg("%s at %s acted %zu times above the limit, not %zu",
                 unit_row(unit)->name, stage_name(stage), f.effects.tag_count,
                 want);
    if (want == 1)
        assert_str(f.effects.tags[0], is_rate ? "1/h" : "1");
    fixture_release(&f);
}

static void each_unit_bites_above_its_limit_wherever_it_is_counted(void **state)
{
    (void)state;
    for (enum limit_unit unit = 0; unit < UNIT_COUNT; unit++) {
        const struct unit_row *row = unit_row(unit);
        for (enum stage stage = 0; stage < STAGE_COUNT; stage++) {
            if ((row->stages & 1u << stage) == 0)
                continue;
            for (int mapped = 0; mapped < 2; mapped++) {
                if (row->periods != LIMIT_WITH_PERIOD)
                    test_unit(unit, stage, false, mapped, false);
                if (row->periods == LIMIT_WITHOUT_PERIOD)
                    continue;
                test_unit(unit, stage, true, mapped, false);
                test_unit(unit, stage, true, mapped, true);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_use_that_crosses_the_warning_is_told_once),
        cmocka_unit_test(a_warning_is_of_burst_and_rounds_up),
        cmocka_unit_test(connections_at_the_same_time_may_warn_too),
        cmocka_unit_test(only_what_refuses_for_an_upstream_may_wait),
        cmocka_unit_test(a_route_is_where_the_mail_goes_for_later_rules),
        cmocka_unit_test(a_recipient_is_new_until_it_was_written_to),
        cmocka_unit_test(a_rewritten_recipient_is_the_one_that_counts),
        cmocka_unit_test(a_network_counts_once_a_transaction_and_rule),
        cmocka_unit_test(each_attempt_to_log_in_counts_its_name),
        cmocka_unit_test(each_unit_is_limited_where_the_table_says),
        cmocka_unit_test(
            each_unit_bites_above_its_limit_wherever_it_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
