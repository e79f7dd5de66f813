/* One policy test under way: a virtual clock, budgets of its own, and one
 * message after another through the stages whose facts it states. The
 * upstream takes what passes, unless the test states a reply.code that
 * refuses it; policy servers say what the test's `answers` say. Sessions stay
 * open until the test ends, so that `connections` at the same time can be
 * tested. */
#ifndef CONFIG_TEST_RUN_H
#define CONFIG_TEST_RUN_H

#include "config/test_plan.h"
#include "rules/dry_run.h"

struct test_run {
    const struct settings *settings;
    struct evaluate_scratch *scratch; /* borrowed */
    const struct test_step *step;     /* of the last message */
    struct ledger *ledger;
    uint64_t now_ms;
    /* Of the last message; valid until the next. */
    struct arena arena;
    struct facts facts;
    struct effects effects;
    struct header_fields header;
    enum stage stage; /* that decided, or the last one */
    struct verdict verdict;
};

/* Budgets have room for so many keys at most. 0, or -1 when out of memory;
 * release it in both cases. */
int test_run_init(struct test_run *run, const struct settings *settings,
                  struct evaluate_scratch *scratch, size_t keys);
void test_run_release(struct test_run *run);

/* Runs one message; `n` is what {n} stands for. 0, or -1 when the facts do
 * not fit into the test's memory. */
int test_run_message(struct test_run *run, const struct test_step *step,
                     uint64_t n);

/* The upstream to which the last message goes. */
struct str test_run_route(const struct test_run *run);

/* A text of the plan with {n} replaced. p is NULL when the arena is full. */
struct str test_run_text(struct test_run *run, struct str text, uint64_t n);

#endif
