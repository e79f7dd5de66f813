/* Rules that are found by value decide as if each had been tried: random
 * policies and facts, once as they are and once with a listener, for whom
 * every rule is tried. */
#include "tests/unit/rules/fixture.h"

#include "rules/evaluate.h"
#include "rules/ruleset_internal.h"
#include "rules/trace.h"

#define RULES_MAX 60

struct dice {
    uint32_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state = dice->state * 1664525u + 1013904223u;
    return (dice->state >> 8) % sides;
}

static const char *const USERS[] = {"bob", "ann", "eve", "joe", "BOB", "zoe"};
static const char *const GROUPS[] = {"staff", "students", "guests", ""};
static const char *const SENDERS[] = {"bob@a.example",     "ann@b.example",
                                      "\"bob\"@a.example", "x@sub.b.example",
                                      "eve@c.example",     "",
                                      "Bob@A.example"};

#define PICK(dice, words) (words)[roll((dice), sizeof(words) / sizeof *(words))]

static struct condition *random_test(struct fixture *f, struct dice *dice)
{
    char text[128];
    switch (roll(dice, 12)) {
    case 0:
    case 1:
    case 2:
        return test(f, "auth.user", "", PICK(dice, USERS));
    case 3:
        snprintf(text, sizeof text, "%s;%s", PICK(dice, USERS),
                 PICK(dice, USERS));
        return test(f, "auth.user", "in", text);
    case 4:
        return test(f, "auth.groups", "is", PICK(dice, GROUPS));
    case 5:
        return test(f, "mail.from", "is", PICK(dice, SENDERS));
    case 6:
        return test(f, "mail.from.domain", "",
                    roll(dice, 2) == 0 ? "a.example" : ".b.example");
    case 7:
        return test(f, "auth.user", "not_in", PICK(dice, USERS));
    case 8:
        return test(f, "auth.user", "", "/^b(.)b$/");
    case 9:
        return test(f, "auth.user", "", "@names");
    case 10:
        return test(f, "header.subject", "", "hello");
    default:
        return test(f, "auth.groups", "none_in", PICK(dice, GROUPS));
    }
}

static void random_rule(struct fixture *f, struct dice *dice, int number)
{
    char name[32];
    struct condition *parts[3], *all;
    size_t count = roll(dice, 4);
    snprintf(name, sizeof name, "rule %d", number);
    rule(f, STAGE_HEADER, name);
    for (size_t i = 0; i < count && i < 3; i++)
        parts[i] = random_test(f, dice);
    if (count > 0) {
        unsigned kind = roll(dice, 6);
        built(f, kind == 0   ? build_any(f->builder, parts, count, &all)
                 : kind == 1 ? build_not(f->builder, parts[0], &all)
                             : build_all(f->builder, parts, count, &all));
        built(f,
              build_when(f->builder, kind > 1 && count == 1 ? parts[0] : all));
    }
    built(f, build_note(f->builder, str_from(name)));
    switch (roll(dice, 12)) {
    case 0:
        reject(f, "550 5.7.1 no");
        break;
    case 1:
        built(f,
              build_rewrite(f->builder, STR("header.subject"), STR("hello")));
        break;
    case 2:
        built(f, build_headers(f->builder, STR("remove"), STR("Subject"),
                               STR("")));
        break;
    case 3:
        built(f, build_accept(f->builder, STR("true")));
        break;
    default:
        built(f, build_tag(f->builder, STR("t")));
    }
    end(f);
}

static void random_facts(struct fixture *f, struct dice *dice)
{
    know(f, FACT_AUTH_USER, PICK(dice, USERS));
    know(f, FACT_MAIL_FROM, PICK(dice, SENDERS));
    know_list(f, FACT_AUTH_GROUPS,
              roll(dice, 2) == 0 ? "staff;students" : PICK(dice, GROUPS));
    if (roll(dice, 8) == 0)
        facts_forget(&f->facts, FACT_AUTH_USER);
    f->facts.header = NULL;
    know_header(f, "Subject", roll(dice, 2) == 0 ? " hello" : " other");
}

