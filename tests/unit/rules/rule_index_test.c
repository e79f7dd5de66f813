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
static const char *const SENDERS[] = {"bob@a.example",
                                      "ann@b.example",
                                      "\"bob\"@a.example",
                                      "\"b\\ob\"@a.example",
                                      "x@sub.b.example",
                                      "eve@c.example",
                                      "",
                                      "Bob@A.example",
                                      "bounce-17-x@d.example",
                                      "aaaaaaaaaaaaaaaaaaaaaaaa!@e.example"};
static const char *const CLIENTS[] = {"192.0.2.1",   "192.0.2.77",
                                      "10.1.2.3",    "10.200.0.1",
                                      "2001:db8::1", "2001:db8:1::1"};

#define PICK(dice, words) (words)[roll((dice), sizeof(words) / sizeof *(words))]

/* Tests of all kinds, and whether they hold is up to the facts. */
static const struct {
    const char *fact, *word, *values;
} TESTS[] = {
    {"auth.user", "", "bob"},
    {"auth.user", "", "ann"},
    {"auth.user", "in", "eve;joe"},
    {"auth.user", "is", "BOB"},
    {"auth.user", "not_in", "bob"},
    {"auth.user", "none_in", "ann;eve"},
    {"auth.user", "", "/^b(.)b$/"},
    {"auth.user", "", "/oe$/i"},
    {"auth.user", "", "/ann|zoe/"},
    {"auth.user", "", "@names"},
    {"auth.user", "", "@many"},
    {"auth.user", "", "@many;zoe"},
    {"auth.user", "exists", "true"},
    {"auth.user", "exists", "false"},
    {"auth.user", "", "a*"},
    {"auth.user", "", "*oe"},
    {"auth.groups", "is", "staff"},
    {"auth.groups", "", "students;guests"},
    {"auth.groups", "every_in", "staff;students"},
    {"auth.groups", "none_in", "guests"},
    {"auth.groups", "not_in", "staff"},
    {"mail.from", "is", "bob@a.example"},
    {"mail.from", "", "*@b.example"},
    {"mail.from", "", "*@*.b.example"},
    {"mail.from", "", "bob@.a.example"},
    {"mail.from", "", "*bob@*"},
    {"mail.from", "", "bounce-17-*@*"},
    {"mail.from", "", ".example"},
    {"mail.from", "", "{auth.user}@a.example"},
    {"mail.from", "", "/^(a+)+@e/"},
    {"mail.from", "", "/^(a+)+@no\\.example/"},
    {"mail.from", "", "@senders"},
    {"mail.from.domain", "", "a.example"},
    {"mail.from.domain", "", ".b.example"},
    {"mail.from.domain", "", "*.b.example"},
    {"mail.from.local", "", "bob"},
    {"mail.from.local", "", "/^b.+$/"},
    {"mail.size", "", "> 10"},
    {"mail.size", "", "< 5;> 15"},
    {"mail.size", "", "7"},
    {"client.ip", "", "192.0.2.0/24"},
    {"client.ip", "", "192.0.2.1;10.0.0.0/8"},
    {"client.ip", "", "10.1.0.0/16;10.0.0.0/8"},
    {"client.ip", "", "2001:db8::/32"},
    {"client.ip", "", "2001:db8:1::/48;0.0.0.0/0"},
    {"client.ip", "", "@nets"},
    {"client.ip", "not_in", "10.0.0.0/8"},
    {"header.subject", "", "hello"},
    {"header.subject", "", "/ell/"},
    {"header.x-kind", "", "/^kind 1/"},
    {"header.x-kind", "", "one"},
    {"header.x-kind", "exists", "true"},
    {"header.from", "", "ann@b.example"},
    {"header.from.domain", "none_in", "b.example"},
};

static struct condition *random_test(struct fixture *f, struct dice *dice)
{
    unsigned i = roll(dice, sizeof TESTS / sizeof *TESTS);
    return test(f, TESTS[i].fact, TESTS[i].word, TESTS[i].values);
}

/* A tree of tests. */
static struct condition *random_condition(struct fixture *f, struct dice *dice,
                                          unsigned depth)
{
    struct condition *parts[3], *out;
    unsigned kind = depth == 0 ? 9 : roll(dice, 10);
    if (kind > 6)
        return random_test(f, dice);
    size_t count = 1 + roll(dice, 3);
    for (size_t i = 0; i < count; i++)
        parts[i] = random_condition(f, dice, depth - 1);
    built(f, kind == 0  ? build_not(f->builder, parts[0], &out)
             : kind < 3 ? build_any(f->builder, parts, count, &out)
                        : build_all(f->builder, parts, count, &out));
    return out;
}

static void random_rule(struct fixture *f, struct dice *dice, int number)
{
    char name[32];
    snprintf(name, sizeof name, "rule %d", number);
    rule(f, STAGE_HEADER, name);
    if (roll(dice, 12) > 0)
        built(f, build_when(f->builder, random_condition(f, dice, 2)));
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
    case 4:
        built(f, build_mode(f->builder, STR("off")));
        built(f, build_tag(f->builder, STR("t")));
        break;
    default:
        built(f, build_tag(f->builder, STR("t")));
    }
    end(f);
}

/* Patterns break on what is longer than they may look at. */
static const char *random_subject(struct dice *dice)
{
    static char longest[REGEX_SUBJECT_MAX + 2];
    memset(longest, 'x', sizeof longest - 1);
    unsigned face = roll(dice, 40);
    return face == 0 ? longest : face < 20 ? " hello" : " other";
}

static void random_facts(struct fixture *f, struct dice *dice)
{
    know(f, FACT_AUTH_USER, PICK(dice, USERS));
    know(f, FACT_MAIL_FROM, PICK(dice, SENDERS));
    know(f, FACT_CLIENT_IP, PICK(dice, CLIENTS));
    facts_set_number(&f->facts, FACT_MAIL_SIZE, roll(dice, 20));
    know_list(f, FACT_AUTH_GROUPS,
              roll(dice, 2) == 0 ? "staff;students" : PICK(dice, GROUPS));
    if (roll(dice, 8) == 0)
        facts_forget(&f->facts, FACT_AUTH_USER);
    if (roll(dice, 4) == 0)
        facts_forget(&f->facts, FACT_MAIL_SIZE);
    f->facts.header = NULL;
    know_header(f, "Subject", random_subject(dice));
    if (roll(dice, 3) == 0)
        know_header(f, "X-Kind", roll(dice, 2) == 0 ? " kind 1" : " one");
    if (roll(dice, 2) == 0)
        know_header(f, "From",
                    roll(dice, 2) == 0 ? " Ann <ann@b.example>"
                                       : " x@a.example");
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

/* One of them with more entries than an index spreads out. */
static void random_lists(struct fixture *f)
{
    static char octets[20 * 1200];
    size_t n = 0, line;
    for (int i = 0; i < 1200; i++)
        n += (size_t)snprintf(octets + n, sizeof octets - n, "user%d\n", i);
    n += (size_t)snprintf(octets + n, sizeof octets - n, "eve\n");
    list(f, "names", "ann;joe");
    list(f, "senders", "/^eve@/;*@b.example;x@*.b.example");
    list(f, "nets", "10.0.0.0/9;2001:db8::1;192.0.2.77");
    built(f, build_list_file(f->builder, STR("many"), str_span(octets, n), NULL,
                             &line));
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
        random_lists(&f);
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
