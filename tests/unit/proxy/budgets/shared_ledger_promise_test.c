/* The promises of the ledger under real threads, each with a clock that is a
 * little ahead of or behind the others'. Bounded by rounds, not by time. In
 * every second play half of the threads have the ledger mapped elsewhere. */
#include "proxy/budgets/shared_ledger.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"

enum { THREADS = 4, KEYS = 3, OPEN_MAX = 12, ROUNDS = 8000 };

/* What a key may have at once, and in the time that the test's clock runs:
 * one period. */
enum { BURST = 40, AMOUNT = 30, PERIOD_MS = 4000 };

struct counts {
    /* Units that are surely reserved or charged: taken after the answer,
     * given back before the ledger hears of it. */
    atomic_int held;
    atomic_int committed;
    atomic_int most_held;
};

struct world {
    struct shared_ledger *ledgers[2]; /* over one memory */
    struct rule rule;
    struct limit limit;
    struct counts counts[KEYS];
};

struct session {
    struct world *world;
    struct shared_ledger *ledger;
    unsigned seed;
    struct hold open[OPEN_MAX];
    int open_key[OPEN_MAX];
    size_t open_count;
};

static const struct str NAMES[KEYS] = {STR_INIT("bob"), STR_INIT("eve"),
                                       STR_INIT("mia")};

static void note_most(struct counts *counts, int held)
{
    int most = atomic_load(&counts->most_held);
    while (held > most &&
           !atomic_compare_exchange_weak(&counts->most_held, &most, held)) {
    }
}

static void hold_some(struct session *session, uint64_t now_ms)
{
    struct world *world = session->world;
    int key = rand_r(&session->seed) % KEYS;
    uint64_t cost = 1 + (uint64_t)rand_r(&session->seed) % 5;
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &world->rule,
                                .limit = &world->limit,
                                .key = NAMES[key],
                                .cost = cost,
                                .max = BURST,
                                .rate = {AMOUNT, PERIOD_MS}};
    if (session->open_count == OPEN_MAX)
        return;
    shared_ledger_answer(session->ledger, &question, now_ms, &answer);
    if (!answer.is_within)
        return;
    struct counts *counts = &world->counts[key];
    note_most(counts, atomic_fetch_add(&counts->held, (int)cost) + (int)cost);
    session->open_key[session->open_count] = key;
    session->open[session->open_count++] =
        (struct hold){.rule = &world->rule,
                      .limit = &world->limit,
                      .key = NAMES[key],
                      .cost = cost,
                      .charge = cost,
                      .max = BURST,
                      .rate = {AMOUNT, PERIOD_MS}};
}

static void settle_one(struct session *session, uint64_t now_ms)
{
    if (session->open_count == 0)
        return;
    struct hold *hold = &session->open[--session->open_count];
    struct counts *counts =
        &session->world->counts[session->open_key[session->open_count]];
    atomic_fetch_sub(&counts->held, (int)hold->cost);
    if (rand_r(&session->seed) % 3 == 0) {
        shared_ledger_give_back(session->ledger, hold, now_ms);
        return;
    }
    atomic_fetch_add(&counts->committed, (int)hold->cost);
    shared_ledger_commit(session->ledger, hold, now_ms);
}

static void *play(void *argument)
{
    struct session *session = argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        /* Onwards on the whole, by up to 50 ms to and fro. */
        uint64_t now_ms = 1000 + (uint64_t)round * (PERIOD_MS - 200) / ROUNDS +
                          (uint64_t)rand_r(&session->seed) % 50;
        if (rand_r(&session->seed) % 2)
            hold_some(session, now_ms);
        else
            settle_one(session, now_ms);
    }
    while (session->open_count > 0)
        settle_one(session, 1000 + PERIOD_MS - 200);
    return NULL;
}

static void open_ledgers(struct world *world, bool is_shared)
{
    static const uint8_t SECRET[16] = "a secret of ours";
    if (!is_shared) {
        world->ledgers[0] = shared_ledger_new(1000);
        assert_non_null(world->ledgers[0]);
        return;
    }
    struct shared_ledger *made = shared_ledger_create(1000, SECRET, 9, 0);
    assert_non_null(made);
    world->ledgers[0] = made;
    assert_int_equal(shared_ledger_attach(shared_ledger_memory(made),
                                          shared_ledger_event(made), 1,
                                          &world->ledgers[1]),
                     SHARED_LEDGER_ATTACHED);
    shared_ledger_watch(made);
}

static void threads_together_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 6; seed++) {
        struct world world = {.rule = {.name = STR("r")},
                              .limit = {.unit = UNIT_RECIPIENTS}};
        struct session sessions[THREADS];
        pthread_t threads[THREADS];
        bool is_shared = seed % 2 == 0;
        open_ledgers(&world, is_shared);
        for (unsigned i = 0; i < THREADS; i++) {
            sessions[i] =
                (struct session){.world = &world,
                                 .ledger = world.ledgers[is_shared ? i % 2 : 0],
                                 .seed = seed * THREADS + i};
            assert_int_equal(
                pthread_create(&threads[i], NULL, play, &sessions[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        for (int key = 0; key < KEYS; key++) {
            const struct counts *counts = &world.counts[key];
            if (counts->most_held > BURST ||
                counts->committed > BURST + AMOUNT || counts->committed < BURST)
                fail_msg("seed %u, key %d: held %d at once, committed %d", seed,
                         key, counts->most_held, counts->committed);
            assert_int_equal(counts->held, 0);
        }
        for (int i = 0; i < 2; i++)
            shared_ledger_free(world.ledgers[i]);
    }
}

struct listed {
    int count;
    struct str want;
};

static void on_listed(void *owner, struct str value, uint64_t left_ms)
{
    struct listed *listed = owner;
    assert_true(str_equals(value, listed->want));
    assert_int_equal(left_ms, 400);
    listed->count++;
}

static void what_is_listed_can_be_told(void **state)
{
    struct list contained = {.name = STR("contained"), .is_dynamic = true};
    struct list other = {.name = STR("other"), .is_dynamic = true};
    struct shared_ledger *ledger = shared_ledger_new(1000);
    struct listed listed = {0, STR("bob")};
    (void)state;
    assert_non_null(ledger);
    struct list_change changes[] = {
        {.list = &contained, .value = STR("bob"), .for_ms = 500},
        {.list = &contained, .value = STR("eve"), .for_ms = 50},
        {.list = &contained, .value = STR("mia")},
        {.list = &contained, .value = STR("mia"), .is_removal = true},
        {.list = &other, .value = STR("tom"), .for_ms = 500},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        assert_true(shared_ledger_apply(ledger, &changes[i], 1000));
    shared_ledger_each_listed(ledger, contained.name, 1100, on_listed, &listed);
    assert_int_equal(listed.count, 1);
    shared_ledger_free(ledger);
}

static void a_login_is_known_where_it_succeeded(void **state)
{
    struct shared_ledger *ledger = shared_ledger_new(1000);
    (void)state;
    assert_non_null(ledger);
    shared_ledger_know(ledger, STR("bob"), STR("192.0.2.1"), 5);
    assert_true(shared_ledger_knows(ledger, STR("bob"), STR("192.0.2.1"), 6));
    assert_false(shared_ledger_knows(ledger, STR("bob"), STR("192.0.2.2"), 6));
    shared_ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_together_keep_the_promise),
        cmocka_unit_test(what_is_listed_can_be_told),
        cmocka_unit_test(a_login_is_known_where_it_succeeded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
