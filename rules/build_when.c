#include "rules/build_internal.h"
#include "rules/nearest.h"
#include "rules/rule_table.h"

#define DEPTH_MAX 32

static const struct {
    enum quantifier quantifier;
    enum entry_form form;
} WORDS[WORD_COUNT] = {
    [WORD_SHORT] = {QUANTIFIER_ANY_IN, ENTRY_OF_TEST},
    [WORD_IS] = {QUANTIFIER_ANY_IN, ENTRY_EXACT},
    [WORD_IN] = {QUANTIFIER_ANY_IN, ENTRY_OF_TEST},
    [WORD_NOT_IN] = {QUANTIFIER_ANY_OUT, ENTRY_OF_TEST},
    [WORD_EVERY_IN] = {QUANTIFIER_EVERY_IN, ENTRY_OF_TEST},
    [WORD_NONE_IN] = {QUANTIFIER_NONE_IN, ENTRY_OF_TEST},
    [WORD_MATCHES] = {QUANTIFIER_ANY_IN, ENTRY_PATTERN},
    [WORD_ABOVE] = {QUANTIFIER_ANY_IN, ENTRY_OF_TEST},
    [WORD_BELOW] = {QUANTIFIER_ANY_IN, ENTRY_OF_TEST},
    [WORD_EXISTS] = {QUANTIFIER_EXISTS, ENTRY_OF_TEST},
};

static int find_word(struct ruleset_builder *builder, struct str text,
                     enum test_word *out)
{
    const char *names[WORD_COUNT];
    for (size_t i = 0; i < WORD_COUNT; i++) {
        names[i] = test_words[i].name;
        if (str_equals(text, str_from(test_words[i].name))) {
            *out = (enum test_word)i;
            return 0;
        }
    }
    const char *nearest = nearest_word(text, names + 1, WORD_COUNT - 1);
    return build_fail(builder, "a test has no word %.*s, did you mean %s?",
                      PROBLEM_STR(text),
                      nearest == NULL ? "in, not_in or matches" : nearest);
}

static struct condition *new_condition(struct ruleset_builder *builder,
                                       enum condition_kind kind)
{
    struct condition *condition =
        arena_alloc(build_arena(builder), sizeof *condition);
    if (condition == NULL)
        build_out_of_memory(builder);
    else
        condition->kind = kind;
    return condition;
}

static int build_exists(struct ruleset_builder *builder, struct test *test,
                        const struct str *values, size_t count)
{
    if (count == 1 && str_equals(values[0], STR("true")))
        test->quantifier = QUANTIFIER_EXISTS;
    else if (count == 1 && str_equals(values[0], STR("false")))
        test->quantifier = QUANTIFIER_MISSING;
    else
        return build_fail(builder, "exists takes true or false");
    return 0;
}

/* above: 10M and below: 3 are the short forms "> 10M" and "< 3". */
static int build_bound(struct ruleset_builder *builder, struct test *test,
                       enum test_word word, const struct str *values,
                       size_t count)
{
    if (test->matcher.type != FACT_TYPE_NUMBER)
        return build_fail(builder, "%s compares numbers, and %s is none",
                          test_words[word].name, fact_name(test->fact.fact));
    if (count != 1)
        return build_fail(builder, "%s takes one number",
                          test_words[word].name);
    struct str text =
        arena_printf(build_arena(builder), "%s %.*s",
                     word == WORD_ABOVE ? ">" : "<", PROBLEM_STR(values[0]));
    if (text.p == NULL)
        return build_out_of_memory(builder);
    uint64_t number;
    if (quantity_size(values[0], &number) != 0)
        return build_fail(builder, "%.*s is no number, such as 10M",
                          PROBLEM_STR(values[0]));
    return build_entry(builder, &test->matcher, &test->fact, ENTRY_OF_TEST,
                       text);
}

/* What the patterns capture can be named in the rule's templates: only where
 * their match is what made the rule act. */
static int keep_captures(struct ruleset_builder *builder, struct test *test)
{
    if (test->quantifier != QUANTIFIER_ANY_IN)
        return 0;
    test->matcher.captures = true;
    for (size_t i = 0; i < test->matcher.regex_count; i++) {
        const struct regex **items =
            build_grow(builder, builder->captures, builder->capture_count,
                       &builder->capture_capacity, sizeof *items);
        if (items == NULL)
            return -1;
        builder->captures = items;
        items[builder->capture_count++] = test->matcher.regexes[i];
    }
    return 0;
}

