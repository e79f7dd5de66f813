#include "tests/unit/rules/fixture.h"

/* --- order and decisions --- */

static void rules_are_tried_in_order_and_the_first_to_decide_wins(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "tagger");
    built(&f, build_tag(f.builder, STR("seen-{auth.user}")));
    built(&f, build_note(f.builder, STR("{mail.from|lower|sha256}")));
    end(&f);
    rule(&f, STAGE_MAIL, "friend");
    when(&f, "auth.user", "", "ann");
    built(&f, build_accept(f.builder, STR("true")));
    end(&f);
    rule(&f, STAGE_MAIL, "closed");
    reject(&f, "550 5.7.1 {auth.user} may not, {{mail.from} is {mail.from}");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "Bob@x.example");
    know(&f, FACT_AUTH_USER, "bob");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    assert_int_equal(f.verdict.kind, VERDICT_REJECT);
    assert_said(&f, "bob may not, {mail.from} is Bob@x.example");
    assert_str(f.verdict.enhanced, "5.7.1");
    assert_str(rule_name(f.verdict.rule), "closed");
    assert_int_equal(rule_stage(f.verdict.rule), STAGE_MAIL);
    assert_int_equal(f.effects.acted_count, 2);
    assert_string_equal(f.effects.acted[0].did, "tag");
    assert_string_equal(f.effects.acted[1].did, "reject");
    assert_str(f.effects.tags[0], "seen-bob");
    assert_int_equal(f.effects.notes[0].n, 64);
    know(&f, FACT_AUTH_USER, "ann");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.verdict.kind, VERDICT_PASS);
    assert_string_equal(f.effects.acted[3].did, "accept");
    /* Other stages have no rules. */
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    fixture_release(&f);
}

static void replies_hold_one_line_of_printable_ascii(void **state)
{
    struct fixture f;
    static char longer[600];
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "r");
    built(&f, build_defer(f.builder, STR("450 about {header.subject}")));
    end(&f);
    finish(&f);
    know_header(&f, "Subject", " a\x1b[2J \xc3\xbc =?utf-8?Q?=0D=0A250?= ok");
    assert_int_equal(ask(&f, STAGE_HEADER), 450);
    assert_int_equal(f.verdict.kind, VERDICT_DEFER);
    assert_str(f.verdict.enhanced, "4.7.1");
    assert_said(&f, "about a [2J ??   250 ok");
    memset(longer, 'x', sizeof longer - 1);
    f.header.count = 0;
    know_header(&f, "Subject", longer);
    ask(&f, STAGE_HEADER);
    assert_int_equal(f.verdict.text.n, 400);
    fixture_release(&f);
}

static void any_all_and_not_combine(void **state)
{
    static const struct {
        const char *user, *ip;
        int want;
    } CASES[] = {
        {"bob", "192.0.2.1", 550},
        {"bob", "198.51.100.1", 0},
        {"eve", "198.51.100.1", 550},
        {"ann", "192.0.2.1", 0},
    };
    struct fixture f;
    struct condition *parts[2], *both, *either;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    parts[0] = test(&f, "auth.user", "", "bob");
    built(&f, build_not(f.builder, test(&f, "client.ip", "", "198.51.100.0/24"),
                        &parts[1]));
    built(&f, build_all(f.builder, parts, 2, &both));
    parts[0] = both;
    parts[1] = test(&f, "auth.user", "", "eve");
    built(&f, build_any(f.builder, parts, 2, &either));
    built(&f, build_when(f.builder, either));
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        know(&f, FACT_AUTH_USER, CASES[i].user);
        know(&f, FACT_CLIENT_IP, CASES[i].ip);
        assert_int_equal(ask(&f, STAGE_MAIL), CASES[i].want);
    }
    fixture_release(&f);
}

/* By the contract a rule that names an absent fact anywhere does not act. */
static void a_rule_that_names_an_absent_fact_does_not_act(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "condition");
    struct condition *negated;
    built(&f, build_not(f.builder, test(&f, "auth.user", "", "bob"), &negated));
    built(&f, build_when(f.builder, negated));
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_MAIL, "template");
    reject(&f, "551 {mail.size}");
    end(&f);
    rule(&f, STAGE_MAIL, "key");
    limit(&f, "messages", "1/h");
    limit(&f, "by", "{tls.sni}");
    built(&f, build_tag(f.builder, STR("t")));
    end(&f);
    finish(&f);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.questions, 0);
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 7);
    assert_int_equal(ask(&f, STAGE_MAIL), 551);
    know(&f, FACT_AUTH_USER, "eve");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    fixture_release(&f);
}

