#include "config/policy_tests.h"

#include "config/test_run.h"
#include "rules/fact_values.h"
#include "rules/problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KEYS_MIN 64

/* A reply is shorter: one line of SMTP. */
#define TEXT_MAX 600

/* What an expectation wanted and what there was instead. */
struct mismatch {
    char wanted[TEXT_MAX];
    char got[TEXT_MAX];
};

/* What a client hears at the end of a stage that passes. */
static int passing_code(enum stage stage)
{
    switch (stage) {
    case STAGE_CONNECT:
        return 220;
    case STAGE_AUTH:
        return 235;
    case STAGE_DATA:
        return 354;
    default:
        return 250;
    }
}

/* What the client hears, without the id. */
static void print_reply(const struct verdict *verdict, char text[TEXT_MAX])
{
    snprintf(text, TEXT_MAX, "%d %.*s%s%.*s", verdict->code,
             (int)verdict->enhanced.n, verdict->enhanced.p,
             verdict->enhanced.n == 0 ? "" : " ", (int)verdict->text.n,
             verdict->text.p);
}

static void describe(const struct test_run *run, char text[TEXT_MAX])
{
    const struct verdict *verdict = &run->verdict;
    if (verdict->kind == VERDICT_PASS) {
        snprintf(text, TEXT_MAX, "250, as no rule refuses it");
        return;
    }
    char reply[TEXT_MAX];
    print_reply(verdict, reply);
    if (verdict->rule == NULL)
        snprintf(text, TEXT_MAX, "\"%.180s\" at %s", reply,
                 stage_name(run->stage));
    else
        snprintf(text, TEXT_MAX, "\"%.180s\" at %s by the rule \"%.*s\"", reply,
                 stage_name(run->stage), PROBLEM_STR(rule_name(verdict->rule)));
}

static bool is_reply_met(struct test_run *run, const struct test_expect *expect,
                         uint64_t n)
{
    const struct verdict *verdict = &run->verdict;
    if (verdict->kind == VERDICT_PASS)
        return expect->code == 250 ||
               (int)expect->code == passing_code(run->stage);
    if ((int)expect->code != verdict->code)
        return false;
    char reply[TEXT_MAX];
    print_reply(verdict, reply);
    return expect->reply.n == 0 ||
           str_equals(str_from(reply), test_run_text(run, expect->reply, n));
}

/* The rule that refused, or one that acted on what passed. What a rule of mode
 * shadow would have done is asked for by `would`, and by nothing else. */
static bool is_rule_met(const struct test_run *run,
                        const struct test_expect *expect)
{
    const struct effects *effects = &run->effects;
    if (run->verdict.rule != NULL && !expect->is_shadow)
        return str_equals(rule_name(run->verdict.rule), expect->rule);
    for (size_t i = 0; i < effects->acted_count; i++)
        if (effects->acted[i].is_shadow == expect->is_shadow &&
            str_equals(rule_name(effects->acted[i].rule), expect->rule))
            return true;
    return false;
}

static bool holds(const struct str *items, size_t count, struct str wanted)
{
    for (size_t i = 0; i < count; i++)
        if (str_equals(items[i], wanted))
            return true;
    return false;
}

static bool is_fact_met(struct test_run *run, const struct test_fact *wanted,
                        uint64_t n, struct mismatch *mismatch)
{
    struct fact_reader reader;
    struct fact_values values = {0};
    fact_reader_init(&reader, &run->facts, &run->arena);
    if (fact_values_read(&reader, &wanted->ref, &values) != 0)
        return false;
    bool is_met = values.count == wanted->count;
    for (size_t i = 0; is_met && i < wanted->count; i++)
        is_met = str_equals_nocase(values.items[i],
                                   test_run_text(run, wanted->values[i], n));
    if (fact_type(&wanted->ref) == FACT_TYPE_NUMBER)
        is_met = values.is_known && values.number == wanted->number;
    struct str first = values.count == 0 ? STR("") : values.items[0];
    struct str want = wanted->count == 0 ? STR("") : wanted->values[0];
    snprintf(mismatch->wanted, TEXT_MAX, "%.*s \"%.*s\"%s", (int)wanted->name.n,
             wanted->name.p, PROBLEM_STR(want),
             wanted->count > 1 ? " and more" : "");
    snprintf(mismatch->got, TEXT_MAX, "\"%.*s\"%s", PROBLEM_STR(first),
             values.count > 1 ? " and more" : "");
    return is_met;
}

