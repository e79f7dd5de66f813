#include "tests/unit/rules/fixture.h"

#include "rules/rule.h"

/* --- delay --- */

static void delays_add_up_to_what_clients_bear(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "a");
    built(&f, build_delay(f.builder, STR("500ms")));
    end(&f);
    rule(&f, STAGE_RCPT, "b");
    built(&f, build_delay(f.builder, STR("2s")));
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_int_equal(f.effects.delay_ms, 2500);
    assert_string_equal(f.effects.acted[0].did, "delay");
    for (int i = 0; i < 200; i++)
        ask(&f, STAGE_RCPT);
    assert_int_equal(f.effects.delay_ms, EFFECTS_DELAY_MS_MAX);
    fixture_release(&f);
}

/* --- add_recipient --- */

static void recipients_are_added_once_and_as_required_as_any(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "archive");
    built(&f,
          build_add_recipient(f.builder, STR("Archive@example.com"), false));
    built(&f, build_add_recipient(f.builder, STR("{auth.user}@copies.example"),
                                  true));
    end(&f);
    rule(&f, STAGE_DATA, "archive again");
    built(&f, build_add_recipient(f.builder, STR("archive@EXAMPLE.com"), true));
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.effects.added_count, 2);
    assert_str(f.effects.added[0].address, "Archive@example.com");
    assert_false(f.effects.added[0].is_required);
    assert_str(f.effects.added[1].address, "bob@copies.example");
    assert_true(f.effects.added[1].is_required);
    assert_string_equal(f.effects.acted[0].did, "add_recipient");
    ask(&f, STAGE_DATA);
    assert_int_equal(f.effects.added_count, 2);
    assert_true(f.effects.added[0].is_required);
    fixture_release(&f);
}

static void an_added_recipient_must_be_a_mail_address(void **state)
{
    static const char *const USERS[] = {"bob smith", "", "a@b", "bob>",
                                        "bob\r\nRCPT TO:<x@y>"};
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "archive");
    built(&f,
          build_add_recipient(f.builder, STR("{auth.user}@x.example"), true));
    end(&f);
    finish(&f);
    for (size_t i = 0; i < sizeof USERS / sizeof USERS[0]; i++) {
        know(&f, FACT_AUTH_USER, USERS[i]);
        assert_int_equal(ask(&f, STAGE_RCPT), 451);
        assert_int_equal(f.verdict.kind, VERDICT_FAULT);
        assert_string_equal(f.verdict.fault,
                            "add_recipient made what is no mail address");
    }
    assert_int_equal(f.effects.added_count, 0);
    fixture_release(&f);
}

static void rules_add_only_so_many_recipients(void **state)
{
    struct fixture f;
    char user[16];
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "copies");
    built(&f,
          build_add_recipient(f.builder, STR("{auth.user}@x.example"), true));
    end(&f);
    finish(&f);
    for (int i = 0; i < EFFECTS_ADDED_MAX; i++) {
        snprintf(user, sizeof user, "u%d", i);
        know(&f, FACT_AUTH_USER, user);
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
    }
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    know(&f, FACT_AUTH_USER, "one-more");
    assert_int_equal(ask(&f, STAGE_RCPT), 451);
    assert_int_equal(f.effects.added_count, EFFECTS_ADDED_MAX);
    fixture_release(&f);
}

/* --- lists that hold domains --- */

