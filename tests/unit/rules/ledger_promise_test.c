/* What the ledger promises. In every second play two ledgers over one memory
 * take turns at random. */
#include "tests/unit/rules/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "rules/limit.h"
#include "rules/rule.h"
#include "tests/support/ledger_promise.h"

enum { KEYS = 3, PLAYS = 60 };

struct turns {
    struct ledger *ledgers[2];
    void *memory; /* that both are placed over; NULL: there is only one */
    unsigned seed;
};

static void open_ledgers(struct turns *turns, bool is_placed)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    if (!is_placed) {
        turns->ledgers[0] = ledger_new(KEYS, SECRET);
        assert_non_null(turns->ledgers[0]);
        return;
    }
    size_t octets = ledger_octets(KEYS);
    turns->memory = aligned_alloc(64, octets);
    assert_non_null(turns->memory);
    memset(turns->memory, 0, octets);
    for (unsigned i = 0; i < 2; i++) {
        turns->ledgers[i] = ledger_place(turns->memory, KEYS, SECRET, i);
        assert_non_null(turns->ledgers[i]);
    }
}

static struct ledger *some_ledger(struct turns *turns)
{
    bool is_second = turns->memory != NULL && rand_r(&turns->seed) % 2 == 0;
    return turns->ledgers[is_second];
}

static void answer(void *owner, const struct question *question,
                   uint64_t now_ms, struct answer *out)
{
    ledger_answer(some_ledger(owner), question, now_ms, out);
}

static void commit(void *owner, struct hold *hold, uint64_t now_ms)
{
    ledger_commit(some_ledger(owner), hold, now_ms);
}

static void give_back(void *owner, struct hold *hold, uint64_t now_ms)
{
    ledger_give_back(some_ledger(owner), hold, now_ms);
}

static void play(unsigned seed, enum promise_of kind)
{
    struct turns turns = {.seed = seed};
    const struct played_ledger played = {&turns, answer, commit, give_back};
    open_ledgers(&turns, seed % 2 == 0);
    ledger_promise_play(&played, seed, kind, PROMISE_STEPS_MAX);
    for (int i = 0; i < 2; i++)
        ledger_free(turns.ledgers[i]);
    free(turns.memory);
}

static void holds_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, PROMISE_HOLDS);
}

/* What is charged without room fills the bucket but is not let through. */
static void charges_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, PROMISE_CHARGES);
}

static void both_together_keep_the_promise(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= PLAYS; seed++)
        play(seed, PROMISE_BOTH);
}

static void wire_O08_a_full_ledger_never_forgets_a_debt(void **state)
{
    enum { ROOM = 64, FLOOD = 5000 };
    static const uint8_t SECRET[16] = "0123456789abcde";
    struct rule rule = {.name = STR("r")};
    struct limit limit = {.unit = UNIT_MESSAGES};
    struct ledger *ledger = ledger_new(ROOM, SECRET);
    size_t taken = 0;
    (void)state;
    assert_non_null(ledger);
    for (unsigned i = 0; i < FLOOD; i++) {
        char name[16];
        struct answer answer;
        snprintf(name, sizeof name, "user%u", i);
        struct question question = {.kind = QUESTION_HOLD,
                                    .rule = &rule,
                                    .limit = &limit,
                                    .key = str_from(name),
                                    .cost = 1,
                                    .max = 1,
                                    .rate = {1, 3600000},
                                    .is_charge = true};
        ledger_answer(ledger, &question, 1000, &answer);
        taken += answer.is_within;
        assert_int_equal(answer.is_within, i < ROOM);
        /* Whoever is in debt stays so, however many come. */
        question.key = STR("user0");
        ledger_answer(ledger, &question, 2000, &answer);
        assert_false(answer.is_within);
    }
    assert_int_equal(taken, ROOM);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_keep_the_promise),
        cmocka_unit_test(charges_keep_the_promise),
        cmocka_unit_test(both_together_keep_the_promise),
        cmocka_unit_test(wire_O08_a_full_ledger_never_forgets_a_debt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