static void captures_hold_in_their_rule(void **state)
{
    struct fixture f;
    struct condition *parts[2], *either;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    parts[0] = test(&f, "mail.from", "", "/^(?<who>.+)@a\\.example$/");
    parts[1] = test(&f, "mail.from", "",
                    "/^nobody$/;/^(?<who>.)(?<rest>.*)@b\\.example$/i");
    built(&f, build_any(f.builder, parts, 2, &either));
    built(&f, build_when(f.builder, either));
    reject(&f, "550 {who} {1}");
    end(&f);
    rule(&f, STAGE_MAIL, "second");
    built(&f, build_when(f.builder, parts[1]));
    reject(&f, "551 {mail.from}");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "bob@a.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    assert_said(&f, "bob bob");
    know(&f, FACT_MAIL_FROM, "eve@B.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    assert_said(&f, "e e");
    fixture_release(&f);
}

static void a_capture_of_a_branch_not_taken_is_absent(void **state)
{
    struct fixture f;
    struct condition *parts[2], *either;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    parts[0] = test(&f, "mail.from", "", "/^(?<who>.+)@a\\.example$/");
    parts[1] = test(&f, "mail.from", "", "*@b.example");
    built(&f, build_any(f.builder, parts, 2, &either));
    built(&f, build_when(f.builder, either));
    reject(&f, "550 {who}");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "eve@b.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.acted_count, 0);
    fixture_release(&f);
}

/* --- dynamic lists --- */

static void dynamic_lists_are_asked_only_where_they_decide(void **state)
{
    struct fixture f;
    struct condition *parts[2], *both;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("contained"), NULL));
    rule(&f, STAGE_REPLY, "contain");
    built(&f, build_list_add(f.builder, STR("contained"), STR("{auth.user}"),
                             STR("12h")));
    end(&f);
    rule(&f, STAGE_MAIL, "contained");
    parts[0] = test(&f, "auth.user", "", "@contained");
    parts[1] = test(&f, "client.ip", "", "192.0.2.0/24");
    built(&f, build_all(f.builder, parts, 2, &both));
    built(&f, build_when(f.builder, both));
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_CLIENT_IP, "198.51.100.1");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.questions, 0);
    know(&f, FACT_CLIENT_IP, "192.0.2.1");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.questions, 1);
    assert_int_equal(ask(&f, STAGE_REPLY), 0);
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    know(&f, FACT_AUTH_USER, "BOB");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    f.now_ms += 12 * 3600 * 1000;
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    fixture_release(&f);
}

static void several_dynamic_lists_and_values_are_told_apart(void **state)
{
    struct fixture f;
    struct condition *parts[2], *either;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("x"), NULL));
    built(&f, build_list_dynamic(f.builder, STR("y"), NULL));
    rule(&f, STAGE_DATA, "r");
    parts[0] = test(&f, "data.recipients", "every_in", "@x;@y");
    parts[1] = test(&f, "auth.user", "", "@y");
    built(&f, build_any(f.builder, parts, 2, &either));
    built(&f, build_when(f.builder, either));
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_REPLY, "add");
    built(&f, build_list_add(f.builder, STR("x"), STR("{reply.to}"), STR("")));
    end(&f);
    rule(&f, STAGE_REPLY, "add other");
    when(&f, "reply.text", "", "y");
    built(&f, build_list_add(f.builder, STR("y"), STR("{reply.to}"), STR("")));
    built(&f, build_list_remove(f.builder, STR("x"), STR("{reply.to}")));
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know_list(&f, FACT_DATA_RECIPIENTS, "a@b.example;c@d.example");
    know(&f, FACT_REPLY_TO, "A@b.example");
    know(&f, FACT_REPLY_TEXT, "");
    ask(&f, STAGE_REPLY);
    assert_int_equal(ask(&f, STAGE_DATA), 0);
    know(&f, FACT_REPLY_TO, "c@d.example");
    know(&f, FACT_REPLY_TEXT, "y");
    ask(&f, STAGE_REPLY);
    assert_int_equal(ask(&f, STAGE_DATA), 550);
    know_list(&f, FACT_DATA_RECIPIENTS, "a@b.example;e@d.example");
    assert_int_equal(ask(&f, STAGE_DATA), 0);
    know(&f, FACT_AUTH_USER, "c@d.example");
    assert_int_equal(ask(&f, STAGE_DATA), 550);
    fixture_release(&f);
}

