/* A rule is found by value if its condition, or a part of `all` that nothing
 * before it can break with a fault, is a test for exact values. Of several
 * such tests the one is taken whose fact tells the stage's rules apart best. */
#include "rules/rule_index.h"

#include "rules/rule.h"

#define RULES_MIN 8          /* below this many a stage has no index */
#define FACTS_MAX 16         /* that one index looks at */
#define RULE_VALUES_MAX 1024 /* more values are no slower to try */
#define INDEX_VALUES_MAX 200000

/* The rules that want one value: `count` numbers from `start` on. */
struct row {
    uint32_t start, count;
};

struct indexed_fact {
    struct fact_ref ref;
    struct string_map values; /* canonical value → 1 + index of `rows` */
    struct row *rows;
};

struct rule_index {
    size_t rule_count;
    struct indexed_fact facts[FACTS_MAX];
    size_t fact_count;
    uint32_t *numbers; /* of the rules, row by row, each ascending */
    uint32_t *others;  /* always candidates, ascending */
    size_t other_count;
};

/* --- tests for exact values --- */

/* Every entry is the value itself, not a domain and all below it. */
static bool is_exact_map(const struct string_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key != NULL && map->slots[i].number != MATCH_SELF)
            return false;
    return true;
}

static bool is_exact_set(const struct matcher *matcher)
{
    bool is_text =
        matcher->type != FACT_TYPE_NUMBER && matcher->type != FACT_TYPE_IP;
    return is_text && matcher->domains.count == 0 && matcher->glob_count == 0 &&
           matcher->regex_count == 0 && matcher->dynamic_count == 0 &&
           matcher->template_count == 0 &&
           matcher->exact.count <= RULE_VALUES_MAX &&
           is_exact_map(&matcher->exact);
}

static bool is_exact_test(const struct test *test)
{
    const struct matcher *matcher = &test->matcher;
    size_t values = matcher->exact.count;
    if (test->quantifier != QUANTIFIER_ANY_IN || !is_exact_set(matcher))
        return false;
    for (size_t i = 0; i < matcher->list_count; i++) {
        values += matcher->lists[i]->exact.count;
        if (values > RULE_VALUES_MAX || !is_exact_set(matcher->lists[i]))
            return false;
    }
    return true;
}

/* A pattern may reach its limit, a template may become too long. */
static bool may_fault(const struct condition *condition)
{
    const struct matcher *matcher = &condition->test.matcher;
    for (size_t i = 0; i < matcher->template_count; i++)
        if (!template_is_fact(&matcher->templates[i]))
            return true;
    for (size_t i = 0; i < condition->part_count; i++)
        if (may_fault(condition->parts[i]))
            return true;
    for (size_t i = 0; i < matcher->list_count; i++)
        if (matcher->lists[i]->regex_count > 0)
            return true;
    return matcher->regex_count > 0;
}

/* The tests one of which must hold for the rule to act: `next` counts the
 * parts that were looked at. NULL at the end. */
static const struct test *next_guard(const struct rule *rule, size_t *next)
{
    const struct condition *when = rule->when;
    if (when == NULL)
        return NULL;
    if (when->kind == CONDITION_TEST)
        return (*next)++ == 0 && is_exact_test(&when->test) ? &when->test
                                                            : NULL;
    while (when->kind == CONDITION_ALL && *next < when->part_count) {
        const struct condition *part = when->parts[(*next)++];
        if (part->kind == CONDITION_TEST && is_exact_test(&part->test))
            return &part->test;
        if (may_fault(part))
            break;
    }
    *next = when->part_count;
    return NULL;
}

/* --- making --- */

struct maker {
    struct arena *arena;
    struct rule_index *index;
    struct rule *const *rules;
    size_t value_count; /* of all rules that are found by value */
    bool is_full;
};

static struct indexed_fact *find_fact(struct rule_index *index,
                                      const struct fact_ref *ref)
{
    for (size_t i = 0; i < index->fact_count; i++)
        if (fact_ref_equals(&index->facts[i].ref, ref))
            return &index->facts[i];
    return NULL;
}

typedef void on_value(struct maker *maker, struct indexed_fact *fact,
                      struct str value, size_t rule);

static void each_value(struct maker *maker, const struct test *test,
                       size_t rule, on_value *then)
{
    const struct matcher *matcher = &test->matcher;
    struct indexed_fact *fact = find_fact(maker->index, &test->fact);
    for (size_t i = 0; i <= matcher->list_count; i++) {
        const struct string_map *map =
            i == 0 ? &matcher->exact : &matcher->lists[i - 1]->exact;
        for (size_t k = 0; k < map->capacity; k++)
            if (map->slots[k].key != NULL)
                then(maker, fact,
                     str_span(map->slots[k].key, map->slots[k].key_octets),
                     rule);
    }
}

static void note_value(struct maker *maker, struct indexed_fact *fact,
                       struct str value, size_t rule)
{
    (void)rule;
    if (maker->value_count++ > INDEX_VALUES_MAX ||
        string_map_put(&fact->values, maker->arena, value) == NULL)
        maker->is_full = true;
}

/* Every fact that could serve, with all values that rules want of it. */
static void note_guards(struct maker *maker, size_t rule)
{
    const struct test *test;
    size_t next = 0;
    struct rule_index *index = maker->index;
    while (!maker->is_full &&
           (test = next_guard(maker->rules[rule], &next)) != NULL) {
        if (find_fact(index, &test->fact) == NULL) {
            if (index->fact_count == FACTS_MAX)
                continue;
            index->facts[index->fact_count++] =
                (struct indexed_fact){.ref = test->fact};
        }
        each_value(maker, test, rule, note_value);
    }
}