/* The verdict and all notes, which name the rules that acted. */
static struct str outcome(struct fixture *f, const struct trace *trace)
{
    struct evaluation e;
    struct question question;
    struct str out = STR("");
    effects_init(&f->effects, &f->arena);
    evaluate_start(&e, f->ruleset, STAGE_HEADER, &f->facts, &f->effects,
                   f->scratch);
    if (trace != NULL)
        evaluate_trace(&e, trace);
    assert_int_equal(evaluate(&e, &question, &f->verdict), EVALUATE_VERDICT);
    for (size_t i = 0; i < f->effects.note_count; i++)
        out = arena_printf(&f->arena, "%.*s%.*s,", (int)out.n, out.p,
                           (int)f->effects.notes[i].n, f->effects.notes[i].p);
    return arena_printf(
        &f->arena, "%.*s%d %s", (int)out.n, out.p, f->verdict.code,
        f->verdict.rule == NULL ? "" : rule_name(f->verdict.rule).p);
}

static void random_policies_decide_the_same_by_value(void **state)
{
    static const struct trace LISTENER = {0};
    size_t indexed = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 400; seed++) {
        struct fixture f;
        struct dice dice = {seed};
        fixture_init(&f);
        list(&f, "names", "ann;joe");
        int count = 1 + (int)roll(&dice, RULES_MAX);
        for (int i = 0; i < count; i++)
            random_rule(&f, &dice, i);
        finish(&f);
        indexed += f.ruleset->stages[STAGE_HEADER].index != NULL;
        for (int i = 0; i < 10; i++) {
            struct dice same = dice;
            random_facts(&f, &dice);
            struct str by_value = outcome(&f, NULL);
            random_facts(&f, &same);
            struct str one_by_one = outcome(&f, &LISTENER);
            if (!str_equals(by_value, one_by_one))
                fail_msg("policy %u: %s, but one by one %s", (unsigned)seed,
                         by_value.p, one_by_one.p);
        }
        fixture_release(&f);
    }
    assert_true(indexed > 200);
}

static void only_rules_that_want_the_value_are_tried(void **state)
{
    struct fixture f;
    struct rule_cursor cursor = {0};
    struct fact_reader reader;
    char name[32];
    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "rule %d", i);
        rule(&f, STAGE_MAIL, name);
        snprintf(name, sizeof name, "user%d", i % 50);
        if (i != 70)
            when(&f, "auth.user", "", name);
        built(&f, build_tag(f.builder, STR("t")));
        end(&f);
    }
    finish(&f);
    know(&f, FACT_AUTH_USER, "USER7");
    fact_reader_init(&reader, &f.facts, &f.arena);
    const struct rule_index *index = f.ruleset->stages[STAGE_MAIL].index;
    assert_non_null(index);
    assert_int_equal(rule_index_next(index, &cursor, &reader, 0), 7);
    assert_int_equal(rule_index_next(index, &cursor, &reader, 8), 57);
    assert_int_equal(rule_index_next(index, &cursor, &reader, 58), 70);
    assert_int_equal(rule_index_next(index, &cursor, &reader, 71), 100);
    know(&f, FACT_AUTH_USER, "user49"); /* as a rewrite would */
    assert_int_equal(rule_index_next(index, &cursor, &reader, 71), 99);
    facts_forget(&f.facts, FACT_AUTH_USER);
    assert_int_equal(rule_index_next(index, &cursor, &reader, 71), 100);
    fixture_release(&f);
}

/* A rule in front of the test for a value that breaks must still break. */
static void a_fault_before_the_value_is_not_passed_over(void **state)
{
    struct fixture f;
    struct condition *parts[2], *all;
    char name[32];
    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "rule %d", i);
        rule(&f, STAGE_MAIL, name);
        parts[0] = test(&f, "mail.from.local", "", "/^(a+)+$/");
        parts[1] = test(&f, "auth.user", "", name);
        built(&f, build_all(f.builder, parts, 2, &all));
        built(&f, build_when(f.builder, all));
        built(&f, build_tag(f.builder, STR("t")));
        end(&f);
    }
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know(&f, FACT_MAIL_FROM,
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!@x.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 451);
    assert_int_equal(f.verdict.kind, VERDICT_FAULT);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_policies_decide_the_same_by_value),
        cmocka_unit_test(only_rules_that_want_the_value_are_tried),
        cmocka_unit_test(a_fault_before_the_value_is_not_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