/* A capture has the domain as the client wrote it. */
static void wire_H14_dynamic_lists_hold_domains_as_a_labels(void **state)
{
    static const struct {
        const char *tested;
        enum fact fact;
        const char *value;
    } CASES[] = {
        {"mail.from.domain", FACT_MAIL_FROM, "x@xn--b-eha.example"},
        {"mail.from.domain", FACT_MAIL_FROM, "x@b\xc3\xbc.example"},
        {"auth.user", FACT_AUTH_USER, "b\xc3\xbc.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        built(&f, build_list_dynamic(f.builder, STR("found"), NULL));
        rule(&f, STAGE_MAIL, "add");
        when(&f, "mail.from", "", "/@(.+)$/");
        built(&f, build_list_add(f.builder, STR("found"), STR("{1}"), STR("")));
        end(&f);
        rule(&f, STAGE_RCPT, "listed");
        when(&f, CASES[i].tested, "", "@found");
        reject(&f, "550 listed");
        end(&f);
        finish(&f);
        know(&f, FACT_MAIL_FROM, "a@b\xc3\xbc.example");
        assert_int_equal(ask(&f, STAGE_MAIL), 0);
        know(&f, CASES[i].fact, CASES[i].value);
        assert_int_equal(ask(&f, STAGE_RCPT), 550);
        fixture_release(&f);
    }
}

/* --- maps --- */

static void wire_H14_maps_find_domains_beyond_ascii(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    list(&f, "names", "j\xc3\xbc.x 1;b\xc3\xbc.example 2");
    rule(&f, STAGE_MAIL, "r");
    built(&f, build_tag(f.builder, STR("{auth.user|map:names}")));
    built(&f, build_tag(f.builder, STR("{mail.from.domain|map:names}")));
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "j\xc3\xbc.x");
    know(&f, FACT_MAIL_FROM, "a@b\xc3\xbc.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.tag_count, 2);
    assert_str(f.effects.tags[0], "1");
    assert_str(f.effects.tags[1], "2");
    fixture_release(&f);
}

/* --- a text that is exactly one fact --- */

static void a_lone_fact_stands_for_each_of_its_values(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("contained"), NULL));
    rule(&f, STAGE_RCPT, "r");
    built(&f, build_tag(f.builder, STR("{auth.groups}")));
    built(&f, build_tag(f.builder, STR("of {auth.groups}")));
    built(&f, build_add_recipient(f.builder, STR("{auth.addresses}"), true));
    built(&f, build_list_add(f.builder, STR("contained"),
                             STR("{auth.addresses}"), STR("1h")));
    end(&f);
    rule(&f, STAGE_DATA, "listed");
    when(&f, "auth.user", "", "@contained");
    reject(&f, "550 listed");
    end(&f);
    finish(&f);
    know_list(&f, FACT_AUTH_GROUPS, "staff;wheel");
    know_list(&f, FACT_AUTH_ADDRESSES, "a@x.example;b@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.effects.tag_count, 3);
    assert_str(f.effects.tags[0], "staff");
    assert_str(f.effects.tags[1], "wheel");
    assert_str(f.effects.tags[2], "of staff, wheel");
    assert_int_equal(f.effects.added_count, 2);
    assert_str(f.effects.added[1].address, "b@x.example");
    know(&f, FACT_AUTH_USER, "B@X.example");
    assert_int_equal(ask(&f, STAGE_DATA), 550);
    /* Known, but there is none of them. */
    effects_init(&f.effects, &f.arena);
    know_list(&f, FACT_AUTH_GROUPS, "");
    know_list(&f, FACT_AUTH_ADDRESSES, "");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.effects.tag_count, 1);
    assert_int_equal(f.effects.added_count, 0);
    fixture_release(&f);
}

/* --- mode --- */

static void a_rule_that_is_off_is_not_evaluated(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    built(&f, build_mode(f.builder, STR("off")));
    limit(&f, "messages", "1/h");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.questions, 0);
    assert_int_equal(f.effects.acted_count, 0);
    fixture_release(&f);
}

static void a_shadow_rule_says_what_it_would_do_and_does_nothing(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("contained"), NULL));
    rule(&f, STAGE_RCPT, "candidate");
    built(&f, build_mode(f.builder, STR("shadow")));
    built(&f, build_rewrite(f.builder, STR("rcpt.to"), STR("x@y.example")));
    built(&f, build_headers(f.builder, STR("add"), STR("X"), STR("y")));
    built(&f, build_list_add(f.builder, STR("contained"), STR("{auth.user}"),
                             STR("")));
    built(&f, build_add_recipient(f.builder, STR("x@y.example"), true));
    built(&f, build_delay(f.builder, STR("2s")));
    built(&f, build_tag(f.builder, STR("t")));
    built(&f, build_note(f.builder, STR("n")));
    built(&f, build_route(f.builder, STR("other")));
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_RCPT, "behind");
    when(&f, "rcpt.to", "", "a@b.example");
    built(&f, build_defer(f.builder, STR("450 not yet")));
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_RCPT_TO, "a@b.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 450);
    assert_int_equal(f.effects.acted_count, 2);
    assert_true(f.effects.acted[0].is_shadow);
    assert_string_equal(f.effects.acted[0].did, "reject");
    assert_false(f.effects.acted[1].is_shadow);
    assert_int_equal(f.effects.edit_count + f.effects.added_count +
                         f.effects.tag_count + f.effects.note_count +
                         f.effects.delay_ms + f.effects.route.n,
                     0);
    fixture_release(&f);
}