/* --- limits --- */

static void a_size_bounds_what_is_declared_and_what_streams(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "small");
    when(&f, "mail.from", "", "/^(.+)@/");
    limit(&f, "size", "10K");
    reject(&f, "552 5.3.4 {1}: at most {limit.max}, {limit.used} are too much");
    end(&f);
    rule(&f, STAGE_MAIL, "smaller for logging");
    limit(&f, "size", "5K");
    built(&f, build_tag(f.builder, STR("big")));
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "eve@x.example");
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 10241);
    assert_int_equal(ask(&f, STAGE_MAIL), 552);
    assert_said(&f, "eve: at most 10K, 10241 are too much");
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 10240);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.size_max, 10240);
    assert_str(rule_name(f.effects.size_rule), "small");
    assert_int_equal(f.effects.tag_count, 1);
    /* Without a declared size the stream is bounded all the same. */
    effects_init(&f.effects, &f.arena);
    facts_forget(&f.facts, FACT_MAIL_SIZE);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.size_max, 10240);
    evaluate_exceeded(&f.facts, &f.effects, f.scratch, 10250, &f.verdict);
    assert_int_equal(f.verdict.code, 552);
    assert_said(&f, "eve: at most 10K, 10250 are too much");
    /* What only tags waits for the end of the message. */
    assert_int_equal(f.effects.tag_count, 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 6000);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    assert_int_equal(f.effects.tag_count, 1);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 10241);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 552);
    fixture_release(&f);
}

static void limits_without_a_period_compare_this_message(void **state)
{
    static const struct {
        enum stage stage;
        const char *unit;
        enum fact fact;
    } CASES[] = {
        {STAGE_RCPT, "recipients", FACT_RCPT_COUNT},
        {STAGE_HEADER, "headers", FACT_HEADERS_COUNT},
        {STAGE_HEADER, "header_bytes", FACT_HEADERS_BYTES},
        {STAGE_HEADER, "hops", FACT_HEADERS_HOPS},
        {STAGE_MESSAGE, "line", FACT_MESSAGE_LONGEST_LINE},
        {STAGE_MESSAGE, "size", FACT_MESSAGE_BYTES},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, CASES[i].stage, "r");
        limit(&f, CASES[i].unit, "10");
        reject(&f, "554 {limit.used} of {limit.max}, left {limit.left}");
        end(&f);
        finish(&f);
        facts_set_number(&f.facts, CASES[i].fact, 10);
        assert_int_equal(ask(&f, CASES[i].stage), 0);
        facts_set_number(&f.facts, CASES[i].fact, 11);
        assert_int_equal(ask(&f, CASES[i].stage), 554);
        assert_said(&f, "11 of 10, left 0");
        assert_int_equal(f.questions, 0);
        fixture_release(&f);
    }
}

static void recipients_are_held_each_and_settled_with_the_message(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "recipients an hour");
    when(&f, "auth.user", "exists", "true");
    limit(&f, "recipients", "500/h");
    limit(&f, "burst", "3");
    limit(&f, "by", "{auth.user}");
    built(&f, build_defer(f.builder,
                          STR("450 4.7.1 {auth.user} may reach {limit.rate} "
                              "recipients, try again in "
                              "{limit.retry_after}")));
    end(&f);
    finish(&f);
    know(&f, FACT_RCPT_TO, "a@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.questions, 0);
    know(&f, FACT_AUTH_USER, "bob");
    for (uint64_t i = 1; i <= 3; i++) {
        facts_set_number(&f.facts, FACT_RCPT_COUNT, i);
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
        assert_int_equal(f.effects.holds[i - 1].scope, HOLD_RECIPIENT);
        assert_int_equal(f.effects.holds[i - 1].recipient, i - 1);
    }
    assert_int_equal(ask(&f, STAGE_RCPT), 450);
    assert_int_equal(f.effects.hold_count, 3);
    assert_int_equal(f.effects.use_count, 4);
    assert_int_equal(f.effects.uses[2].before, 2);
    assert_int_equal(f.effects.uses[2].after, 3);
    assert_int_equal(f.effects.uses[2].max, 3);
    assert_str(f.effects.uses[2].key, "bob");
    /* Refused upstream: all is given back. */
    settle(&f, false);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
    settle(&f, true);
    assert_int_equal(ask(&f, STAGE_RCPT), 450);
    assert_said(&f, "bob may reach 500/h recipients, try again in 8s");
    f.now_ms += 7200;
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    fixture_release(&f);
}

