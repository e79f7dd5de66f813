/* tests: given facts and expected answers. */
#include "config/test_reader.h"

#include "rules/problem.h"

#include <stddef.h>

static void read_given(struct test_reader *tests, const struct node *node,
                       struct test_step *step)
{
    struct reader *reader = tests->reader;
    if (!node_is_map(reader, node, "given"))
        return;
    if (node->count == 0)
        diags_error(reader->diags, node->mark,
                    "given is empty: a test runs the stages whose facts it "
                    "states");
    struct test_fact *facts =
        arena_array(reader->arena, node->count, sizeof *facts);
    if (facts == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        if (read_fact(tests, node->keys[i], node->values[i], &facts[i]) &&
            facts[i].ref.part != FACT_PART_ALL)
            diags_error(reader->diags, node->keys[i]->mark,
                        "%.*s is a part: state the whole fact",
                        (int)facts[i].name.n, facts[i].name.p);
    step->given = facts;
    step->given_count = node->count;
}

static bool is_server(const struct settings *settings, struct str name)
{
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (str_equals(settings->policy_servers[i].name, name))
            return true;
    return false;
}

/* answers: {SERVER: action} */
static void read_answers(struct test_reader *tests, const struct node *node,
                         struct test_step *step)
{
    struct reader *reader = tests->reader;
    if (!node_is_map(reader, node, "answers"))
        return;
    struct test_answer *answers =
        arena_array(reader->arena, node->count, sizeof *answers);
    if (answers == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct node *key = node->keys[i];
        struct str action;
        if (!is_server(reader->settings, key->text))
            diags_error(reader->diags, key->mark,
                        "there is no policy server %.*s",
                        PROBLEM_STR(key->text));
        if (!node_text(reader, node->values[i], "an answer", &action))
            continue;
        answers[i].server = reader_keep(reader, key->mark, key->text);
        answers[i].action = reader_keep(reader, key->mark, action);
    }
    step->answers = answers;
    step->answer_count = node->count;
}

static const struct key step_keys[] = {
    {.name = "after",
     .type = KEY_TIME,
     .fallback = "0s",
     .help = "how far the clock moves before this step",
     .offset = offsetof(struct test_step, after_ms)},
    {.name = "given",
     .type = KEY_OWN,
     .content = CONTENT_FACTS,
     .is_required = true,
     .help = "facts; a test runs the stages whose facts it states"},
    {.name = "answers",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .help = "{SERVER: action}: what policy servers say; else DUNNO"},
    {.name = "repeat",
     .type = KEY_NUMBER,
     .fallback = "1",
     .min = 1,
     .max = TEST_REPEAT_MAX,
     .help = "how many times; {n} in a fact counts them",
     .offset = offsetof(struct test_step, repeat)},
    {.name = "expect",
     .type = KEY_OWN,
     .section = &expect_schema,
     .content = CONTENT_FACTS,
     .help = "{stage, reply, rule, ...} and facts as they are in the end"},
};

static const struct schema step_schema = {"a step", step_keys,
                                          sizeof step_keys / sizeof *step_keys};

static void read_step_parts(struct test_reader *tests, const struct node *node,
                            struct test_step *step)
{
    const struct node *given = node_get(node, "given");
    const struct node *expect = node_get(node, "expect");
    const struct node *answers = node_get(node, "answers");
    if (given != NULL)
        read_given(tests, given, step);
    if (answers != NULL)
        read_answers(tests, answers, step);
    if (expect != NULL)
        read_expect(tests, expect, &step->expect);
}

static const struct key test_keys[] = {
    {.name = "name",
     .type = KEY_TEXT,
     .is_required = true,
     .help = "what is tested, in a few words",
     .offset = offsetof(struct policy_test, name)},
    {.name = "given",
     .type = KEY_OWN,
     .content = CONTENT_FACTS,
     .help = "of a test with one step"},
    {.name = "answers",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .help = "of a test with one step"},
    {.name = "expect",
     .type = KEY_OWN,
     .section = &expect_schema,
     .content = CONTENT_FACTS,
     .help = "of a test with one step"},
    {.name = "steps",
     .type = KEY_OWN,
     .shape = SHAPE_LIST,
     .section = &step_schema,
     .help = "list of {after, given, answers, repeat, expect}"},
};

const struct schema test_schema = {"a test", test_keys,
                                   sizeof test_keys / sizeof *test_keys};

static void read_steps(struct test_reader *tests, const struct node *node,
                       struct policy_test *test)
{
    struct reader *reader = tests->reader;
    if (!node_is_sequence(reader, node, "steps"))
        return;
    struct test_step *steps =
        arena_array(reader->arena, node->count, sizeof *steps);
    if (steps == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!node_is_map(reader, node->values[i], "a step"))
            continue;
        schema_read(reader, &step_schema, node->values[i], &steps[i]);
        read_step_parts(tests, node->values[i], &steps[i]);
    }
    test->steps = steps;
    test->step_count = node->count;
}