static void a_shadow_limit_keeps_a_budget_of_its_own(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "candidate");
    built(&f, build_mode(f.builder, STR("shadow")));
    limit(&f, "messages", "1/h");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.hold_count, 1);
    assert_int_equal(f.effects.acted_count, 0);
    settle(&f, true);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.acted_count, 1);
    assert_int_equal(f.effects.use_count, 1);
    fixture_release(&f);
}

static void a_shadow_size_does_not_stop_the_stream(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "candidate");
    built(&f, build_mode(f.builder, STR("shadow")));
    limit(&f, "size", "10");
    reject(&f, "552 large");
    end(&f);
    finish(&f);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_null(f.effects.size_rule);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 20);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    assert_int_equal(f.effects.acted_count, 1);
    assert_true(f.effects.acted[0].is_shadow);
    fixture_release(&f);
}

/* It acts on nothing, so its faults are not the client's. */
static void a_fault_of_a_shadow_rule_is_forgiven(void **state)
{
    struct fixture f;
    static char text[200];
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "greedy");
    built(&f, build_mode(f.builder, STR("shadow")));
    when(&f, "header.subject", "matches", "/^(a+)+$/");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_HEADER, "behind");
    built(&f, build_tag(f.builder, STR("{header.subject|sha256}")));
    end(&f);
    finish(&f);
    memset(text, 'a', sizeof text - 1);
    text[0] = ' ';
    text[sizeof text - 2] = '!';
    know_header(&f, "Subject", text);
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_int_equal(f.effects.acted_count, 2);
    assert_true(f.effects.acted[0].is_shadow);
    assert_string_equal(f.effects.acted[0].did, "fault");
    assert_int_equal(f.effects.tag_count, 1);
    fixture_release(&f);
}

static void a_shadow_rule_asks_no_server(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "candidate");
    built(&f, build_mode(f.builder, STR("shadow")));
    built(&f, build_ask(f.builder, STR("grey")));
    end(&f);
    finish(&f);
    f.action = "REJECT";
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.asked, 0);
    assert_string_equal(f.effects.acted[0].did, "ask");
    assert_true(f.effects.acted[0].is_shadow);
    fixture_release(&f);
}

/* --- ask --- */

static void begin_asking(struct fixture *f, enum stage stage)
{
    fixture_init(f);
    rule(f, stage, "asking");
    built(f, build_ask(f->builder, STR("grey")));
    built(f, build_tag(f->builder, STR("asked")));
    end(f);
    rule(f, stage, "behind");
    when(f, "auth.user", "", "eve");
    reject(f, "550 5.7.1 not eve");
    end(f);
    finish(f);
    know(f, FACT_AUTH_USER, "bob");
}