static int keep_dynamic(struct ruleset_builder *builder,
                        const struct test *test)
{
    struct dynamic_tests *tests = &builder->rule->dynamic;
    if (test->matcher.dynamic_count == 0)
        return 0;
    const struct test **items = build_grow(builder, tests->items, tests->count,
                                           &tests->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    tests->items = items;
    items[tests->count++] = test;
    return 0;
}

/* What explanations show of the test. */
static int keep_written(struct ruleset_builder *builder, struct test *test,
                        struct str word, const struct str *values, size_t count)
{
    struct arena *arena = build_arena(builder);
    size_t kept = count < TEST_WRITTEN_MAX ? count : TEST_WRITTEN_MAX;
    struct str *copies = arena_array(arena, kept, sizeof *copies);
    test->word = arena_str(arena, word);
    if (copies == NULL || test->word.p == NULL)
        return build_out_of_memory(builder);
    for (size_t i = 0; i < kept; i++) {
        copies[i] = arena_str(arena, values[i]);
        if (copies[i].p == NULL)
            return build_out_of_memory(builder);
    }
    test->written = copies;
    test->written_count = kept;
    test->value_count = count;
    return 0;
}

static int build_values(struct ruleset_builder *builder, struct test *test,
                        enum test_word word, const struct str *values,
                        size_t count)
{
    if (count == 0)
        return build_fail(builder, "an empty list matches nothing");
    for (size_t i = 0; i < count; i++) {
        builder->item = i;
        if (build_entry(builder, &test->matcher, &test->fact, WORDS[word].form,
                        values[i]) != 0)
            return -1;
    }
    return 0;
}

int build_test(struct ruleset_builder *builder, const struct fact_ref *fact,
               struct str word_text, const struct str *values, size_t count,
               struct condition **out)
{
    enum test_word word = WORD_SHORT;
    builder->item = 0;
    struct condition *condition = new_condition(builder, CONDITION_TEST);
    if (condition == NULL || find_word(builder, word_text, &word) != 0)
        return -1;
    struct test *test = &condition->test;
    test->fact = *fact;
    test->fact.header = arena_lower(build_arena(builder), fact->header);
    test->quantifier = WORDS[word].quantifier;
    test->matcher.type = fact_type(fact);
    *out = condition;
    if (keep_written(builder, test, word_text, values, count) != 0)
        return -1;
    if (word == WORD_EXISTS)
        return build_exists(builder, test, values, count);
    if (build_require(builder, &test->fact) != 0)
        return -1;
    int rc = word == WORD_ABOVE || word == WORD_BELOW
                 ? build_bound(builder, test, word, values, count)
                 : build_values(builder, test, word, values, count);
    matcher_seal(&test->matcher);
    if (rc != 0 || keep_captures(builder, test) != 0 ||
        keep_dynamic(builder, test) != 0)
        return -1;
    return 0;
}

static size_t depth_of(const struct condition *condition)
{
    size_t deepest = 0;
    for (size_t i = 0; i < condition->part_count; i++) {
        size_t depth = depth_of(condition->parts[i]);
        if (depth > deepest)
            deepest = depth;
    }
    return deepest + 1;
}

static int combine(struct ruleset_builder *builder, enum condition_kind kind,
                   struct condition *const *parts, size_t count,
                   struct condition **out)
{
    builder->item = 0;
    if (count == 0)
        return build_fail(builder, "there is nothing in it to test");
    struct condition *condition = new_condition(builder, kind);
    struct condition **copies =
        arena_array(build_arena(builder), count, sizeof(struct condition *));
    if (condition == NULL || copies == NULL)
        return build_out_of_memory(builder);
    for (size_t i = 0; i < count; i++)
        copies[i] = parts[i];
    condition->parts = copies;
    condition->part_count = count;
    if (depth_of(condition) > DEPTH_MAX)
        return build_fail(builder, "conditions nest at most %d deep",
                          DEPTH_MAX);
    *out = condition;
    return 0;
}

int build_all(struct ruleset_builder *builder, struct condition *const *parts,
              size_t count, struct condition **out)
{
    return combine(builder, CONDITION_ALL, parts, count, out);
}

int build_any(struct ruleset_builder *builder, struct condition *const *parts,
              size_t count, struct condition **out)
{
    return combine(builder, CONDITION_ANY, parts, count, out);
}

/* Where the rule acts, a negated pattern did not match. */
static void forget_captures(struct ruleset_builder *builder,
                            const struct condition *condition)
{
    const struct matcher *matcher = &condition->test.matcher;
    for (size_t i = 0; i < condition->part_count; i++)
        forget_captures(builder, condition->parts[i]);
    for (size_t i = 0; i < matcher->regex_count; i++) {
        size_t kept = 0;
        for (size_t k = 0; k < builder->capture_count; k++)
            if (builder->captures[k] != matcher->regexes[i])
                builder->captures[kept++] = builder->captures[k];
        builder->capture_count = kept;
    }
}

int build_not(struct ruleset_builder *builder, struct condition *part,
              struct condition **out)
{
    forget_captures(builder, part);
    return combine(builder, CONDITION_NOT, &part, 1, out);
}

int build_when(struct ruleset_builder *builder, struct condition *condition)
{
    builder->rule->when = condition;
    return 0;
}