static void messages_count_once_in_a_transaction(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "messages", "2/h");
    limit(&f, "by", "{auth.user};{client.ip}");
    reject(&f, "550 {limit.used} {limit.left}");
    end(&f);
    finish(&f);
    know(&f, FACT_CLIENT_IP, "192.0.2.1");
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.questions, 1);
    assert_str(f.effects.uses[0].key, "192.0.2.1");
    assert_int_equal(f.effects.holds[0].scope, HOLD_TRANSACTION);
    settle(&f, true);
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    settle(&f, true);
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_said(&f, "2 0");
    know(&f, FACT_AUTH_USER, "bob");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_str(f.effects.uses[1].key, "bob");
    fixture_release(&f);
}

static void attempts_are_charged_and_kept(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    limit(&f, "messages", "2/h");
    limit(&f, "count", "attempts");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&f, STAGE_MAIL), 0);
        assert_int_equal(f.effects.holds[0].scope, HOLD_CHARGED);
        assert_true(f.effects.holds[0].is_settled);
        settle(&f, false);
    }
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    fixture_release(&f);
}

static void failures_count_failed_logins_alone(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_AUTH, "one network, ten failures");
    when(&f, "auth.result", "", "failed");
    limit(&f, "failures", "10/10m");
    limit(&f, "by", "{client.net}");
    built(&f, build_close(f.builder, STR("421 4.7.0 Too many failed logins")));
    end(&f);
    finish(&f);
    know(&f, FACT_CLIENT_NET, "192.0.2.1");
    know(&f, FACT_AUTH_RESULT, "ok");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    know(&f, FACT_AUTH_RESULT, "failed");
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(&f, STAGE_AUTH), 0);
    assert_int_equal(ask(&f, STAGE_AUTH), 421);
    assert_int_equal(f.verdict.kind, VERDICT_CLOSE);
    know(&f, FACT_CLIENT_NET, "192.0.2.2");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    fixture_release(&f);
}

static void rejects_count_5yz_of_the_upstream(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("contained"), NULL));
    rule(&f, STAGE_REPLY, "bounces");
    limit(&f, "rejects", "2/h");
    limit(&f, "by", "{auth.user}");
    built(&f, build_list_add(f.builder, STR("contained"), STR("{auth.user}"),
                             STR("12h")));
    end(&f);
    rule(&f, STAGE_AUTH, "contained");
    when(&f, "auth.user", "", "@contained");
    reject(&f, "525 5.7.13 suspended");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    static const uint64_t CODES[] = {250, 450, 550, 250, 554};
    for (size_t i = 0; i < 5; i++) {
        facts_set_number(&f.facts, FACT_REPLY_CODE, CODES[i]);
        ask(&f, STAGE_REPLY);
        assert_int_equal(f.effects.acted_count, 0);
    }
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    ask(&f, STAGE_REPLY);
    assert_int_equal(f.effects.acted_count, 1);
    assert_string_equal(f.effects.acted[0].did, "list");
    assert_int_equal(ask(&f, STAGE_AUTH), 525);
    fixture_release(&f);
}