static void each_answer_of_a_policy_server_is_obeyed(void **state)
{
    static const struct {
        const char *user, *action;
        enum verdict_kind want;
        int want_code;
        const char *want_enhanced, *want_text, *want_did;
    } CASES[] = {
        {"bob", "DUNNO", VERDICT_PASS, .want_did = "ask"},
        {"eve", "DUNNO", VERDICT_REJECT, 550, "5.7.1", "not eve", "ask"},
        {"eve", "OK", VERDICT_PASS, .want_did = "accept"},
        {"bob", "REJECT 5.7.25 who", VERDICT_REJECT, 554, "5.7.25", "who",
         "reject"},
        {"bob", "DEFER not now", VERDICT_DEFER, 450, "4.7.1", "not now",
         "defer"},
        {"bob", "451 4.7.1 \x1b[1m\xc3\xa4", VERDICT_DEFER, 451, "4.7.1",
         "?[1m??", "defer"},
        {"bob", "421 4.7.0 bye", VERDICT_CLOSE, 421, "4.7.0", "bye", "close"},
        {"bob", "DEFER_IF_PERMIT later", VERDICT_DEFER, 450, "4.7.1", "later",
         "ask"},
        {"eve", "DEFER_IF_PERMIT later", VERDICT_REJECT, 550, "5.7.1",
         "not eve", "ask"},
        {"bob", "DEFER_IF_REJECT later", VERDICT_PASS, .want_did = "ask"},
        {"eve", "DEFER_IF_REJECT later", VERDICT_DEFER, 450, "4.7.1", "later",
         "ask"},
        {"eve", "WARN odd", VERDICT_REJECT, 550, "5.7.1", "not eve", "ask"},
        {"bob", NULL, VERDICT_DEFER, 451, "4.3.5",
         "A policy server is not available, try again later", "defer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        begin_asking(&f, STAGE_RCPT);
        know(&f, FACT_AUTH_USER, CASES[i].user);
        f.action = CASES[i].action;
        assert_int_equal(ask(&f, STAGE_RCPT), CASES[i].want_code);
        assert_int_equal(f.verdict.kind, CASES[i].want);
        assert_int_equal(f.asked, 1);
        if (CASES[i].want_text != NULL) {
            assert_str(f.verdict.enhanced, CASES[i].want_enhanced);
            assert_said(&f, CASES[i].want_text);
        }
        assert_string_equal(f.effects.acted[0].did, CASES[i].want_did);
        assert_int_equal(f.effects.tag_count, 1);
        fixture_release(&f);
    }
}

static void an_action_that_a_proxy_can_not_do_is_a_fault(void **state)
{
    static const struct {
        enum stage stage;
        const char *action, *want;
    } CASES[] = {
        {STAGE_RCPT, "HOLD it",
         "policy server grey answered \"HOLD it\": this server can't do that"},
        {STAGE_MAIL, "DISCARD",
         "policy server grey answered \"DISCARD\": this server can't do that"},
        {STAGE_DATA, "",
         "policy server grey answered \"\": this server can't do that"},
        {STAGE_MESSAGE, "PREPEND X: y",
         "policy server grey answered \"PREPEND X: y\": the header has gone "
         "on already"},
        {STAGE_DATA, "\x1b[2J",
         "policy server grey answered \"?[2J\": this server can't do that"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        begin_asking(&f, CASES[i].stage);
        f.action = CASES[i].action;
        assert_int_equal(ask(&f, CASES[i].stage), 451);
        assert_int_equal(f.verdict.kind, VERDICT_FAULT);
        assert_str(f.verdict.enhanced, "4.3.5");
        assert_string_equal(f.verdict.fault, CASES[i].want);
        assert_int_equal(f.effects.tag_count, 0);
        fixture_release(&f);
    }
}

static void what_a_server_prepends_and_notes_is_kept(void **state)
{
    struct fixture f;
    char action[] = "PREPEND X-Grey: \xc3\xa4 passed";
    (void)state;
    begin_asking(&f, STAGE_RCPT);
    f.action = action;
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    memset(action, 'z', sizeof action - 1); /* it was the connection's */
    assert_int_equal(f.effects.edit_count, 1);
    assert_int_equal(f.effects.edits[0].kind, HEADER_EDIT_ADD);
    assert_str(f.effects.edits[0].name, "X-Grey");
    assert_true(str_starts_with(f.effects.edits[0].value, STR("=?utf-8?")));
    f.action = "INFO first seen";
    ask(&f, STAGE_RCPT);
    f.action = "WARN odd\x07";
    ask(&f, STAGE_RCPT);
    assert_int_equal(f.effects.note_count, 2);
    assert_str(f.effects.notes[0], "grey: first seen");
    assert_str(f.effects.notes[1], "grey warns: odd?");
    fixture_release(&f);
}

static void a_server_is_asked_about_what_exceeds_the_limit(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    list(&f, "quota", "bob 1/h");
    rule(&f, STAGE_RCPT, "asking");
    when(&f, "auth.user", "", "/^(?<who>.*)$/");
    limit(&f, "recipients", "{auth.user|map:quota}");
    built(&f, build_ask(f.builder, STR("grey")));
    built(&f, build_note(f.builder, STR("{who}: {limit.used} of {limit.rate}, "
                                        "again in {limit.retry_after}")));
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    f.action = "DEFER wait";
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.asked, 0);
    assert_int_equal(ask(&f, STAGE_RCPT), 450);
    assert_int_equal(f.asked, 1);
    assert_int_equal(f.effects.note_count, 1);
    assert_str(f.effects.notes[0], "bob: 1 of 1/h, again in 1h");
    /* No entry: neither limit nor question. */
    know(&f, FACT_AUTH_USER, "ann");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.asked, 1);
    fixture_release(&f);
}

