/* Made in three walks over the rules: all keys of all guards are noted, with
 * how many want each; of each rule the guard is chosen that will be found
 * least often, and counted into its rows; the rows lie one behind another and
 * are filled. */
#include "rules/rule_index.h"

#include <string.h>

#include "rules/fact_rows.h"

#define RULES_MIN 8  /* below this many a stage has no index */
#define FACTS_MAX 48 /* that one index looks at */
#define KEYS_MAX 1000000

/* How telling a guard is whose keys are not of a table of many. */
#define WEIGHT_PRESENT 1
#define WEIGHT_RANGE 2
#define WEIGHT_HEADER 3 /* that a message has such a field */

#define BITS 64

/* The rules that want one key: `count` numbers from `start` on. */
struct row {
    uint32_t start, count;
    uint32_t wanted; /* by how many guards; while the index is made */
};

struct rule_index {
    size_t rule_count, word_count;
    struct fact_rows *facts;
    size_t fact_count, fact_capacity;
    struct row *rows;
    size_t row_count, row_capacity;
    uint32_t *numbers; /* of rules, row by row */
    uint64_t *always;  /* a bit a rule: candidates whatever the facts are */
};

struct maker {
    struct arena *arena;
    struct rule_index *index;
    struct rule *const *rules;
    size_t rule;      /* the one in hand */
    size_t key_count; /* noted so far */
    uint32_t weight;  /* of the guard in hand */
    bool is_full;
    void (*take)(struct maker *maker, struct row *row);
};

static void set_bit(uint64_t *words, size_t bit)
{
    words[bit / BITS] |= (uint64_t)1 << bit % BITS;
}

/* --- noting --- */

static struct fact_rows *find_fact(const struct rule_index *index,
                                   const struct fact_ref *ref)
{
    for (size_t i = 0; i < index->fact_count; i++)
        if (fact_ref_equals(&index->facts[i].ref, ref))
            return &index->facts[i];
    return NULL;
}

/* NULL: there are enough, or the arena is full. */
static struct fact_rows *add_fact(struct maker *maker,
                                  const struct fact_ref *ref)
{
    struct rule_index *index = maker->index;
    if (index->fact_count == FACTS_MAX)
        return NULL;
    struct fact_rows *grown =
        arena_grow(maker->arena, index->facts, index->fact_count,
                   &index->fact_capacity, sizeof *grown);
    if (grown == NULL) {
        maker->is_full = true;
        return NULL;
    }
    index->facts = grown;
    grown[index->fact_count] =
        (struct fact_rows){.ref = *ref, .type = fact_type(ref)};
    return &grown[index->fact_count++];
}

static void note_key(struct maker *maker, struct fact_rows *fact,
                     const struct guard_key *key)
{
    struct rule_index *index = maker->index;
    struct string_map_slot *slot = fact_rows_put(fact, maker->arena, key);
    if (slot != NULL && slot->number == 0) {
        struct row *grown =
            arena_grow(maker->arena, index->rows, index->row_count,
                       &index->row_capacity, sizeof *grown);
        if (grown != NULL) {
            index->rows = grown;
            grown[index->row_count++] = (struct row){0};
            slot->number = (uint32_t)index->row_count;
        }
    }
    if (slot == NULL || slot->number == 0)
        maker->is_full = true;
    else
        index->rows[slot->number - 1].wanted++;
}

/* Of a text all grams, of which it will be found by one. */
static void note(void *owner, const struct guard_key *key)
{
    struct maker *maker = owner;
    struct fact_rows *fact = find_fact(maker->index, key->fact);
    if (fact == NULL)
        fact = add_fact(maker, key->fact);
    if (fact == NULL || maker->is_full)
        return;
    if (key->kind != GUARD_TEXT) {
        note_key(maker, fact, key);
        return;
    }
    for (size_t i = 0; i + GRAM_OCTETS <= key->octets.n; i++) {
        char octets[GRAM_OCTETS];
        for (size_t k = 0; k < GRAM_OCTETS; k++)
            octets[k] = ascii_lower(key->octets.p[i + k]);
        struct guard_key gram = *key;
        gram.octets = str_span(octets, GRAM_OCTETS);
        note_key(maker, fact, &gram);
    }
}