static void connections_at_the_same_time_are_held_by_the_session(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_CONNECT, "r");
    limit(&f, "connections", "2");
    limit(&f, "by", "{client.ip}");
    reject(&f, "554 no");
    end(&f);
    finish(&f);
    know(&f, FACT_CLIENT_IP, "192.0.2.1");
    struct effects first, second;
    assert_int_equal(ask(&f, STAGE_CONNECT), 0);
    assert_int_equal(f.effects.holds[0].scope, HOLD_SESSION);
    /* The same session again: counted already. */
    assert_int_equal(ask(&f, STAGE_CONNECT), 0);
    assert_int_equal(f.questions, 1);
    first = f.effects;
    effects_init(&f.effects, &f.arena);
    assert_int_equal(ask(&f, STAGE_CONNECT), 0);
    second = f.effects;
    effects_init(&f.effects, &f.arena);
    assert_int_equal(ask(&f, STAGE_CONNECT), 554);
    f.now_ms += 1000000;
    assert_int_equal(ask(&f, STAGE_CONNECT), 554);
    ledger_give_back(f.ledger, &first.holds[0], f.now_ms);
    ledger_give_back(f.ledger, &first.holds[0], f.now_ms);
    assert_int_equal(ask(&f, STAGE_CONNECT), 0);
    effects_init(&f.effects, &f.arena);
    assert_int_equal(ask(&f, STAGE_CONNECT), 554);
    (void)second;
    fixture_release(&f);
}

static void connections_as_a_rate_count_once_a_session(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HELO, "r");
    limit(&f, "connections", "2/m");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&f, STAGE_HELO), 0);
    effects_init(&f.effects, &f.arena);
    assert_int_equal(ask(&f, STAGE_HELO), 0);
    effects_init(&f.effects, &f.arena);
    assert_int_equal(ask(&f, STAGE_HELO), 550);
    fixture_release(&f);
}

static void bytes_are_reserved_as_declared_and_corrected(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "volume");
    when(&f, "mail.from", "", "/^(.+)@/");
    limit(&f, "bytes", "1000/d");
    limit(&f, "by", "{1}");
    reject(&f, "552 5.2.2 {1} has {limit.left} left of {limit.max}");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "bob@x.example");
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 1001);
    assert_int_equal(ask(&f, STAGE_MAIL), 552);
    /* Less came than was declared: only that is used. */
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 800);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 300);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    assert_int_equal(f.effects.holds[0].charge, 300);
    settle(&f, true);
    /* More came than was declared: the rest is asked for. */
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 100);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 600);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    assert_int_equal(f.effects.hold_count, 1);
    assert_int_equal(f.effects.holds[0].cost, 600);
    settle(&f, true);
    /* Nothing declared, and what comes does not fit. */
    facts_forget(&f.facts, FACT_MAIL_SIZE);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 101);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 552);
    assert_said(&f, "bob has 100 left of 1000");
    settle(&f, false);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 100);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    settle(&f, true);
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 1);
    assert_int_equal(ask(&f, STAGE_MAIL), 552);
    fixture_release(&f);
}

/* As ask(), with answers that grant all, each under the next token. */
static void grant(struct fixture *f, enum stage stage, uint64_t *token)
{
    struct evaluation e;
    struct question question;
    evaluate_start(&e, f->ruleset, stage, &f->facts, &f->effects, f->scratch);
    while (evaluate(&e, &question, &f->verdict) == EVALUATE_QUESTION) {
        struct answer answer = {.is_within = true, .token = (*token)++};
        evaluate_answer(&e, &answer);
    }
}

static void what_is_held_elsewhere_is_held_by_its_token(void **state)
{
    struct fixture f;
    uint64_t token = 7;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "volume");
    limit(&f, "bytes", "1000/d");
    reject(&f, "552 5.2.2 {limit.used}");
    end(&f);
    finish(&f);
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 100);
    grant(&f, STAGE_MAIL, &token);
    assert_int_equal(f.effects.hold_count, 1);
    assert_int_equal(f.effects.holds[0].token, 7);
    /* The rest is a reservation of its own, and not corrected again. */
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 600);
    grant(&f, STAGE_MESSAGE, &token);
    assert_int_equal(token, 9);
    assert_int_equal(f.effects.hold_count, 2);
    const struct hold *holds = f.effects.holds;
    assert_int_equal(holds[0].cost, 100);
    assert_int_equal(holds[0].charge, 100);
    assert_int_equal(holds[1].cost, 500);
    assert_int_equal(holds[1].charge, 500);
    assert_int_equal(holds[1].token, 8);
    fixture_release(&f);
}

