#include "tests/unit/rules/fixture.h"

#include <stdlib.h>

#include "rules/distinct_set.h"
#include "rules/ledger_entry.h"
#include "rules/ruleset_internal.h"

#define HOUR 3600000u
#define DAY (24u * HOUR)

static const uint8_t SECRET[16] = "0123456789abcde";

struct desk {
    struct ledger *ledger;
    struct rule rule;
    struct limit limit;
    struct rate rate;
    uint64_t max, now_ms;
    bool is_charge;
};

static struct desk open_desk(enum limit_unit unit, struct rate rate)
{
    struct desk desk = {.ledger = ledger_new(20000, SECRET),
                        .rule = {.name = STR("r")},
                        .limit = {.unit = unit},
                        .rate = rate,
                        .max = rate.amount,
                        .now_ms = 1000,
                        .is_charge = unit == UNIT_LOGINS};
    assert_non_null(desk.ledger);
    return desk;
}

static struct answer ask_for(struct desk *desk, const char *key,
                             const char *member, struct hold *hold)
{
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &desk->rule,
                                .limit = &desk->limit,
                                .key = str_from(key),
                                .member = str_from(member),
                                .cost = 1,
                                .max = desk->max,
                                .rate = desk->rate,
                                .is_charge = desk->is_charge};
    ledger_answer(desk->ledger, &question, desk->now_ms, &answer);
    if (hold != NULL)
        *hold = (struct hold){.rule = &desk->rule,
                              .limit = &desk->limit,
                              .key = question.key,
                              .member = question.member,
                              .cost = 1,
                              .charge = 1,
                              .max = desk->max,
                              .rate = desk->rate};
    return answer;
}

static void commit(struct desk *desk, struct hold *hold)
{
    ledger_commit(desk->ledger, hold, desk->now_ms);
}

static void give_back(struct desk *desk, struct hold *hold)
{
    ledger_give_back(desk->ledger, hold, desk->now_ms);
}

/* One transaction that is accepted. */
static bool pass(struct desk *desk, const char *key, const char *member)
{
    struct hold hold;
    if (!ask_for(desk, key, member, &hold).is_within)
        return false;
    commit(desk, &hold);
    return true;
}

static void only_so_many_networks_a_period(void **state)
{
    struct desk desk = open_desk(UNIT_NETWORKS, (struct rate){2, DAY});
    (void)state;
    assert_true(pass(&desk, "bob", "192.0.2.1"));
    desk.now_ms += HOUR;
    assert_true(pass(&desk, "bob", "192.0.2.2"));
    assert_true(pass(&desk, "bob", "192.0.2.1")); /* and stays a day more */
    struct answer answer = ask_for(&desk, "bob", "192.0.2.3", NULL);
    assert_false(answer.is_within);
    assert_int_equal(answer.before, 2);
    assert_int_equal(answer.after, 2);
    assert_int_equal(answer.retry_after_ms, DAY);
    assert_true(pass(&desk, "eve", "192.0.2.3")); /* another's set */
    desk.now_ms += DAY - 1;
    assert_false(pass(&desk, "bob", "192.0.2.3"));
    desk.now_ms += 1;
    assert_true(pass(&desk, "bob", "192.0.2.3"));
    ledger_free(desk.ledger);
}

static void a_network_that_is_held_counts_and_is_given_back(void **state)
{
    struct desk desk = open_desk(UNIT_NETWORKS, (struct rate){1, DAY});
    struct hold first, second;
    (void)state;
    struct answer answer = ask_for(&desk, "bob", "a", &first);
    assert_true(answer.is_within);
    assert_int_equal(answer.before, 0);
    assert_int_equal(answer.after, 1);
    answer = ask_for(&desk, "bob", "a", &second);
    assert_true(answer.is_within);
    assert_int_equal(answer.after, 1);
    assert_false(ask_for(&desk, "bob", "b", NULL).is_within);
    give_back(&desk, &first);
    assert_false(ask_for(&desk, "bob", "b", NULL).is_within);
    give_back(&desk, &second);
    give_back(&desk, &second); /* twice does nothing */
    assert_true(pass(&desk, "bob", "b"));
    assert_false(pass(&desk, "bob", "a"));
    ledger_free(desk.ledger);
}

