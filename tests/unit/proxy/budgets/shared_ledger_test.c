/* The ledger is the test's own: it tells which shard was asked, and whether
 * two threads were ever in one shard at once. */
#include "proxy/budgets/shared_ledger.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define THREADS 4
#define ROUNDS 20000
#define SHARDS_MAX 64

/* Replaces rules/ledger. The counts are plain on purpose: without a lock the
 * thread sanitizer sees a race, and sums come out short. */
struct ledger {
    size_t max_keys;
    uint8_t secret;
    size_t answers, commits, give_backs, changes;
};

static struct ledger *made[SHARDS_MAX];
static size_t made_count;
static size_t fails_at;

size_t ledger_octets(size_t max_keys)
{
    return 64 * max_keys;
}

struct ledger *ledger_place(void *memory, size_t max_keys,
                            const uint8_t secret[16], unsigned slot)
{
    (void)memory, (void)slot;
    if (made_count == fails_at)
        return NULL;
    struct ledger *ledger = calloc(1, sizeof *ledger);
    assert_non_null(ledger);
    ledger->max_keys = max_keys;
    ledger->secret = secret[0];
    made[made_count++] = ledger;
    return ledger;
}

void ledger_free(struct ledger *ledger)
{
    free(ledger);
}

void ledger_forget_slot(struct ledger *ledger, unsigned slot)
{
    (void)ledger, (void)slot;
}

void ledger_answer(struct ledger *ledger, const struct question *question,
                   uint64_t now_ms, struct answer *answer)
{
    (void)question;
    ledger->answers++;
    *answer = (struct answer){.is_within = true, .after = now_ms};
}

void ledger_commit(struct ledger *ledger, struct hold *hold, uint64_t now_ms)
{
    (void)now_ms;
    ledger->commits++;
    hold->is_settled = true;
}

void ledger_give_back(struct ledger *ledger, struct hold *hold, uint64_t now_ms)
{
    (void)now_ms;
    ledger->give_backs++;
    hold->is_settled = true;
}

bool ledger_apply(struct ledger *ledger, const struct list_change *change,
                  uint64_t now_ms)
{
    (void)now_ms;
    (void)change;
    ledger->changes++;
    return true;
}

bool ledger_knows(struct ledger *ledger, struct str user, struct str net,
                  uint64_t now_ms)
{
    (void)ledger, (void)user, (void)net, (void)now_ms;
    return false;
}

void ledger_know(struct ledger *ledger, struct str user, struct str net,
                 uint64_t now_ms)
{
    (void)ledger, (void)user, (void)net, (void)now_ms;
}

/* The first octet, spread over all bits: the same for a question, its hold
 * and its change. */
static uint64_t hash(struct str text)
{
    return (uint64_t)(unsigned char)text.p[0] * 0x9e3779b97f4a7c15u;
}

uint64_t ledger_hash_question(const struct question *question,
                              const uint8_t secret[16])
{
    (void)secret;
    return hash(question->kind == QUESTION_LISTED ? question->value
                                                  : question->key);
}

uint64_t ledger_hash_hold(const struct hold *hold, const uint8_t secret[16])
{
    (void)secret;
    return hash(hold->key);
}

uint64_t ledger_hash_known(struct str user, struct str net,
                           const uint8_t secret[16])
{
    (void)net, (void)secret;
    return hash(user);
}

static struct shared_ledger *open_ledger(size_t max_keys)
{
    made_count = 0;
    fails_at = SHARDS_MAX;
    struct shared_ledger *shared = shared_ledger_new(max_keys);
    assert_non_null(shared);
    return shared;
}

static void the_shards_together_hold_all_keys(void **state)
{
    (void)state;
    struct shared_ledger *shared = open_ledger(100000);
    size_t keys = 0;
    for (size_t i = 0; i < made_count; i++) {
        keys += made[i]->max_keys;
        assert_int_equal(made[i]->secret, made[0]->secret);
    }
    assert_true(made_count > 1);
    assert_true(keys >= 100000 && keys < 100000 + 2 * made_count);
    shared_ledger_free(shared);
}