/* `none`, or the texts that there are, as far as they fit. */
static void list_texts(const struct str *items, size_t count,
                       char text[TEXT_MAX])
{
    size_t used = 0;
    snprintf(text, TEXT_MAX, "none");
    for (size_t i = 0; i < count && used < TEXT_MAX; i++) {
        int length = snprintf(text + used, TEXT_MAX - used, "%s\"%.*s\"",
                              i == 0 ? "" : ", ", PROBLEM_STR(items[i]));
        used += length < 0 ? TEXT_MAX : (size_t)length;
    }
}

static bool are_effects_met(const struct test_run *run,
                            const struct test_expect *expect,
                            struct mismatch *mismatch)
{
    const struct effects *effects = &run->effects;
    struct str route = test_run_route(run);
    if (expect->route.n > 0 && !str_equals(expect->route, route)) {
        snprintf(mismatch->wanted, TEXT_MAX, "the route %.*s",
                 PROBLEM_STR(expect->route));
        snprintf(mismatch->got, TEXT_MAX, "%.*s%s", PROBLEM_STR(route),
                 effects->route.n == 0 ? ", the default" : "");
        return false;
    }
    list_texts(effects->tags, effects->tag_count, mismatch->got);
    for (size_t i = 0; i < expect->tag_count; i++)
        if (!holds(effects->tags, effects->tag_count, expect->tags[i])) {
            snprintf(mismatch->wanted, TEXT_MAX, "the tag \"%.*s\"",
                     PROBLEM_STR(expect->tags[i]));
            return false;
        }
    list_texts(effects->notes, effects->note_count, mismatch->got);
    snprintf(mismatch->wanted, TEXT_MAX, "the note \"%.*s\"",
             PROBLEM_STR(expect->note));
    return expect->note.n == 0 ||
           holds(effects->notes, effects->note_count, expect->note);
}

/* `no rule that pretends`, or those that do. */
static void list_pretending(const struct test_run *run, char text[TEXT_MAX])
{
    size_t used = 0;
    snprintf(text, TEXT_MAX, "no rule that does");
    for (size_t i = 0; i < run->effects.acted_count && used < TEXT_MAX; i++) {
        const struct acted *acted = &run->effects.acted[i];
        if (!acted->is_shadow)
            continue;
        int length = snprintf(text + used, TEXT_MAX - used, "%s\"%.*s\"",
                              used == 0 ? "" : ", ",
                              PROBLEM_STR(rule_name(acted->rule)));
        used += length < 0 ? TEXT_MAX : (size_t)length;
    }
}

/* Recipients and delays. */
static bool are_answers_met(struct test_run *run,
                            const struct test_expect *expect, uint64_t n,
                            struct mismatch *mismatch)
{
    const struct effects *effects = &run->effects;
    struct str *added =
        arena_array(&run->arena, effects->added_count + 1, sizeof *added);
    for (size_t i = 0; added != NULL && i < effects->added_count; i++)
        added[i] = effects->added[i].address;
    list_texts(added, added == NULL ? 0 : effects->added_count, mismatch->got);
    for (size_t i = 0; i < expect->added_count; i++) {
        struct str wanted = test_run_text(run, expect->added[i], n);
        if (added != NULL && holds(added, effects->added_count, wanted))
            continue;
        snprintf(mismatch->wanted, TEXT_MAX, "the added recipient \"%.*s\"",
                 PROBLEM_STR(wanted));
        return false;
    }
    snprintf(mismatch->wanted, TEXT_MAX, "a delay of %" PRIu64 " ms",
             expect->delay_ms);
    snprintf(mismatch->got, TEXT_MAX, "%" PRIu64 " ms", effects->delay_ms);
    return expect->delay_ms == 0 || expect->delay_ms == effects->delay_ms;
}