static void count_key(void *owner, const struct guard_key *key)
{
    size_t *count = owner;
    *count += key->kind == GUARD_TEXT ? key->octets.n : 1;
}

static void note_guards(struct maker *maker)
{
    struct guard_cursor cursor = {0};
    struct guard guard;
    while (rule_guard_next(maker->rules[maker->rule], &cursor, &guard)) {
        size_t count = 0;
        guard_keys(&guard, count_key, &count);
        if (maker->key_count + count > KEYS_MAX)
            continue;
        maker->key_count += count;
        guard_keys(&guard, note, maker);
    }
}

/* --- choosing --- */

/* The row of a key; of a text, that of its gram which the fewest want. NULL:
 * it was not noted. */
static struct row *row_of(const struct maker *maker,
                          const struct fact_rows *fact,
                          const struct guard_key *key)
{
    struct row *rarest = NULL;
    struct guard_key one = *key;
    size_t last = key->kind == GUARD_TEXT ? key->octets.n - GRAM_OCTETS : 0;
    for (size_t i = 0; i <= last; i++) {
        char octets[GRAM_OCTETS];
        if (key->kind == GUARD_TEXT) {
            for (size_t k = 0; k < GRAM_OCTETS; k++)
                octets[k] = ascii_lower(key->octets.p[i + k]);
            one.octets = str_span(octets, GRAM_OCTETS);
        }
        uint32_t number = fact_rows_get(fact, &one);
        if (number == 0)
            return NULL;
        struct row *row = &maker->index->rows[number - 1];
        if (rarest == NULL || row->wanted < rarest->wanted)
            rarest = row;
    }
    return rarest;
}

static uint32_t weight_of(const struct fact_rows *fact,
                          const struct guard_key *key)
{
    bool is_rare_field = fact->ref.fact == FACT_HEADER &&
                         !str_equals(fact->ref.header, STR("from"));
    switch (key->kind) {
    case GUARD_PRESENT:
        return is_rare_field ? WEIGHT_HEADER : WEIGHT_PRESENT;
    case GUARD_RANGE:
    case GUARD_LIST:
        return WEIGHT_RANGE;
    default:
        return WEIGHT_HEADER + (uint32_t)fact->key_count;
    }
}

static void weigh(void *owner, const struct guard_key *key)
{
    struct maker *maker = owner;
    const struct fact_rows *fact = find_fact(maker->index, key->fact);
    uint32_t weight = fact == NULL || row_of(maker, fact, key) == NULL
                          ? 0
                          : weight_of(fact, key);
    if (weight < maker->weight)
        maker->weight = weight;
}

/* False: the rule has none that could be noted. */
static bool choose(struct maker *maker, struct guard *out)
{
    struct guard_cursor cursor = {0};
    struct guard guard;
    uint32_t most = 0;
    while (rule_guard_next(maker->rules[maker->rule], &cursor, &guard)) {
        maker->weight = UINT32_MAX;
        guard_keys(&guard, weigh, maker);
        if (maker->weight > most) {
            most = maker->weight;
            *out = guard;
        }
    }
    return most > WEIGHT_PRESENT;
}

static void each_row(void *owner, const struct guard_key *key)
{
    struct maker *maker = owner;
    maker->take(maker, row_of(maker, find_fact(maker->index, key->fact), key));
}

/* --- filling --- */

static void count_rule(struct maker *maker, struct row *row)
{
    (void)maker;
    row->count++;
}

/* Keys may come twice, one directly behind the other. */
static void put_rule(struct maker *maker, struct row *row)
{
    maker->index->numbers[row->start + row->count++] = (uint32_t)maker->rule;
}

