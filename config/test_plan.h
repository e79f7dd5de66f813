/* The `tests:` of a configuration as values: what read_tests.c makes and
 * policy_tests.c runs. All memory is the settings'. */
#ifndef CONFIG_TEST_PLAN_H
#define CONFIG_TEST_PLAN_H

#include "config/settings.h"
#include "rules/facts.h"

#define TEST_REPEAT_MAX 100000

/* A fact and its values, `{n}` not yet replaced. */
struct test_fact {
    struct fact_ref ref;
    struct str name; /* as written */
    const struct str *values;
    size_t count;
    uint64_t number; /* FACT_TYPE_NUMBER */
    bool is_list;    /* written as one */
};

/* What a policy server is taken to say. */
struct test_answer {
    struct str server, action;
};

/* What was not stated is not asked for. */
struct test_expect {
    struct mark mark; /* line 0: nothing is expected */
    bool has_stage;
    enum stage stage;
    unsigned code;    /* of the reply; 0: any */
    struct str reply; /* its whole text; n 0: any */
    struct str rule;
    bool is_shadow; /* `would`: the rule's mode is shadow */
    struct str route; /* an upstream's name */
    struct str note;
    const struct str *tags;
    size_t tag_count;
    const struct str *added; /* recipients */
    size_t added_count;
    uint64_t delay_ms; /* of all stages; 0: any */
    const struct test_fact *facts; /* as they are in the end */
    size_t fact_count;
};

struct test_step {
    uint64_t after_ms; /* the clock moves, then the rest */
    uint64_t repeat;
    const struct test_fact *given;
    size_t given_count;
    const struct test_answer *answers;
    size_t answer_count;
    struct test_expect expect;
};

struct policy_test {
    struct str name;
    const struct test_step *steps;
    size_t step_count;
};

#endif