/* It would not act, so its server is not bothered. */
static void a_rule_without_its_captures_asks_nobody(void **state)
{
    struct fixture f;
    struct condition *parts[2], *either;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "asking");
    parts[0] = test(&f, "auth.user", "", "bob");
    parts[1] = test(&f, "auth.user", "", "/^(e)ve$/");
    built(&f, build_any(f.builder, parts, 2, &either));
    built(&f, build_when(f.builder, either));
    built(&f, build_ask(f.builder, STR("grey")));
    built(&f, build_tag(f.builder, STR("{1}")));
    end(&f);
    finish(&f);
    f.action = "REJECT";
    know(&f, FACT_AUTH_USER, "bob");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.asked, 0);
    know(&f, FACT_AUTH_USER, "eve");
    assert_int_equal(ask(&f, STAGE_RCPT), 554);
    fixture_release(&f);
}

/* The real octets may be what exceeds it. */
static void a_server_is_asked_about_a_message_that_is_larger(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "large");
    limit(&f, "size", "10");
    built(&f, build_ask(f.builder, STR("grey")));
    end(&f);
    finish(&f);
    f.action = "REJECT too large";
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 11);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 554);
    assert_int_equal(f.asked, 1);
    fixture_release(&f);
}

/* Every allocation may fail; then the answer is a fault, and nothing leaks. */
static void a_full_arena_is_a_fault_at_any_point(void **state)
{
    static const char *const ACTIONS[] = {
        "DUNNO",  "REJECT no",         "PREPEND X: y",
        "WARN x", "DEFER_IF_PERMIT x", "HOLD"};
    (void)state;
    for (size_t a = 0; a < sizeof ACTIONS / sizeof ACTIONS[0]; a++) {
        for (size_t cap = 0; cap < 20000; cap += 300) {
            struct fixture f;
            begin_asking(&f, STAGE_RCPT);
            f.arena.cap_bytes = f.arena.used_bytes + cap;
            f.action = ACTIONS[a];
            ask(&f, STAGE_RCPT);
            if (f.verdict.kind == VERDICT_FAULT)
                assert_non_null(f.verdict.fault);
            fixture_release(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_add_up_to_what_clients_bear),
        cmocka_unit_test(recipients_are_added_once_and_as_required_as_any),
        cmocka_unit_test(an_added_recipient_must_be_a_mail_address),
        cmocka_unit_test(rules_add_only_so_many_recipients),
        cmocka_unit_test(wire_H14_dynamic_lists_hold_domains_as_a_labels),
        cmocka_unit_test(wire_H14_maps_find_domains_beyond_ascii),
        cmocka_unit_test(a_lone_fact_stands_for_each_of_its_values),
        cmocka_unit_test(a_rule_that_is_off_is_not_evaluated),
        cmocka_unit_test(a_shadow_rule_says_what_it_would_do_and_does_nothing),
        cmocka_unit_test(a_shadow_limit_keeps_a_budget_of_its_own),
        cmocka_unit_test(a_shadow_size_does_not_stop_the_stream),
        cmocka_unit_test(a_fault_of_a_shadow_rule_is_forgiven),
        cmocka_unit_test(a_shadow_rule_asks_no_server),
        cmocka_unit_test(each_answer_of_a_policy_server_is_obeyed),
        cmocka_unit_test(an_action_that_a_proxy_can_not_do_is_a_fault),
        cmocka_unit_test(what_a_server_prepends_and_notes_is_kept),
        cmocka_unit_test(a_server_is_asked_about_what_exceeds_the_limit),
        cmocka_unit_test(a_rule_without_its_captures_asks_nobody),
        cmocka_unit_test(a_server_is_asked_about_a_message_that_is_larger),
        cmocka_unit_test(a_full_arena_is_a_fault_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