static void bytes_of_attempts_are_kept_as_declared_or_more(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "volume");
    limit(&f, "bytes", "1000/d");
    limit(&f, "count", "attempts");
    reject(&f, "552 5.2.2 {limit.used}");
    end(&f);
    finish(&f);
    /* Less came than was declared, and it was refused: all is kept. */
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 300);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 100);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    settle(&f, false);
    /* Nothing declared: what came is charged, and only once. */
    facts_forget(&f.facts, FACT_MAIL_SIZE);
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 400);
    assert_int_equal(ask(&f, STAGE_MESSAGE), 0);
    settle(&f, false);
    facts_set_number(&f.facts, FACT_MAIL_SIZE, 301);
    assert_int_equal(ask(&f, STAGE_MAIL), 552);
    assert_said(&f, "700");
    fixture_release(&f);
}

static void limits_may_come_from_a_list(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    list(&f, "quota", "bob 2/h;ann 500/h");
    list(&f, "most", "eve 1");
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "recipients", "{auth.user|map:quota}");
    limit(&f, "by", "{auth.user}");
    reject(&f, "550 {limit.max} of {limit.rate}");
    end(&f);
    rule(&f, STAGE_RCPT, "this message");
    limit(&f, "recipients", "{auth.user|map:most}");
    reject(&f, "550 {limit.max} at once");
    end(&f);
    finish(&f);
    facts_set_number(&f.facts, FACT_RCPT_COUNT, 2);
    know(&f, FACT_AUTH_USER, "zoe");
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(f.questions, 0);
    know(&f, FACT_AUTH_USER, "Bob");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_said(&f, "2 of 2/h");
    /* Without a period it is this message's bound. */
    know(&f, FACT_AUTH_USER, "eve");
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_said(&f, "1 at once");
    facts_set_number(&f.facts, FACT_RCPT_COUNT, 1);
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    fixture_release(&f);
}

/* --- rewrites and headers --- */

static void a_rewrite_is_seen_by_every_later_rule(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "the company we bought");
    when(&f, "mail.from", "", "/^(.+)@old\\.example$/i");
    built(&f,
          build_rewrite(f.builder, STR("mail.from"), STR("{1}@example.com")));
    end(&f);
    rule(&f, STAGE_MAIL, "own");
    when(&f, "mail.from", "not_in", "{auth.addresses}");
    reject(&f, "553 {mail.from} was {mail.original}");
    end(&f);
    rule(&f, STAGE_RCPT, "tagless");
    when(&f, "rcpt.to", "", "/\\+/");
    built(&f, build_rewrite(f.builder, STR("rcpt.to"), STR("{rcpt.to|base}")));
    built(&f, build_route(f.builder, STR("other")));
    end(&f);
    finish(&f);
    know_list(&f, FACT_AUTH_ADDRESSES, "bob@example.com");
    know(&f, FACT_MAIL_FROM, "bob@OLD.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_str(facts_text(&f.facts, FACT_MAIL_FROM), "bob@example.com");
    assert_str(facts_text(&f.facts, FACT_MAIL_ORIGINAL), "bob@OLD.example");
    know(&f, FACT_MAIL_FROM, "eve@old.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 553);
    assert_said(&f, "eve@example.com was eve@old.example");
    know(&f, FACT_RCPT_TO, "a+b@x.example");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    assert_str(facts_text(&f.facts, FACT_RCPT_TO), "a@x.example");
    assert_str(facts_text(&f.facts, FACT_RCPT_ORIGINAL), "a+b@x.example");
    assert_str(f.effects.route, "other");
    know(&f, FACT_RCPT_TO, "c@x.example");
    ask(&f, STAGE_RCPT);
    assert_str(facts_text(&f.facts, FACT_RCPT_ORIGINAL), "c@x.example");
    fixture_release(&f);
}

static void a_rewrite_to_what_is_no_address_is_a_fault(void **state)
{
    static const char *const WRONG[] = {
        "a b@x.example", "x@y@z.example", "nobody", "<a@b.example>", "a@b.",
    };
    (void)state;
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, STAGE_MAIL, "bad");
        built(&f,
              build_rewrite(f.builder, STR("mail.from"), STR("{helo.name}")));
        end(&f);
        finish(&f);
        know(&f, FACT_MAIL_FROM, "a@b.example");
        know(&f, FACT_HELO_NAME, WRONG[i]);
        assert_int_equal(ask(&f, STAGE_MAIL), 451);
        assert_int_equal(f.verdict.kind, VERDICT_FAULT);
        assert_str(f.verdict.enhanced, "4.3.5");
        assert_str(rule_name(f.verdict.rule), "bad");
        assert_str(facts_text(&f.facts, FACT_MAIL_FROM), "a@b.example");
        fixture_release(&f);
    }
}