static void a_held_network_outlasts_its_period(void **state)
{
    struct desk desk = open_desk(UNIT_NETWORKS, (struct rate){1, HOUR});
    struct hold hold;
    (void)state;
    assert_true(pass(&desk, "bob", "a"));
    assert_true(ask_for(&desk, "bob", "a", &hold).is_within);
    desk.now_ms += 2 * HOUR;
    assert_false(pass(&desk, "bob", "b"));
    commit(&desk, &hold);
    desk.now_ms += HOUR - 1;
    assert_false(pass(&desk, "bob", "b"));
    desk.now_ms += 1;
    assert_true(pass(&desk, "bob", "b"));
    ledger_free(desk.ledger);
}

static void logins_are_charged_at_once(void **state)
{
    struct desk desk = open_desk(UNIT_LOGINS, (struct rate){2, HOUR});
    (void)state;
    assert_true(ask_for(&desk, "192.0.2.1", "bob", NULL).is_within);
    desk.now_ms += 1000;
    assert_true(ask_for(&desk, "192.0.2.1", "eve", NULL).is_within);
    desk.now_ms += 1000;
    struct answer answer = ask_for(&desk, "192.0.2.1", "mia", NULL);
    assert_false(answer.is_within);
    assert_int_equal(answer.retry_after_ms, HOUR - 2000);
    /* It was not added: bob still passes, and mia later. */
    assert_true(ask_for(&desk, "192.0.2.1", "bob", NULL).is_within);
    desk.now_ms += HOUR - 1000;
    assert_true(ask_for(&desk, "192.0.2.1", "mia", NULL).is_within);
    assert_false(ask_for(&desk, "192.0.2.1", "eve", NULL).is_within);
    ledger_free(desk.ledger);
}

static void a_lowered_limit_waits_for_as_many_as_it_takes(void **state)
{
    struct desk desk = open_desk(UNIT_LOGINS, (struct rate){3, HOUR});
    (void)state;
    assert_true(ask_for(&desk, "k", "a", NULL).is_within);
    desk.now_ms += 1000;
    assert_true(ask_for(&desk, "k", "b", NULL).is_within);
    desk.now_ms += 1000;
    assert_true(ask_for(&desk, "k", "c", NULL).is_within);
    desk.max = desk.rate.amount = 1;
    struct answer answer = ask_for(&desk, "k", "d", NULL);
    assert_false(answer.is_within);
    assert_int_equal(answer.retry_after_ms, HOUR);
    ledger_free(desk.ledger);
}

static void an_address_costs_once_in_ninety_days(void **state)
{
    struct desk desk = open_desk(UNIT_NEW_RECIPIENTS, (struct rate){2, HOUR});
    (void)state;
    assert_true(pass(&desk, "bob", "a@example.net"));
    assert_true(pass(&desk, "bob", "b@example.net"));
    for (int i = 0; i < 100; i++)
        assert_true(pass(&desk, "bob", "a@example.net"));
    struct answer answer = ask_for(&desk, "bob", "c@example.net", NULL);
    assert_false(answer.is_within);
    assert_int_equal(answer.before, 2);
    assert_int_equal(answer.retry_after_ms, HOUR / 2);
    answer = ask_for(&desk, "bob", "a@example.net", NULL);
    assert_true(answer.is_within);
    assert_int_equal(answer.after, 2);
    ledger_free(desk.ledger);
}

static void an_address_is_forgotten_after_ninety_days(void **state)
{
    struct desk desk = open_desk(UNIT_NEW_RECIPIENTS, (struct rate){1, HOUR});
    (void)state;
    assert_true(pass(&desk, "bob", "a"));
    desk.now_ms += 60ull * DAY;
    assert_true(pass(&desk, "bob", "a")); /* refreshed */
    desk.now_ms += 90ull * DAY - 1;
    assert_true(pass(&desk, "bob", "b"));
    assert_true(pass(&desk, "bob", "a"));
    desk.now_ms += 90ull * DAY;
    assert_true(pass(&desk, "bob", "c"));
    assert_false(pass(&desk, "bob", "a"));
    ledger_free(desk.ledger);
}

