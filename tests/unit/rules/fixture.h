/* A policy of a few rules and what a session knows, for tests. Names of
 * helpers read as sentences; every failure to build is a failed test. */
#ifndef TESTS_UNIT_RULES_FIXTURE_H
#define TESTS_UNIT_RULES_FIXTURE_H

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "rules/build.h"
#include "rules/ledger.h"

#define VALUES_MAX 8

struct fixture {
    struct ruleset_builder *builder;
    struct ruleset *ruleset;
    struct evaluate_scratch *scratch;
    struct ledger *ledger;
    struct facts facts;
    struct arena arena;
    struct effects effects;
    struct header_fields header;
    uint64_t now_ms;
    struct verdict verdict;
    size_t questions;
    const char *action; /* what policy servers say; NULL: nothing */
    size_t asked;       /* how many of them */
    const struct trace *trace;
};

static inline void fixture_init(struct fixture *f)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    *f = (struct fixture){.builder = ruleset_builder_new(),
                          .scratch = evaluate_scratch_new(),
                          .ledger = ledger_new(1000, SECRET),
                          .now_ms = 1000000};
    assert_non_null(f->builder);
    assert_non_null(f->scratch);
    assert_non_null(f->ledger);
    arena_init(&f->arena, 8 * 1024 * 1024);
    effects_init(&f->effects, &f->arena);
    facts_init(&f->facts);
}

static inline void fixture_release(struct fixture *f)
{
    ruleset_builder_free(f->builder);
    ruleset_free(f->ruleset);
    evaluate_scratch_free(f->scratch);
    ledger_free(f->ledger);
    arena_release(&f->arena);
}

/* --- building --- */

static inline void built(struct fixture *f, int rc)
{
    if (rc != 0)
        fail_msg("not built: %s", build_error(f->builder));
}

static inline size_t split(const char *text, struct str *out)
{
    struct str rest = str_from(text);
    size_t n = 0;
    bool has_more = true;
    while (has_more && n < VALUES_MAX)
        has_more = str_cut(rest, ';', &out[n++], &rest);
    return n;
}

static inline int try_test(struct fixture *f, const char *fact,
                           const char *word, const char *values,
                           struct condition **out)
{
    struct fact_ref ref;
    struct str items[VALUES_MAX];
    size_t count = split(values, items);
    if (build_fact(f->builder, str_from(fact), &ref) != 0)
        return -1;
    return build_test(f->builder, &ref, str_from(word), items, count, out);
}

static inline struct condition *test(struct fixture *f, const char *fact,
                                     const char *word, const char *values)
{
    struct condition *out = NULL;
    built(f, try_test(f, fact, word, values, &out));
    return out;
}

static inline void rule(struct fixture *f, enum stage stage, const char *name)
{
    built(f, build_rule_start(f->builder, stage, str_from(name), name));
}

static inline void when(struct fixture *f, const char *fact, const char *word,
                        const char *values)
{
    built(f, build_when(f->builder, test(f, fact, word, values)));
}

static inline int try_limit(struct fixture *f, const char *key,
                            const char *values)
{
    struct str items[VALUES_MAX];
    size_t count = split(values, items);
    return build_limit(f->builder, str_from(key), items, count);
}

static inline void limit(struct fixture *f, const char *key, const char *values)
{
    built(f, try_limit(f, key, values));
}

static inline void reject(struct fixture *f, const char *text)
{
    built(f, build_reject(f->builder, str_from(text)));
}

static inline void end(struct fixture *f)
{
    built(f, build_rule_end(f->builder));
}

static inline void list(struct fixture *f, const char *name, const char *values)
{
    struct str items[VALUES_MAX];
    size_t count = split(values, items);
    built(f, build_list(f->builder, str_from(name), items, count, name));
}

static inline void finish(struct fixture *f)
{
    f->ruleset = ruleset_builder_finish(f->builder);
    f->builder = NULL;
    assert_non_null(f->ruleset);
}

/* --- facts --- */

static inline void know(struct fixture *f, enum fact fact, const char *value)
{
    facts_set_text(&f->facts, fact, str_from(value));
}

static inline void know_list(struct fixture *f, enum fact fact,
                             const char *values)
{
    struct str *items = arena_array(&f->arena, VALUES_MAX, sizeof *items);
    assert_non_null(items);
    size_t count = values[0] == '\0' ? 0 : split(values, items);
    facts_set_list(&f->facts, fact, items, count);
}

static inline void know_header(struct fixture *f, const char *name,
                               const char *body)
{
    struct str raw = arena_printf(&f->arena, "%s:%s\r\n", name, body);
    struct header_field field = {
        .name = str_head(raw, strlen(name)),
        .body = str_span(raw.p + strlen(name) + 1, strlen(body)),
        .raw = raw,
    };
    if (f->facts.header == NULL) {
        header_fields_init(&f->header, &f->arena);
        facts_set_header(&f->facts, &f->header);
    }
    assert_int_equal(header_fields_append(&f->header, &field), 0);
}

/* --- evaluating --- */

/* Runs a stage against the ledger, applies what it does to lists, and gives
 * the reply code, 0 for a pass. */
static inline int ask(struct fixture *f, enum stage stage)
{
    struct evaluation e;
    struct question question;
    struct answer answer;
    evaluate_start(&e, f->ruleset, stage, &f->facts, &f->effects, f->scratch);
    evaluate_trace(&e, f->trace);
    while (evaluate(&e, &question, &f->verdict) == EVALUATE_QUESTION) {
        f->questions++;
        assert_true(f->questions < 10000);
        if (question.kind == QUESTION_ASK) {
            f->asked++;
            answer = (struct answer){0};
            if (f->action != NULL)
                answer.action = str_from(f->action);
        } else {
            ledger_answer(f->ledger, &question, f->now_ms, &answer);
        }
        evaluate_answer(&e, &answer);
    }
    for (size_t i = 0; i < f->effects.list_change_count; i++)
        ledger_apply(f->ledger, &f->effects.list_changes[i], f->now_ms);
    f->effects.list_change_count = 0;
    return f->verdict.code;
}

/* The transaction ends: what is held is committed or given back. */
static inline void settle(struct fixture *f, bool is_accepted)
{
    for (size_t i = 0; i < f->effects.hold_count; i++) {
        struct hold *hold = &f->effects.holds[i];
        if (is_accepted)
            ledger_commit(f->ledger, hold, f->now_ms);
        else
            ledger_give_back(f->ledger, hold, f->now_ms);
    }
    effects_init(&f->effects, &f->arena);
}

static inline void assert_str(struct str got, const char *want)
{
    if (!str_equals(got, str_from(want)))
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.n,
                 got.n == 0 ? "" : got.p, want);
}

static inline void assert_said(const struct fixture *f, const char *want)
{
    assert_str(f->verdict.text, want);
}

#endif