static struct str whole_header(struct fixture *f)
{
    struct str all = STR("");
    for (size_t i = 0; i < f->header.count; i++)
        all = arena_printf(&f->arena, "%.*s%.*s", (int)all.n, all.p,
                           (int)f->header.items[i].raw.n,
                           f->header.items[i].raw.p);
    return all;
}

struct rewrite_case {
    const char *body; /* of To */
    const char *want; /* NULL: a fault */
};

static void matching_header_addresses_change_and_names_stay(void **state)
{
    static const struct rewrite_case CASES[] = {
        {" bob@old.example", "To: bob@example.com\r\n"},
        {" \"Bob, B\" <bob@old.example>,\r\n\tann@x.example (Ann)",
         "To: \"Bob, B\" <bob@example.com>,\r\n\tann@x.example (Ann)\r\n"},
        {" g: a@old.example, b@OLD.example;",
         "To: g: a@example.com, b@example.com;\r\n"},
        {" Doe, J <j@old.example>", "To: j@example.com\r\n"},
        {" ann@x.example", "To: ann@x.example\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, STAGE_HEADER, "r");
        when(&f, "header.to", "", "/^(.+)@old\\.example$/i");
        built(&f, build_rewrite(f.builder, STR("header.To"),
                                STR("{1}@example.com")));
        end(&f);
        finish(&f);
        know_header(&f, "To", CASES[i].body);
        assert_int_equal(ask(&f, STAGE_HEADER), 0);
        assert_str(whole_header(&f), CASES[i].want);
        fixture_release(&f);
    }
}

static void a_rewrite_without_a_pattern_changes_all_addresses(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "r");
    built(&f, build_rewrite(f.builder, STR("header.from"),
                            STR("{auth.user}@example.com")));
    end(&f);
    rule(&f, STAGE_HEADER, "own");
    when(&f, "header.from", "not_in", "{auth.addresses}");
    reject(&f, "550 {header.from}");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know_list(&f, FACT_AUTH_ADDRESSES, "bob@example.com");
    know_header(&f, "From", " Boss <ceo@x.example>");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_str(whole_header(&f), "From: Boss <bob@example.com>\r\n");
    /* Malformed: written anew, then in order. */
    f.header.count = 0;
    know_header(&f, "From", " <ceo@x.example> <me@x.example>");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_str(whole_header(&f), "From: bob@example.com\r\n");
    /* None: it gets one. */
    f.header.count = 0;
    know_header(&f, "Subject", " x");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_str(whole_header(&f), "Subject: x\r\nFrom: bob@example.com\r\n");
    know(&f, FACT_AUTH_USER, "not an address");
    assert_int_equal(ask(&f, STAGE_HEADER), 451);
    fixture_release(&f);
}

static void other_header_facts_are_replaced_and_encoded(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_HEADER, "r");
    when(&f, "header.subject", "", "/^Re: (.*)/");
    built(&f, build_rewrite(f.builder, STR("header.subject"), STR("[x] {1}")));
    end(&f);
    finish(&f);
    know_header(&f, "Subject", " Re: =?utf-8?Q?=C3=BC?=");
    know_header(&f, "subject", " other");
    assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_str(whole_header(&f),
               "Subject: =?utf-8?B?W3hdIMO8?=\r\nsubject: other\r\n");
    fixture_release(&f);
}

static void header_edits_wait_for_the_block_or_happen_at_once(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "early");
    built(&f, build_headers(f.builder, STR("add"), STR("X-User"),
                            STR("{auth.user}")));
    end(&f);
    rule(&f, STAGE_HEADER, "late");
    built(&f, build_headers(f.builder, STR("remove"), STR("X-Mail*"), STR("")));
    built(&f, build_headers(f.builder, STR("set"), STR("X-Name"),
                            STR("{auth.user} \xc3\xbc")));
    built(&f, build_headers(f.builder, STR("add_missing"), STR("Subject"),
                            STR("none")));
    built(&f, build_headers(f.builder, STR("add_missing"), STR("Date"),
                            STR("today")));
    end(&f);
    rule(&f, STAGE_HEADER, "sees it");
    when(&f, "header.x-mailer", "exists", "false");
    limit(&f, "headers", "2");
    reject(&f, "554 {headers.count}");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_MAIL_FROM, "a@b.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 0);
    assert_int_equal(f.effects.edit_count, 1);
    assert_int_equal(f.effects.edits[0].kind, HEADER_EDIT_ADD);
    assert_str(f.effects.edits[0].value, "bob");
    know_header(&f, "X-Mailer", " x");
    know_header(&f, "Subject", " s");
    facts_set_number(&f.facts, FACT_HEADERS_COUNT, 2);
    assert_int_equal(ask(&f, STAGE_HEADER), 554);
    assert_said(&f, "3");
    assert_str(whole_header(&f), "Subject: s\r\nX-Name: "
                                 "=?utf-8?B?Ym9iIMO8?=\r\nDate: today\r\n");
    assert_int_equal(f.effects.edit_count, 1);
    fixture_release(&f);
}