static void one_new_address_in_two_transactions_costs_once(void **state)
{
    struct desk desk = open_desk(UNIT_NEW_RECIPIENTS, (struct rate){1, HOUR});
    struct hold first, second;
    (void)state;
    assert_true(ask_for(&desk, "bob", "a", &first).is_within);
    assert_true(ask_for(&desk, "bob", "a", &second).is_within);
    assert_false(ask_for(&desk, "bob", "b", NULL).is_within);
    give_back(&desk, &first);
    assert_false(ask_for(&desk, "bob", "b", NULL).is_within);
    commit(&desk, &second);
    assert_false(ask_for(&desk, "bob", "b", NULL).is_within);
    desk.now_ms += HOUR;
    assert_true(pass(&desk, "bob", "b"));
    assert_true(pass(&desk, "bob", "a"));
    ledger_free(desk.ledger);
}

static void a_refused_address_is_as_new_as_before(void **state)
{
    struct desk desk = open_desk(UNIT_NEW_RECIPIENTS, (struct rate){1, HOUR});
    struct hold hold;
    (void)state;
    assert_true(ask_for(&desk, "bob", "a", &hold).is_within);
    give_back(&desk, &hold);
    assert_true(pass(&desk, "bob", "b"));
    assert_false(pass(&desk, "bob", "a"));
    ledger_free(desk.ledger);
}

static void a_set_has_a_bounded_number_of_members(void **state)
{
    enum { MORE = 10 };
    struct desk desk =
        open_desk(UNIT_NEW_RECIPIENTS, (struct rate){1u << 20, HOUR});
    char name[32];
    (void)state;
    for (unsigned i = 0; i < DISTINCT_MAX + MORE; i++) {
        snprintf(name, sizeof name, "r%u@example.net", i);
        desk.now_ms++;
        assert_true(pass(&desk, "bob", name));
    }
    desk.max = desk.rate.amount = 1; /* what is new does not pass any more */
    for (unsigned i = 0; i < DISTINCT_MAX + MORE; i += MORE - 1) {
        snprintf(name, sizeof name, "r%u@example.net", i);
        assert_int_equal(ask_for(&desk, "bob", name, NULL).is_within,
                         i >= MORE);
    }
    ledger_free(desk.ledger);
}

static void wire_O08_a_full_ledger_refuses_a_network_but_not_an_address(void **state)
{
    struct desk desk = open_desk(UNIT_NETWORKS, (struct rate){100, DAY});
    char name[32];
    (void)state;
    ledger_free(desk.ledger);
    desk.ledger = ledger_new(10, SECRET);
    assert_non_null(desk.ledger);
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "net%u", i);
        assert_int_equal(pass(&desk, i % 2 ? "bob" : "eve", name), i < 10);
    }
    assert_true(pass(&desk, "bob", "net1")); /* none was forgotten */
    desk.limit.unit = UNIT_NEW_RECIPIENTS;
    for (unsigned i = 0; i < 40; i++) {
        desk.now_ms++;
        snprintf(name, sizeof name, "r%u@example.net", i);
        assert_true(pass(&desk, "mia", name));
    }
    ledger_free(desk.ledger);
}

/* --- against a model --- */

enum { MEMBERS = 12, HOLDS = 20, STEPS = 5000 };

struct wild {
    struct desk desk;
    uint64_t until_ms[MEMBERS];
    unsigned holds[MEMBERS];
    struct hold open[HOLDS];
    unsigned open_member[HOLDS];
    size_t open_count;
    unsigned seed;
};

static const char *member_name(unsigned member)
{
    static const char *const NAMES[MEMBERS] = {"a", "b", "c", "d", "e", "f",
                                               "g", "h", "i", "j", "k", "l"};
    return NAMES[member];
}

static bool is_in(const struct wild *w, unsigned member)
{
    return w->holds[member] > 0 || w->until_ms[member] > w->desk.now_ms;
}

static unsigned count_in(const struct wild *w)
{
    unsigned count = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        count += is_in(w, i);
    return count;
}

static void ask_wildly(struct wild *w, unsigned first_seed)
{
    unsigned member = (unsigned)rand_r(&w->seed) % MEMBERS;
    unsigned count = count_in(w);
    bool fits = is_in(w, member) || count < w->desk.max;
    if (w->open_count == HOLDS)
        return;
    struct answer answer =
        ask_for(&w->desk, "bob", member_name(member), &w->open[w->open_count]);
    if (answer.is_within != fits || answer.before != count)
        fail_msg("seed %u: within %d, before %llu, want %d and %u", first_seed,
                 answer.is_within, (unsigned long long)answer.before, fits,
                 count);
    if (!fits)
        return;
    w->holds[member]++;
    w->open_member[w->open_count++] = member;
}