static bool is_verdict_met(struct test_run *run,
                           const struct test_expect *expect, uint64_t n,
                           struct mismatch *mismatch)
{
    describe(run, mismatch->got);
    if (expect->code != 0 && !is_reply_met(run, expect, n)) {
        if (expect->reply.n > 0)
            snprintf(mismatch->wanted, TEXT_MAX, "\"%.*s\"",
                     PROBLEM_STR(expect->reply));
        else
            snprintf(mismatch->wanted, TEXT_MAX, "the reply %u", expect->code);
        return false;
    }
    if (expect->has_stage && expect->stage != run->stage) {
        snprintf(mismatch->wanted, TEXT_MAX, "the stage %s",
                 stage_name(expect->stage));
        return false;
    }
    snprintf(mismatch->wanted, TEXT_MAX, "the rule \"%.*s\"%s",
             PROBLEM_STR(expect->rule), expect->is_shadow ? " to pretend" : "");
    if (expect->is_shadow)
        list_pretending(run, mismatch->got);
    return expect->rule.n == 0 || is_rule_met(run, expect);
}

static bool is_met(struct test_run *run, const struct test_expect *expect,
                   uint64_t n, struct mismatch *mismatch)
{
    if (expect->mark.line == 0)
        return true;
    if (!is_verdict_met(run, expect, n, mismatch) ||
        !are_effects_met(run, expect, mismatch) ||
        !are_answers_met(run, expect, n, mismatch))
        return false;
    for (size_t i = 0; i < expect->fact_count; i++)
        if (!is_fact_met(run, &expect->facts[i], n, mismatch))
            return false;
    return true;
}

/* `name`, or `name (step 2, time 57)`. */
static void report(struct diags *diags, const struct policy_test *test,
                   size_t step, uint64_t n, const struct mismatch *mismatch)
{
    const struct test_step *failed = &test->steps[step];
    char where[64] = "";
    if (failed->repeat > 1)
        snprintf(where, sizeof where, " (step %zu, time %" PRIu64 ")", step + 1,
                 n);
    else if (test->step_count > 1)
        snprintf(where, sizeof where, " (step %zu)", step + 1);
    diags_error(diags, failed->expect.mark,
                "test \"%.*s\"%s: expected %s, got %s", PROBLEM_STR(test->name),
                where, mismatch->wanted, mismatch->got);
}

/* Up to the first failure: what comes behind it would mean little. */
static bool run_test(struct test_run *run, const struct policy_test *test,
                     struct diags *diags)
{
    struct mismatch mismatch = {"", ""};
    for (size_t i = 0; i < test->step_count; i++) {
        const struct test_step *step = &test->steps[i];
        run->now_ms += step->after_ms;
        for (uint64_t n = 1; n <= step->repeat; n++) {
            if (test_run_message(run, step, n) != 0) {
                diags_error(diags, step->expect.mark,
                            "test \"%.*s\": its facts are too large",
                            PROBLEM_STR(test->name));
                return false;
            }
            if (is_met(run, &step->expect, n, &mismatch))
                continue;
            report(diags, test, i, n, &mismatch);
            return false;
        }
    }
    return true;
}

/* What the messages of a test may need: a key for each rule and message. A
 * table for the worst test would cost each of a thousand small ones more than
 * the test itself. */
static size_t count_keys(const struct settings *settings,
                         const struct policy_test *test)
{
    size_t rules = 1, messages = 0;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        rules += ruleset_count(settings->rules, stage);
    for (size_t i = 0; i < test->step_count; i++)
        messages += test->steps[i].repeat;
    return KEYS_MIN + rules * messages;
}

static bool run_alone(const struct settings *settings,
                      const struct policy_test *test,
                      struct evaluate_scratch *scratch, struct diags *diags)
{
    struct test_run run;
    bool has_passed = false;
    if (test_run_init(&run, settings, scratch, count_keys(settings, test)) == 0)
        has_passed = run_test(&run, test, diags);
    else
        diags_error(diags, (struct mark){settings->path, 0, 0},
                    "no memory to run the tests");
    test_run_release(&run);
    return has_passed;
}

void policy_tests_run(const struct settings *settings, struct diags *diags,
                      struct policy_tests_result *result)
{
    *result = (struct policy_tests_result){0};
    struct evaluate_scratch *scratch =
        settings->test_count == 0 ? NULL : evaluate_scratch_new();
    if (settings->test_count > 0 && scratch == NULL)
        diags_error(diags, (struct mark){settings->path, 0, 0},
                    "no memory to run the tests");
    if (scratch != NULL)
        evaluate_scratch_limit(scratch, settings->caps.pattern_steps);
    for (size_t i = 0; i < settings->test_count; i++) {
        if (scratch != NULL &&
            run_alone(settings, &settings->tests[i], scratch, diags))
            result->passed++;
        else
            result->failed++;
    }
    evaluate_scratch_free(scratch);
}