/* --- running out --- */

static void a_full_arena_is_a_fault_and_nothing_worse(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("d"), NULL));
    rule(&f, STAGE_RCPT, "r");
    when(&f, "rcpt.to", "", "/^(.+)@(.+)$/;@d");
    limit(&f, "recipients", "5/h");
    limit(&f, "by", "{1}");
    built(&f, build_rewrite(f.builder, STR("rcpt.to"), STR("{1}@x.example")));
    built(&f, build_tag(f.builder, STR("{rcpt.to}{rcpt.to}")));
    reject(&f, "550 {2}");
    end(&f);
    finish(&f);
    for (size_t cap = 0; cap < 6000; cap += 40) {
        struct arena small;
        arena_init(&small, cap);
        effects_init(&f.effects, &small);
        know(&f, FACT_RCPT_TO, "somebody.or.other@far.away.example");
        for (int i = 0; i < 7; i++) {
            int code = ask(&f, STAGE_RCPT);
            assert_true(code == 0 || code == 550 || code == 451);
            if (code == 451)
                assert_string_equal(f.verdict.fault, "out of memory");
            know(&f, FACT_RCPT_TO, "somebody.or.other@far.away.example");
        }
        effects_init(&f.effects, &f.arena);
        arena_release(&small);
    }
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_tried_in_order_and_the_first_to_decide_wins),
        cmocka_unit_test(replies_hold_one_line_of_printable_ascii),
        cmocka_unit_test(any_all_and_not_combine),
        cmocka_unit_test(a_rule_that_names_an_absent_fact_does_not_act),
        cmocka_unit_test(captures_hold_in_their_rule),
        cmocka_unit_test(a_capture_of_a_branch_not_taken_is_absent),
        cmocka_unit_test(dynamic_lists_are_asked_only_where_they_decide),
        cmocka_unit_test(several_dynamic_lists_and_values_are_told_apart),
        cmocka_unit_test(a_size_bounds_what_is_declared_and_what_streams),
        cmocka_unit_test(limits_without_a_period_compare_this_message),
        cmocka_unit_test(recipients_are_held_each_and_settled_with_the_message),
        cmocka_unit_test(messages_count_once_in_a_transaction),
        cmocka_unit_test(attempts_are_charged_and_kept),
        cmocka_unit_test(failures_count_failed_logins_alone),
        cmocka_unit_test(rejects_count_5yz_of_the_upstream),
        cmocka_unit_test(connections_at_the_same_time_are_held_by_the_session),
        cmocka_unit_test(connections_as_a_rate_count_once_a_session),
        cmocka_unit_test(bytes_are_reserved_as_declared_and_corrected),
        cmocka_unit_test(what_is_held_elsewhere_is_held_by_its_token),
        cmocka_unit_test(bytes_of_attempts_are_kept_as_declared_or_more),
        cmocka_unit_test(limits_may_come_from_a_list),
        cmocka_unit_test(a_rewrite_is_seen_by_every_later_rule),
        cmocka_unit_test(a_rewrite_to_what_is_no_address_is_a_fault),
        cmocka_unit_test(matching_header_addresses_change_and_names_stay),
        cmocka_unit_test(a_rewrite_without_a_pattern_changes_all_addresses),
        cmocka_unit_test(other_header_facts_are_replaced_and_encoded),
        cmocka_unit_test(header_edits_wait_for_the_block_or_happen_at_once),
        cmocka_unit_test(a_full_arena_is_a_fault_and_nothing_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
