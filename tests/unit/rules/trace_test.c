#include "tests/unit/rules/fixture.h"

#include "rules/condition.h"
#include "rules/trace.h"

/* What was told, one word after the other. */
struct journal {
    char text[2000];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void tell(struct journal *journal,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(journal->text + journal->n,
                      sizeof journal->text - journal->n, format, args);
    va_end(args);
    assert_true(n >= 0 && journal->n + (size_t)n < sizeof journal->text);
    journal->n += (size_t)n;
}

static void on_test(void *owner, const struct test *test, enum truth truth,
                    struct str value)
{
    static const char *const TRUTHS[] = {"no", "yes", "unknown", "fault"};
    tell(owner, "%s %s", fact_name(test->fact.fact), TRUTHS[truth]);
    if (value.p != NULL)
        tell(owner, " by %.*s", (int)value.n, value.p);
    tell(owner, "; ");
}

static void on_measured(void *owner, const struct rule *rule, uint64_t measured,
                        uint64_t max)
{
    (void)rule;
    tell(owner, "%d against %d; ", (int)measured, (int)max);
}

static void on_answer(void *owner, const struct question *question,
                      const struct answer *answer)
{
    if (question->kind == QUESTION_ASK)
        tell(owner, "%.*s said %.*s; ", (int)question->server.n,
             question->server.p, (int)answer->action.n, answer->action.p);
    else if (question->kind == QUESTION_LISTED)
        tell(owner, "%.*s is%s listed; ", (int)question->value.n,
             question->value.p, answer->is_listed ? "" : " not");
    else
        tell(owner, "%d to %d of %d; ", (int)answer->before, (int)answer->after,
             (int)question->max);
}

static void on_rule(void *owner, const struct rule *rule, enum rule_fate fate,
                    const struct fact_ref *absent,
                    const struct verdict *verdict)
{
    static const char *const FATES[] = {
        [FATE_ACTED] = "acted",
        [FATE_PRETENDED] = "pretended",
        [FATE_NOT_HELD] = "not held",
        [FATE_ABSENT] = "absent",
        [FATE_WITHIN] = "within",
        [FATE_NOT_COUNTED] = "not counted",
        [FATE_UNLISTED] = "unlisted",
        [FATE_OFF] = "off",
        [FATE_NOT_REACHED] = "not reached",
    };
    struct str name = rule_name(rule);
    tell(owner, "%.*s %s", (int)name.n, name.p, FATES[fate]);
    if (absent != NULL)
        tell(owner, " %s", fact_name(absent->fact));
    if (verdict != NULL)
        tell(owner, " %d", verdict->code);
    tell(owner, ". ");
}

static const struct trace TRACE = {.on_test = on_test,
                                   .on_measured = on_measured,
                                   .on_answer = on_answer,
                                   .on_rule = on_rule};

static void assert_told(struct fixture *f, enum stage stage, const char *want)
{
    struct journal journal = {.n = 0};
    struct trace trace = TRACE;
    trace.owner = &journal;
    f->trace = &trace;
    ask(f, stage);
    f->trace = NULL;
    assert_string_equal(journal.text, want);
}

static void each_rule_has_one_fate_in_order(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "a");
    built(&f, build_mode(f.builder, STR("off")));
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_MAIL, "b");
    built(&f, build_tag(f.builder, STR("{tls.sni}")));
    end(&f);
    rule(&f, STAGE_MAIL, "c");
    when(&f, "auth.groups", "", "staff;wheel");
    built(&f, build_tag(f.builder, STR("t")));
    end(&f);
    rule(&f, STAGE_MAIL, "d");
    built(&f, build_mode(f.builder, STR("shadow")));
    when(&f, "auth.groups", "not_in", "students");
    reject(&f, "551 no");
    end(&f);
    rule(&f, STAGE_MAIL, "e");
    when(&f, "auth.user", "", "bob");
    built(&f, build_tag(f.builder, STR("t")));
    end(&f);
    rule(&f, STAGE_MAIL, "f");
    when(&f, "tls.sni", "exists", "false");
    reject(&f, "552 no");
    end(&f);
    rule(&f, STAGE_MAIL, "g");
    reject(&f, "553 no");
    end(&f);
    rule(&f, STAGE_MAIL, "h");
    built(&f, build_mode(f.builder, STR("off")));
    reject(&f, "553 no");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know_list(&f, FACT_AUTH_GROUPS, "students;alumni");
    assert_told(&f, STAGE_MAIL,
                "a off. b absent tls.sni. auth.groups no; c not held. "
                "auth.groups yes by alumni; d pretended 551. "
                "auth.user yes by bob; e acted. tls.sni yes; f acted 552. "
                "g not reached. h off. ");
    fixture_release(&f);
}

static void limits_and_lists_are_told_before_and_after(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_list_dynamic(f.builder, STR("vip"), NULL));
    list(&f, "quota", "ann 1/h");
    rule(&f, STAGE_RCPT, "count");
    limit(&f, "recipients", "3");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_RCPT, "quota");
    limit(&f, "recipients", "{auth.user|map:quota}");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_RCPT, "rate");
    limit(&f, "recipients", "1/h");
    reject(&f, "551 no");
    end(&f);
    rule(&f, STAGE_RCPT, "vip");
    when(&f, "auth.user", "", "@vip");
    reject(&f, "552 no");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    facts_set_number(&f.facts, FACT_RCPT_COUNT, 2);
    assert_told(&f, STAGE_RCPT,
                "2 against 3; count within. quota unlisted. "
                "0 to 1 of 1; rate within. "
                "bob is not listed; auth.user no by bob; vip not held. ");
    facts_set_number(&f.facts, FACT_RCPT_COUNT, 3);
    assert_told(&f, STAGE_RCPT,
                "3 against 3; count within. quota unlisted. "
                "1 to 1 of 1; rate acted 551. vip not reached. ");
    fixture_release(&f);
}

static void servers_and_sizes_that_are_corrected_are_told(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "size");
    limit(&f, "size", "10");
    reject(&f, "552 no");
    end(&f);
    rule(&f, STAGE_MAIL, "once");
    limit(&f, "messages", "5/h");
    reject(&f, "552 no");
    end(&f);
    rule(&f, STAGE_MESSAGE, "asking");
    built(&f, build_ask(f.builder, STR("grey")));
    end(&f);
    finish(&f);
    assert_told(&f, STAGE_MAIL, "size not counted. 0 to 1 of 5; once within. ");
    f.action = "REJECT";
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 9);
    assert_told(&f, STAGE_MESSAGE,
                "9 against 10; size within. "
                "grey said REJECT; asking acted 554. ");
    facts_set_number(&f.facts, FACT_MESSAGE_BYTES, 11);
    assert_told(&f, STAGE_MESSAGE,
                "11 against 10; size acted 552. asking not reached. ");
    fixture_release(&f);
}

/* The captures of a rule are the same, whether anybody listens or not. */
static void listening_changes_nothing(void **state)
{
    struct fixture f;
    struct journal journal = {.n = 0};
    struct trace trace = {.owner = &journal, .on_rule = on_rule};
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "a");
    when(&f, "mail.from", "matches", "/^(.*)@(.*)$/");
    reject(&f, "550 {1} of {2}");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "bob@x.example");
    f.trace = &trace;
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    assert_said(&f, "bob of x.example");
    assert_string_equal(journal.text, "a acted 550. ");
    f.trace = &(struct trace){0};
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_one_fate_in_order),
        cmocka_unit_test(limits_and_lists_are_told_before_and_after),
        cmocka_unit_test(servers_and_sizes_that_are_corrected_are_told),
        cmocka_unit_test(listening_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