static void settle_wildly(struct wild *w)
{
    if (w->open_count == 0)
        return;
    size_t i = (size_t)rand_r(&w->seed) % w->open_count;
    struct hold hold = w->open[i];
    unsigned member = w->open_member[i];
    w->open_count--;
    w->open[i] = w->open[w->open_count];
    w->open_member[i] = w->open_member[w->open_count];
    w->holds[member]--;
    if (rand_r(&w->seed) % 2) {
        commit(&w->desk, &hold);
        w->until_ms[member] = w->desk.now_ms + w->desk.rate.period_ms;
    } else
        give_back(&w->desk, &hold);
}

static void random_interleavings_keep_sets_exact(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 40; seed++) {
        struct wild w = {.seed = seed};
        w.desk = open_desk(UNIT_NETWORKS, (struct rate){1 + seed % 7, 1000});
        for (int step = 0; step < STEPS; step++) {
            w.desk.now_ms += (unsigned)rand_r(&w.seed) % 200;
            if (rand_r(&w.seed) % 2)
                ask_wildly(&w, seed);
            else
                settle_wildly(&w);
        }
        ledger_free(w.desk.ledger);
    }
}

static void what_is_restored_goes_on_as_before(void **state)
{
    struct desk desk = open_desk(UNIT_NETWORKS, (struct rate){1, DAY});
    struct ledger_entry entry;
    size_t told = 0;
    (void)state;
    ledger_watch(desk.ledger);
    assert_true(pass(&desk, "bob", "a"));
    desk.limit.unit = UNIT_NEW_RECIPIENTS;
    assert_true(pass(&desk, "bob", "r"));
    ledger_know(desk.ledger, STR("bob"), STR("192.0.2.1"), desk.now_ms);
    struct ledger *next = ledger_new(1000, SECRET);
    assert_non_null(next);
    for (; ledger_take_change(desk.ledger, &entry); told++)
        assert_true(ledger_restore(next, &entry, desk.now_ms));
    assert_int_equal(told, 4); /* with the budget of what is new */
    ledger_free(desk.ledger);
    desk.ledger = next;
    assert_false(pass(&desk, "bob", "s"));
    assert_true(pass(&desk, "bob", "r"));
    desk.limit.unit = UNIT_NETWORKS;
    assert_false(pass(&desk, "bob", "b"));
    assert_true(pass(&desk, "bob", "a"));
    assert_true(ledger_knows(next, STR("bob"), STR("192.0.2.1"), desk.now_ms));
    ledger_free(next);
}

static void a_known_net_is_known_for_thirty_days(void **state)
{
    struct ledger *ledger = ledger_new(4, SECRET);
    struct str bob = STR("bob"), net = STR("192.0.2.1/32");
    (void)state;
    assert_non_null(ledger);
    assert_false(ledger_knows(ledger, bob, net, 5));
    ledger_know(ledger, bob, net, 5);
    assert_true(ledger_knows(ledger, bob, net, 5 + 30ull * DAY - 1));
    assert_false(ledger_knows(ledger, STR("eve"), net, 6));
    assert_false(ledger_knows(ledger, bob, net, 5 + 30ull * DAY));
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_so_many_networks_a_period),
        cmocka_unit_test(a_network_that_is_held_counts_and_is_given_back),
        cmocka_unit_test(a_held_network_outlasts_its_period),
        cmocka_unit_test(logins_are_charged_at_once),
        cmocka_unit_test(a_lowered_limit_waits_for_as_many_as_it_takes),
        cmocka_unit_test(an_address_costs_once_in_ninety_days),
        cmocka_unit_test(an_address_is_forgotten_after_ninety_days),
        cmocka_unit_test(one_new_address_in_two_transactions_costs_once),
        cmocka_unit_test(a_refused_address_is_as_new_as_before),
        cmocka_unit_test(a_set_has_a_bounded_number_of_members),
        cmocka_unit_test(wire_O08_a_full_ledger_refuses_a_network_but_not_an_address),
        cmocka_unit_test(random_interleavings_keep_sets_exact),
        cmocka_unit_test(what_is_restored_goes_on_as_before),
        cmocka_unit_test(a_known_net_is_known_for_thirty_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
