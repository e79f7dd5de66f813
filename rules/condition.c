#include "rules/condition.h"

#include "rules/trace.h"

static enum truth no_memory(struct view *view)
{
    view->fault = "out of memory";
    return TRUTH_FAULT;
}

/* Where the answers about `test` begin. */
static int answers_of(const struct dynamic_tests *tests,
                      const struct test *test, struct view *view, size_t *out)
{
    struct fact_values values;
    *out = 0;
    for (size_t i = 0; i < tests->count && tests->items[i] != test; i++) {
        if (fact_values_read(&view->reader, &tests->items[i]->fact, &values) !=
            0)
            return -1;
        *out += values.count * tests->items[i]->matcher.dynamic_count;
    }
    return 0;
}

/* What one value says about the whole, or that the next must be asked. */
struct rule_of_values {
    bool stops_on;     /* a value in the set (true) or outside decides */
    bool when_stopped; /* what the test is then */
};

static const struct rule_of_values RULES_OF_VALUES[] = {
    [QUANTIFIER_ANY_IN] = {.stops_on = true, .when_stopped = true},
    [QUANTIFIER_ANY_OUT] = {.stops_on = false, .when_stopped = true},
    [QUANTIFIER_EVERY_IN] = {.stops_on = false, .when_stopped = false},
    [QUANTIFIER_NONE_IN] = {.stops_on = true, .when_stopped = false},
};

static enum truth truth_of(bool holds)
{
    return holds ? TRUTH_YES : TRUTH_NO;
}

/* What decided the test: the value that stopped it, or the only one. */
static enum truth told(const struct test *test, struct view *view,
                       const struct fact_values *values, size_t index,
                       enum truth truth)
{
    struct str value = {0};
    const struct trace *trace = view->trace;
    if (trace == NULL || trace->on_test == NULL)
        return truth;
    if (values != NULL && index < values->count)
        value = values->items[index];
    else if (values != NULL && values->count == 1)
        value = values->items[0];
    trace->on_test(trace->owner, test, truth, value);
    return truth;
}

static enum truth test_values(const struct test *test, struct view *view,
                              const struct fact_values *values,
                              const bool *listed)
{
    struct rule_of_values rule = RULES_OF_VALUES[test->quantifier];
    bool is_unknown = false;
    for (size_t i = 0; i < values->count; i++) {
        const bool *answers =
            listed == NULL ? NULL : listed + i * test->matcher.dynamic_count;
        enum truth truth = matcher_matches(&test->matcher, view, &test->fact,
                                           values, i, answers);
        if (truth == TRUTH_FAULT)
            return truth;
        if (truth == TRUTH_UNKNOWN)
            is_unknown = true;
        else if ((truth == TRUTH_YES) == rule.stops_on)
            return told(test, view, values, i, truth_of(rule.when_stopped));
    }
    return told(test, view, values, values->count,
                is_unknown ? TRUTH_UNKNOWN : truth_of(!rule.when_stopped));
}

static enum truth test_holds(const struct test *test, struct view *view,
                             const struct dynamic_tests *tests,
                             const bool *listed)
{
    struct fact_values values;
    size_t first = 0;
    bool is_known = fact_is_known(view->reader.facts, &test->fact);
    if (test->quantifier == QUANTIFIER_EXISTS)
        return told(test, view, NULL, 0, truth_of(is_known));
    if (test->quantifier == QUANTIFIER_MISSING)
        return told(test, view, NULL, 0, truth_of(!is_known));
    if (fact_values_read(&view->reader, &test->fact, &values) != 0)
        return no_memory(view);
    if (listed != NULL && test->matcher.dynamic_count > 0 &&
        answers_of(tests, test, view, &first) != 0)
        return no_memory(view);
    return test_values(test, view, &values,
                       listed == NULL ? NULL : listed + first);
}

/* ALL stops at the first NO, ANY at the first YES. */
static enum truth parts_hold(const struct condition *condition,
                             struct view *view,
                             const struct dynamic_tests *tests,
                             const bool *listed, enum truth stop)
{
    enum truth result = stop == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
    for (size_t i = 0; i < condition->part_count; i++) {
        enum truth truth =
            condition_holds(condition->parts[i], view, tests, listed);
        if (truth == TRUTH_FAULT || truth == stop)
            return truth;
        if (truth == TRUTH_UNKNOWN)
            result = truth;
    }
    return result;
}

static enum truth negated(enum truth truth)
{
    switch (truth) {
    case TRUTH_NO:
        return TRUTH_YES;
    case TRUTH_YES:
        return TRUTH_NO;
    default:
        return truth;
    }
}

static enum truth tree_holds(const struct condition *condition,
                             struct view *view,
                             const struct dynamic_tests *tests,
                             const bool *listed)
{
    enum truth truth = TRUTH_NO;
    struct captures before = view->captures;
    switch (condition->kind) {
    case CONDITION_ALL:
        truth = parts_hold(condition, view, tests, listed, TRUTH_NO);
        break;
    case CONDITION_ANY:
        truth = parts_hold(condition, view, tests, listed, TRUTH_YES);
        break;
    default:
        truth =
            negated(condition_holds(condition->parts[0], view, tests, listed));
    }
    /* What a failed branch captured is not the rule's, nor what a negated
     * one did that held. */
    if (truth == TRUTH_NO)
        view->captures = before;
    return truth;
}

enum truth condition_holds(const struct condition *condition, struct view *view,
                           const struct dynamic_tests *tests,
                           const bool *listed)
{
    return condition->kind == CONDITION_TEST
               ? test_holds(&condition->test, view, tests, listed)
               : tree_holds(condition, view, tests, listed);
}

int dynamic_question_count(const struct dynamic_tests *tests, struct view *view,
                           size_t *out)
{
    return answers_of(tests, NULL, view, out);
}

int dynamic_question(const struct dynamic_tests *tests, struct view *view,
                     size_t index, const struct list **list, struct str *value)
{
    struct fact_values values;
    for (size_t i = 0; i < tests->count; i++) {
        const struct test *test = tests->items[i];
        size_t lists = test->matcher.dynamic_count;
        if (fact_values_read(&view->reader, &test->fact, &values) != 0)
            return -1;
        if (index >= values.count * lists) {
            index -= values.count * lists;
            continue;
        }
        *list = test->matcher.dynamic[index % lists];
        *value = values.canonical[index / lists];
        return 0;
    }
    return -1;
}