static void a_hold_is_settled_where_it_was_asked(void **state)
{
    (void)state;
    struct shared_ledger *shared = open_ledger(1000);
    size_t used = 0;
    for (int octet = 'a'; octet <= 'z'; octet++) {
        const char text = (char)octet;
        const struct question question = {.kind = QUESTION_HOLD,
                                          .key = {&text, 1}};
        struct hold hold = {.key = {&text, 1}};
        struct answer answer;
        shared_ledger_answer(shared, &question, 7, &answer);
        assert_true(answer.is_within);
        assert_int_equal(answer.after, 7);
        shared_ledger_commit(shared, &hold, 8);
        assert_true(hold.is_settled);
        shared_ledger_give_back(shared, &hold, 9);
    }
    for (size_t i = 0; i < made_count; i++) {
        assert_int_equal(made[i]->answers, made[i]->commits);
        assert_int_equal(made[i]->answers, made[i]->give_backs);
        used += made[i]->answers > 0;
    }
    assert_true(used > 1);
    shared_ledger_free(shared);
}

static void a_change_of_a_list_goes_where_it_is_looked_up(void **state)
{
    (void)state;
    struct shared_ledger *shared = open_ledger(1000);
    for (int octet = 'a'; octet <= 'z'; octet++) {
        const char text = (char)octet;
        const struct question question = {.kind = QUESTION_LISTED,
                                          .value = {&text, 1}};
        const struct list_change change = {.value = {&text, 1}};
        struct answer answer;
        shared_ledger_answer(shared, &question, 0, &answer);
        shared_ledger_apply(shared, &change, 0);
    }
    for (size_t i = 0; i < made_count; i++)
        assert_int_equal(made[i]->answers, made[i]->changes);
    shared_ledger_free(shared);
}

static void *ask_often(void *argument)
{
    struct shared_ledger *shared = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const char text = (char)('a' + i % 3);
        const struct question question = {.kind = QUESTION_HOLD,
                                          .key = {&text, 1}};
        struct hold hold = {.key = {&text, 1}};
        struct answer answer;
        shared_ledger_answer(shared, &question, 0, &answer);
        shared_ledger_commit(shared, &hold, 0);
    }
    return NULL;
}

static void threads_take_turns_in_a_shard(void **state)
{
    (void)state;
    struct shared_ledger *shared = open_ledger(1000);
    pthread_t threads[THREADS];
    size_t answers = 0;
    size_t commits = 0;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, shared),
                         0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < made_count; i++) {
        answers += made[i]->answers;
        commits += made[i]->commits;
    }
    assert_int_equal(answers, THREADS * ROUNDS);
    assert_int_equal(commits, THREADS * ROUNDS);
    shared_ledger_free(shared);
}

static void without_memory_nothing_is_left_behind(void **state)
{
    (void)state;
    made_count = 0;
    fails_at = 5;
    assert_null(shared_ledger_new(1000));
    shared_ledger_free(NULL);
}

/* The same of a state that is kept; nothing of its secret, and another one for
 * each purpose. */
static void secrets_are_derived(void **state)
{
    static const uint8_t one[16] = {1}, other[16] = {2};
    uint8_t a[16], b[16], c[16], d[16];
    (void)state;
    made_count = 0;
    fails_at = SHARDS_MAX;
    struct shared_ledger *first = shared_ledger_new_kept(16, one, 0);
    struct shared_ledger *again = shared_ledger_new_kept(16, one, 99);
    struct shared_ledger *second = shared_ledger_new_kept(16, other, 0);
    shared_ledger_derive(first, STR("x"), a);
    shared_ledger_derive(again, STR("x"), b);
    shared_ledger_derive(again, STR("y"), c);
    shared_ledger_derive(second, STR("x"), d);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    assert_memory_not_equal(a, d, sizeof a);
    assert_memory_not_equal(a, one, sizeof a);
    assert_memory_not_equal(a, a + 8, 8);
    shared_ledger_free(first);
    shared_ledger_free(again);
    shared_ledger_free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shards_together_hold_all_keys),
        cmocka_unit_test(a_hold_is_settled_where_it_was_asked),
        cmocka_unit_test(a_change_of_a_list_goes_where_it_is_looked_up),
        cmocka_unit_test(threads_take_turns_in_a_shard),
        cmocka_unit_test(without_memory_nothing_is_left_behind),
        cmocka_unit_test(secrets_are_derived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