/* The guard whose fact has the most values in this stage. */
static const struct test *best_guard(struct maker *maker, size_t rule)
{
    const struct test *test, *best = NULL;
    size_t next = 0, most = 0;
    while ((test = next_guard(maker->rules[rule], &next)) != NULL) {
        const struct indexed_fact *fact = find_fact(maker->index, &test->fact);
        if (fact == NULL || fact->values.count <= most)
            continue;
        most = fact->values.count;
        best = test;
    }
    return best;
}

static void make_rows(struct maker *maker)
{
    for (size_t i = 0; i < maker->index->fact_count; i++) {
        struct indexed_fact *fact = &maker->index->facts[i];
        uint32_t row = 0;
        fact->rows = arena_array(maker->arena, fact->values.count + 1,
                                 sizeof *fact->rows);
        if (fact->rows == NULL)
            maker->is_full = true;
        for (size_t k = 0; k < fact->values.capacity; k++)
            if (fact->values.slots[k].key != NULL)
                fact->values.slots[k].number = ++row;
    }
}

static struct row *row_of(const struct indexed_fact *fact, struct str value)
{
    const struct string_map_slot *slot = string_map_get(&fact->values, value);
    return slot == NULL ? NULL : &fact->rows[slot->number - 1];
}

static void count_value(struct maker *maker, struct indexed_fact *fact,
                        struct str value, size_t rule)
{
    (void)maker;
    (void)rule;
    row_of(fact, value)->count++;
}

/* A value that the rule names and its list holds as well is put down once. */
static void put_number(struct maker *maker, struct indexed_fact *fact,
                       struct str value, size_t rule)
{
    struct row *row = row_of(fact, value);
    uint32_t *numbers = maker->index->numbers + row->start;
    if (row->count == 0 || numbers[row->count - 1] != rule)
        numbers[row->count++] = (uint32_t)rule;
}

static void place_rows(struct maker *maker)
{
    uint32_t start = 0;
    for (size_t i = 0; i < maker->index->fact_count; i++) {
        struct indexed_fact *fact = &maker->index->facts[i];
        for (size_t k = 0; k < fact->values.count; k++) {
            fact->rows[k].start = start;
            start += fact->rows[k].count;
            fact->rows[k].count = 0;
        }
    }
}

/* Counted first, so that each row lies in one piece; then filled. */
static void fill_rows(struct maker *maker)
{
    struct rule_index *index = maker->index;
    for (size_t i = 0; i < index->rule_count; i++) {
        const struct test *guard = best_guard(maker, i);
        if (guard != NULL)
            each_value(maker, guard, i, count_value);
    }
    place_rows(maker);
    for (size_t i = 0; i < index->rule_count; i++) {
        const struct test *guard = best_guard(maker, i);
        if (guard != NULL)
            each_value(maker, guard, i, put_number);
        else
            index->others[index->other_count++] = (uint32_t)i;
    }
}

struct rule_index *rule_index_new(struct arena *arena,
                                  struct rule *const *rules, size_t count)
{
    struct maker maker = {.arena = arena, .rules = rules};
    if (count < RULES_MIN || count > UINT32_MAX)
        return NULL;
    maker.index = arena_alloc(arena, sizeof *maker.index);
    if (maker.index == NULL)
        return NULL;
    maker.index->rule_count = count;
    for (size_t i = 0; i < count; i++)
        note_guards(&maker, i);
    if (maker.is_full || maker.index->fact_count == 0)
        return NULL;
    make_rows(&maker);
    maker.index->numbers =
        arena_array(arena, maker.value_count, sizeof(uint32_t));
    maker.index->others = arena_array(arena, count, sizeof(uint32_t));
    if (maker.is_full || maker.index->numbers == NULL ||
        maker.index->others == NULL)
        return NULL;
    fill_rows(&maker);
    return maker.index;
}

/* --- looking up --- */

/* The first number at or above `from`, or `none`. */
static size_t first_from(const uint32_t *numbers, size_t count, size_t from,
                         size_t none)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (numbers[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low == count ? none : numbers[low];
}

/* -1 when the facts could not be read. */
static int first_by_value(const struct rule_index *index,
                          struct fact_reader *reader, size_t from, size_t *out)
{
    *out = index->rule_count;
    for (size_t i = 0; i < index->fact_count; i++) {
        const struct indexed_fact *fact = &index->facts[i];
        struct fact_values values;
        if (fact_values_read(reader, &fact->ref, &values) != 0)
            return -1;
        for (size_t k = 0; k < values.count; k++) {
            const struct row *row = row_of(fact, values.canonical[k]);
            size_t number = row == NULL
                                ? *out
                                : first_from(index->numbers + row->start,
                                             row->count, from, *out);
            if (number < *out)
                *out = number;
        }
    }
    return 0;
}

size_t rule_index_next(const struct rule_index *index,
                       struct rule_cursor *cursor, struct fact_reader *reader,
                       size_t from)
{
    size_t other =
        first_from(index->others, index->other_count, from, index->rule_count);
    uint64_t losses = fact_reader_losses(reader);
    if (!cursor->is_valid || cursor->losses != losses || cursor->next < from) {
        if (first_by_value(index, reader, from, &cursor->next) != 0)
            return from; /* trying it says what is wrong */
        cursor->losses = losses;
        cursor->is_valid = true;
    }
    return other < cursor->next ? other : cursor->next;
}