static int place_rows(struct maker *maker)
{
    struct rule_index *index = maker->index;
    uint32_t start = 0;
    for (size_t i = 0; i < index->row_count; i++) {
        index->rows[i].start = start;
        start += index->rows[i].count;
        index->rows[i].count = 0;
    }
    index->numbers = arena_array(maker->arena, start, sizeof *index->numbers);
    return index->numbers == NULL ? -1 : 0;
}

/* False: every rule is always a candidate. */
static bool walk_chosen(struct maker *maker,
                        void (*take)(struct maker *maker, struct row *row))
{
    bool has_guards = false;
    maker->take = take;
    for (maker->rule = 0; maker->rule < maker->index->rule_count;
         maker->rule++) {
        struct guard guard;
        if (maker->rules[maker->rule]->mode == RULE_OFF)
            continue;
        if (!choose(maker, &guard)) {
            set_bit(maker->index->always, maker->rule);
            continue;
        }
        has_guards = true;
        guard_keys(&guard, each_row, maker);
    }
    return has_guards;
}

static int seal_facts(struct maker *maker)
{
    for (size_t i = 0; i < maker->index->fact_count; i++)
        if (fact_rows_seal(&maker->index->facts[i], maker->arena) != 0)
            return -1;
    return 0;
}

struct rule_index *rule_index_new(struct arena *arena,
                                  struct rule *const *rules, size_t count)
{
    struct maker maker = {.arena = arena, .rules = rules};
    if (count < RULES_MIN || count > UINT32_MAX)
        return NULL;
    struct rule_index *index = maker.index =
        arena_alloc(arena, sizeof *maker.index);
    if (index == NULL)
        return NULL;
    index->rule_count = count;
    index->word_count = (count + BITS - 1) / BITS;
    index->always = arena_array(arena, index->word_count, sizeof(uint64_t));
    for (; maker.rule < count; maker.rule++)
        note_guards(&maker);
    if (maker.is_full || index->always == NULL ||
        !walk_chosen(&maker, count_rule) || place_rows(&maker) != 0)
        return NULL;
    walk_chosen(&maker, put_rule);
    return seal_facts(&maker) == 0 ? index : NULL;
}

/* --- looking up --- */

struct finder {
    const struct rule_index *index;
    uint64_t *candidates;
};

static void take_row(void *owner, uint32_t number)
{
    const struct finder *finder = owner;
    const struct row *row = &finder->index->rows[number - 1];
    const uint32_t *numbers = finder->index->numbers + row->start;
    for (size_t i = 0; i < row->count; i++)
        set_bit(finder->candidates, numbers[i]);
}

/* NULL when the facts could not be read. */
static const uint64_t *find_candidates(const struct rule_index *index,
                                       struct fact_reader *reader)
{
    struct finder finder = {
        index, arena_array(reader->arena, index->word_count, sizeof(uint64_t))};
    if (finder.candidates == NULL)
        return NULL;
    memcpy(finder.candidates, index->always,
           index->word_count * sizeof(uint64_t));
    for (size_t i = 0; i < index->fact_count; i++)
        if (fact_rows_find(&index->facts[i], reader, take_row, &finder) != 0)
            return NULL;
    return finder.candidates;
}

size_t rule_index_next(const struct rule_index *index,
                       struct rule_cursor *cursor, struct fact_reader *reader,
                       size_t from)
{
    uint64_t losses = fact_reader_losses(reader);
    if (cursor->candidates == NULL || cursor->losses != losses) {
        cursor->candidates = find_candidates(index, reader);
        cursor->losses = losses;
    }
    if (cursor->candidates == NULL)
        return from; /* trying it says what is wrong */
    size_t word = from / BITS;
    uint64_t rest = 0;
    if (word < index->word_count)
        rest = cursor->candidates[word] & ~(uint64_t)0 << from % BITS;
    while (rest == 0 && ++word < index->word_count)
        rest = cursor->candidates[word];
    return rest == 0 ? index->rule_count
                     : word * BITS + (size_t)__builtin_ctzll(rest);
}