static void read_single_step(struct test_reader *tests, const struct node *node,
                             struct policy_test *test)
{
    struct test_step *step = arena_alloc(tests->reader->arena, sizeof *step);
    if (step == NULL) {
        reader_full(tests->reader, node->mark);
        return;
    }
    step->repeat = 1;
    read_step_parts(tests, node, step);
    test->steps = step;
    test->step_count = 1;
}

static bool expects_something(const struct policy_test *test)
{
    for (size_t i = 0; i < test->step_count; i++)
        if (test->steps[i].expect.mark.line != 0)
            return true;
    return false;
}

static void read_test(struct test_reader *tests, const struct node *node,
                      struct policy_test *test)
{
    struct diags *diags = tests->reader->diags;
    if (!node_is_map(tests->reader, node, "a test"))
        return;
    size_t errors = diags->errors;
    schema_read(tests->reader, &test_schema, node, test);
    const struct node *steps = node_get(node, "steps");
    bool has_given = node_get(node, "given") != NULL;
    if (steps != NULL && (has_given || node_get(node, "expect") != NULL ||
                          node_get(node, "answers") != NULL))
        diags_error(diags, steps->mark,
                    "a test has steps, or given and expect, not both");
    else if (steps != NULL)
        read_steps(tests, steps, test);
    else if (has_given)
        read_single_step(tests, node, test);
    else
        diags_error(diags, node->mark,
                    "a test needs given: {facts} and expect: {reply}, or "
                    "steps");
    if (diags->errors == errors && !expects_something(test))
        diags_error(diags, node->mark,
                    "a test that expects nothing can't fail: add expect: "
                    "{reply: ...}");
}

static void read_list(struct test_reader *tests, const struct node *node,
                      struct policy_test *items, size_t *count)
{
    for (size_t i = 0; i < node->count; i++)
        read_test(tests, node->values[i], &items[(*count)++]);
}

/* The names of all rules, so that a test can't expect one that is not. */
static void add_rules(struct test_reader *tests, const struct node *policy,
                      size_t *capacity)
{
    struct arena *scratch = tests->reader->scratch;
    for (size_t i = 0; i < policy->count; i++) {
        const struct node *rules = policy->values[i];
        for (size_t j = 0; rules->kind == NODE_SEQUENCE && j < rules->count;
             j++) {
            const struct node *name = node_get(rules->values[j], "rule");
            const char **grown =
                arena_grow(scratch, tests->rules, tests->rule_count, capacity,
                           sizeof *grown);
            if (grown == NULL)
                return;
            tests->rules = grown;
            if (name != NULL && name->kind == NODE_SCALAR)
                tests->rules[tests->rule_count++] = name->text.p;
        }
    }
}

void read_tests(struct reader *reader, struct node *const *roots, size_t count)
{
    struct test_reader tests = {.reader = reader};
    struct settings *settings = reader->settings;
    size_t capacity = 0;
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        const struct node *policy = node_get(roots[i], "policy");
        const struct node *list = node_get(roots[i], "tests");
        if (policy != NULL && policy->kind == NODE_MAP)
            add_rules(&tests, policy, &capacity);
        if (list != NULL && node_is_sequence(reader, list, "tests"))
            wanted += list->count;
    }
    struct policy_test *items =
        arena_array(reader->arena, wanted, sizeof *items);
    if (items == NULL) {
        reader_full(reader, roots[0]->mark);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct node *list = node_get(roots[i], "tests");
        if (list != NULL && list->kind == NODE_SEQUENCE)
            read_list(&tests, list, items, &settings->test_count);
    }
    settings->tests = items;
}
