/* The shared ledger against a real Redis: step by step it must answer as the
 * server's own does, and whatever becomes of the Redis, what was settled
 * counts once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/budgets/remote_ledger_internal.h"
#include "proxy/budgets/remote_orders.h"
#include "proxy/net/timer.h"
#include "rules/ledger.h"
#include "rules/ledger_budget.h"
#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"
#include "tests/support/ledger_promise.h"
#include "tests/support/redis_peer.h"

enum { BOUND_MS = 20000, OPEN_MAX = 24, KEYS = 3, STEPS = 300 };

/* In plays that are not about holds that lapse. */
#define HOLDS_LIVE_MS UINT64_C(1000000000000)

static struct redis_peer peer;

struct world {
    struct store_meter meter;
    struct loop *loop;
    struct timer *tick, *bound;
    struct limits_settings settings;
    struct remote_ledger *remote;
    bool (*is_done)(struct world *w);
    bool is_answered, has_answer;
    struct answer answer;
    char fault[200];
    size_t answered;
    struct rule rule;
    struct limit limit;
};

/* --- waiting on the loop --- */

static void on_tick(void *owner)
{
    struct world *w = owner;
    if (w->is_done(w))
        loop_stop(w->loop);
    else
        timer_start(w->tick, 1);
}

static void on_bound(void *owner)
{
    (void)owner;
    fail_msg("it takes too long");
}

static void wait_until(struct world *w, bool (*is_done)(struct world *w))
{
    w->is_done = is_done;
    timer_start(w->tick, 0);
    timer_start(w->bound, BOUND_MS);
    loop_run(w->loop);
    timer_stop(w->tick);
    timer_stop(w->bound);
}

static bool is_up(struct world *w)
{
    return remote_ledger_is_up(w->remote);
}

static bool is_down(struct world *w)
{
    return !remote_ledger_is_up(w->remote);
}

static bool is_quiet(struct world *w)
{
    for (const struct remote_question *q = w->remote->newest; q != NULL;
         q = q->older)
        if (q->state != REMOTE_HELD)
            return false;
    return true;
}

static bool is_answered(struct world *w)
{
    return w->is_answered;
}

static void on_answered(void *owner, const struct answer *answer,
                        const char *fault)
{
    struct world *w = owner;
    w->is_answered = true;
    w->answered++;
    w->has_answer = answer != NULL;
    if (answer != NULL)
        w->answer = *answer;
    else
        snprintf(w->fault, sizeof w->fault, "%s", fault);
    loop_stop(w->loop);
}

/* --- a world --- */

static void open_world(struct world *w)
{
    *w = (struct world){
        .settings = {.store = STORE_REDIS,
                     .store_text = STR("redis+unix://it"),
                     .store_socket = peer.socket,
                     .store_timeout_ms = 5000},
        .rule = {.name = STR("a {rule}")},
        .limit = {.unit = UNIT_RECIPIENTS},
    };
    w->loop = loop_new();
    assert_non_null(w->loop);
    w->tick = timer_new(w->loop, on_tick, w);
    w->bound = timer_new(w->loop, on_bound, w);
}

static void connect_world(struct world *w)
{
    w->remote = remote_ledger_new(w->loop, &w->settings, NULL, NULL, &w->meter);
    assert_non_null(w->remote);
    wait_until(w, is_up);
}

static void close_world(struct world *w)
{
    remote_ledger_free(w->remote);
    timer_free(w->tick);
    timer_free(w->bound);
    loop_run(w->loop);
    loop_free(w->loop);
}

static void start_world(struct world *w)
{
    redis_peer_order(&peer, "FLUSHALL");
    open_world(w);
    connect_world(w);
}

static struct answer ask(struct world *w, const struct question *question)
{
    w->is_answered = false;
    assert_non_null(remote_ledger_ask(w->remote, question, on_answered, w));
    wait_until(w, is_answered);
    if (!w->has_answer)
        fail_msg("no answer: %s", w->fault);
    return w->answer;
}

static struct question question_of(struct world *w, uint64_t cost)
{
    return (struct question){.kind = QUESTION_HOLD,
                             .rule = &w->rule,
                             .limit = &w->limit,
                             .key = STR("bob"),
                             .cost = cost,
                             .max = 10,
                             .rate = {10, 3600000}};
}

static struct hold hold_of(const struct question *question,
                           const struct answer *answer)
{
    return (struct hold){.rule = question->rule,
                         .limit = question->limit,
                         .key = question->key,
                         .member = question->member,
                         .cost = question->cost,
                         .charge = question->cost,
                         .max = question->max,
                         .rate = question->rate,
                         .token = answer->token};
}

static struct hold take(struct world *w, uint64_t cost)
{
    struct question question = question_of(w, cost);
    struct answer answer = ask(w, &question);
    assert_true(answer.is_within);
    assert_int_not_equal(answer.token, 0);
    return hold_of(&question, &answer);
}

/* What is used and held now, by a question that takes nothing. */
static uint64_t taken(struct world *w)
{
    struct question question = question_of(w, 11);
    struct answer answer = ask(w, &question);
    assert_false(answer.is_within);
    return answer.before;
}

/* --- as the server's own --- */

struct open_hold {
    struct hold local, remote;
};

struct play {
    struct world *w;
    struct ledger *ledger;
    struct remote_orders *orders; /* by hand */
    unsigned seed, first_seed;
    uint64_t now_ms, latest_ms;
    struct rate rates[2];
    uint64_t burst;
    bool is_member, has_charges;
    struct arena arena;
    struct open_hold open[OPEN_MAX];
    size_t open_count;
    size_t within, exceeded;
};

static const struct str NAMES[KEYS] = {STR_INIT("bob"), STR_INIT("eve@b|{x}"),
                                       STR_INIT("")};
static uint64_t pick(struct play *p, uint64_t below)
{
    uint64_t high = (uint64_t)rand_r(&p->seed);
    high = high << 31 ^ (uint64_t)rand_r(&p->seed);
    return (high << 20 ^ (uint64_t)rand_r(&p->seed)) % below;
}

#define SAME(p, what, a, b)                                                    \
    do {                                                                       \
        if ((uint64_t)(a) != (uint64_t)(b))                                    \
            fail_msg("seed %u, %s, at %llu, %llu/%llu burst %llu: %s is %llu " \
                     "there and %llu here",                                    \
                     (p)->first_seed, unit_row((p)->w->limit.unit)->name,      \
                     (unsigned long long)(p)->latest_ms,                       \
                     (unsigned long long)(p)->rates[0].amount,                 \
                     (unsigned long long)(p)->rates[0].period_ms,              \
                     (unsigned long long)(p)->burst, what,                     \
                     (unsigned long long)(b), (unsigned long long)(a));        \
    } while (0)

static void same_answer(struct play *p, const struct answer *here,
                        const struct answer *there)
{
    SAME(p, "is_within", here->is_within, there->is_within);
    SAME(p, "before", here->before, there->before);
    SAME(p, "after", here->after, there->after);
    SAME(p, "max", here->max, there->max);
    SAME(p, "retry_after_ms", here->retry_after_ms, there->retry_after_ms);
    SAME(p, "is_held_up", here->is_held_up, there->is_held_up);
}

/* For the server's own the time that counts is the latest it was told. */
static void tell_time(struct play *p)
{
    if (p->now_ms > p->latest_ms)
        p->latest_ms = p->now_ms;
    remote_ledger_set_clock(p->w->remote, p->latest_ms, HOLDS_LIVE_MS);
    remote_orders_set_clock(p->orders, p->latest_ms);
}

static void play_question(struct play *p)
{
    bool is_charge = p->has_charges && pick(p, 3) == 0;
    char member[16];
    struct question question = {
        .kind = QUESTION_HOLD,
        .rule = &p->w->rule,
        .limit = &p->w->limit,
        .key = NAMES[pick(p, KEYS)],
        .cost = p->is_member ? 1 : pick(p, p->burst / 3 + 3),
        .max = p->burst,
        .rate = p->rates[pick(p, 8) == 0],
        .is_charge = is_charge};
    struct answer here, there;
    bool is_recipient = p->w->limit.unit == UNIT_NEW_RECIPIENTS;
    int n = snprintf(member, sizeof member, "m%llu",
                     (unsigned long long)pick(p, is_recipient ? 60 : 6));
    if (p->is_member)
        question.member = arena_str(&p->arena, str_span(member, (size_t)n));
    if (!is_charge && p->open_count == OPEN_MAX)
        return;
    tell_time(p);
    ledger_answer(p->ledger, &question, p->now_ms, &here);
    there = ask(p->w, &question);
    same_answer(p, &here, &there);
    p->within += here.is_within;
    p->exceeded += !here.is_within;
    if (is_charge || !here.is_within)
        return;
    p->open[p->open_count].local = hold_of(&question, &here);
    p->open[p->open_count++].remote = hold_of(&question, &there);
}

static void play_settle(struct play *p)
{
    if (p->open_count == 0)
        return;
    tell_time(p);
    size_t i = pick(p, p->open_count);
    struct open_hold open = p->open[i];
    p->open[i] = p->open[--p->open_count];
    if (!p->is_member && pick(p, 4) == 0)
        open.local.charge = open.remote.charge = open.local.cost / 2;
    if (pick(p, 3) > 0) {
        ledger_commit(p->ledger, &open.local, p->now_ms);
        remote_ledger_commit(p->w->remote, &open.remote);
        assert_true(open.remote.is_settled);
        remote_ledger_commit(p->w->remote, &open.remote);
    } else {
        ledger_give_back(p->ledger, &open.local, p->now_ms);
        remote_ledger_give_back(p->w->remote, &open.remote);
    }
    wait_until(p->w, is_quiet);
}

static void play_time(struct play *p)
{
    uint64_t most = p->rates[0].period_ms / 4 + 2000;
    /* A budget is forgotten when it would be as new by the rate at which it
     * was last asked; what is slower after that depends on whether it was. */
    uint64_t step = pick(p, p->first_seed % 2 == 0 ? most / 1000 + 2 : most);
    if (pick(p, 8) == 0)
        /* 0 would be the store's own clock. */
        p->now_ms -= step < p->now_ms ? step : p->now_ms - 1;
    else
        p->now_ms += step;
}

static void look(struct play *p, const struct ledger_target *target)
{
    struct ledger_budget here, there;
    bool exists;
    bool is_here = ledger_look(p->ledger, target, p->now_ms, &here);
    const char *fault = remote_orders_look(p->orders, target, &exists, &there);
    if (fault != NULL)
        fail_msg("%s", fault);
    SAME(p, "that it exists", is_here, exists);
    SAME(p, "used", here.used, there.used);
    SAME(p, "held", here.held, there.held);
    SAME(p, "max", here.max, there.max);
    SAME(p, "amount", here.rate.amount, there.rate.amount);
    SAME(p, "period_ms", here.rate.period_ms, there.rate.period_ms);
    SAME(p, "empty_in_ms", here.empty_in_ms, there.empty_in_ms);
    SAME(p, "boost_percent", here.boost_percent, there.boost_percent);
    SAME(p, "boost_left_ms", here.boost_left_ms, there.boost_left_ms);
}

static void play_by_hand(struct play *p)
{
    static const uint32_t PERCENTS[] = {1, 50, 100, 133, 250, 100000};
    /* What charges fill and others hold beside it stays below 2^53. */
    bool is_exact = p->burst < UINT64_C(1) << 40 || !p->has_charges;
    bool is_slow = p->first_seed % 2 == 0 && is_exact;
    const struct ledger_target target = {&p->w->rule, &p->w->limit,
                                         NAMES[pick(p, KEYS)]};
    uint64_t what = pick(p, 8);
    tell_time(p);
    if (what == 0) {
        ledger_reset(p->ledger, &target, p->now_ms);
        assert_null(remote_orders_reset(p->orders, &target));
    } else if (what < 3) {
        uint32_t percent = PERCENTS[pick(p, is_slow ? 6 : 3)];
        uint64_t for_ms = 1 + pick(p, 2 * p->rates[0].period_ms + 9);
        assert_true(
            ledger_boost(p->ledger, &target, percent, for_ms, p->now_ms));
        assert_null(remote_orders_boost(p->orders, &target, percent, for_ms));
    }
    look(p, &target);
}

static void one_step(struct play *p)
{
    uint64_t what = pick(p, 11);
    if (what < 5)
        play_question(p);
    else if (what < 8)
        play_settle(p);
    else if (what < 10)
        play_time(p);
    else
        play_by_hand(p);
}

/* Another way to write the same, as after a reload. */
static struct rate same_rate(struct rate rate)
{
    if (rate.amount % 2 == 0 && rate.period_ms % 2 == 0)
        return (struct rate){rate.amount / 2, rate.period_ms / 2};
    if (rate.period_ms < UINT64_C(100) * 86400000)
        return (struct rate){rate.amount * 3, rate.period_ms * 3};
    return rate;
}

static void play(enum limit_unit unit, unsigned seed, struct rate rate,
                 uint64_t burst, bool has_charges)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    struct world w;
    start_world(&w);
    w.limit.unit = unit;
    w.limit.rate = rate;
    w.limit.burst = burst;
    struct play p = {.w = &w,
                     .ledger = ledger_new(1000, SECRET),
                     .seed = seed,
                     .first_seed = seed,
                     .now_ms = 1000000,
                     .rates = {rate, same_rate(rate)},
                     .burst = burst,
                     .has_charges = has_charges,
                     .is_member = unit == UNIT_NETWORKS ||
                                  unit == UNIT_LOGINS ||
                                  unit == UNIT_NEW_RECIPIENTS};
    p.orders = remote_orders_new(&w.settings);
    assert_non_null(p.ledger);
    assert_non_null(p.orders);
    arena_init(&p.arena, 1024 * 1024);
    for (size_t i = 0; i < STEPS; i++)
        one_step(&p);
    assert_true(p.within > 0);
    assert_true(p.exceeded > 0);
    arena_release(&p.arena);
    ledger_free(p.ledger);
    remote_orders_free(p.orders);
    close_world(&w);
}

#define MOST (UINT64_C(1) << 53)

static void it_answers_as_the_servers_own_ledger(void **state)
{
    static const struct {
        struct rate rate;
        uint64_t burst;
        bool is_of_holds; /* charges may fill what others hold */
    } CASES[] = {
        {{7, 1000}, 7, false},
        {{500, 3600000}, 100, false},
        {{3, 60000}, 9, false},
        {{UINT64_C(1) << 30, 86400000}, UINT64_C(1) << 30, false},
        {{MOST, UINT64_C(366) * 86400000}, MOST, true},
        {{MOST, UINT64_C(366) * 86400000}, MOST / 2, false},
        {{1, UINT64_C(366) * 86400000}, MOST / 2, false},
        {{MOST, 1000}, MOST - 3, true},
        {{UINT64_C(999999999999989), 86399999},
         UINT64_C(888888888888888),
         false},
        {{5, 0}, 5, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        for (unsigned seed = 1; seed <= 4; seed++)
            play(CASES[i].rate.period_ms == 0 ? UNIT_CONNECTIONS
                                              : UNIT_RECIPIENTS,
                 seed, CASES[i].rate, CASES[i].burst, !CASES[i].is_of_holds);
}

static void distinct_units_are_counted_as_in_the_servers_own(void **state)
{
    static const enum limit_unit UNITS[] = {UNIT_NETWORKS, UNIT_LOGINS,
                                            UNIT_NEW_RECIPIENTS};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (unsigned seed = 1; seed <= 6; seed++)
            play(UNITS[i], seed, (struct rate){3, seed % 2 ? 60000 : 3600000},
                 3, true);
}

static void lists_and_known_nets_are_found_until_they_end(void **state)
{
    struct world w;
    struct list contained = {.name = STR("contained"), .is_dynamic = true};
    struct question listed = {
        .kind = QUESTION_LISTED, .list = &contained, .value = STR("bob")};
    struct list_change change = {
        .list = &contained, .value = STR("bob"), .for_ms = 1000};
    (void)state;
    start_world(&w);
    remote_ledger_set_clock(w.remote, 5000, REMOTE_HOLD_MS);
    assert_false(ask(&w, &listed).is_listed);
    remote_ledger_apply(w.remote, &change);
    assert_true(ask(&w, &listed).is_listed);
    remote_ledger_set_clock(w.remote, 5999, REMOTE_HOLD_MS);
    assert_true(ask(&w, &listed).is_listed);
    remote_ledger_set_clock(w.remote, 6000, REMOTE_HOLD_MS);
    assert_false(ask(&w, &listed).is_listed);
    change.for_ms = 0;
    remote_ledger_apply(w.remote, &change);
    remote_ledger_set_clock(w.remote, 600000, REMOTE_HOLD_MS);
    assert_true(ask(&w, &listed).is_listed);
    change.is_removal = true;
    remote_ledger_apply(w.remote, &change);
    assert_false(ask(&w, &listed).is_listed);
    remote_ledger_know(w.remote, STR("bob"), STR("192.0.2.1"));
    w.is_answered = false;
    assert_non_null(remote_ledger_ask_known(w.remote, STR("bob"),
                                            STR("192.0.2.1"), on_answered, &w));
    wait_until(&w, is_answered);
    assert_true(w.answer.is_listed);
    close_world(&w);
}

/* --- what may become of a Redis --- */

static void scripts_that_were_flushed_are_loaded_again(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 3);
    for (int i = 0; i < 5; i++) {
        struct question question = question_of(&w, 1);
        redis_peer_order(&peer, "SCRIPT FLUSH");
        /* All of them are under way at once. */
        w.answered = 0;
        for (int n = 0; n < 8; n++) {
            w.is_answered = false;
            question.cost = 100;
            assert_non_null(
                remote_ledger_ask(w.remote, &question, on_answered, &w));
        }
        while (w.answered < 8) {
            w.is_answered = false;
            wait_until(&w, is_answered);
            assert_true(w.has_answer);
        }
    }
    wait_until(&w, is_quiet);
    redis_peer_order(&peer, "SCRIPT FLUSH");
    remote_ledger_commit(w.remote, &hold);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    assert_int_equal(store_meter_read(&w.meter, STORE_LOADS), 4 * 7);
    close_world(&w);
}

static void what_was_settled_while_it_was_away_counts_once(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold one = take(&w, 1), two = take(&w, 2), back = take(&w, 4);
    redis_peer_order(&peer, "CLIENT KILL TYPE normal SKIPME yes");
    wait_until(&w, is_down);
    remote_ledger_commit(w.remote, &one);
    remote_ledger_commit(w.remote, &two);
    remote_ledger_give_back(w.remote, &back);
    assert_null(remote_ledger_ask(w.remote, &(struct question){0}, NULL, NULL));
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    close_world(&w);
}

/* Told, and then the connection breaks before the answer comes. */
static void what_was_told_and_never_answered_counts_once(void **state)
{
    struct world w;
    (void)state;
    for (int i = 0; i < 10; i++) {
        start_world(&w);
        struct hold hold = take(&w, 2);
        remote_ledger_commit(w.remote, &hold);
        if (i % 2 == 0)
            /* It leaves at the end of the turn, and is executed. */
            loop_stop(w.loop), loop_run(w.loop);
        redis_link_drop(w.remote->link, "a test");
        wait_until(&w, is_up);
        wait_until(&w, is_quiet);
        assert_int_equal(taken(&w), 2);
        close_world(&w);
    }
}

static void a_redis_that_was_emptied_still_hears_of_commits(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold first = take(&w, 2), second = take(&w, 3), third = take(&w, 1);
    redis_peer_order(&peer, "FLUSHALL");
    remote_ledger_commit(w.remote, &first);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 2);
    redis_peer_kill(&peer);
    wait_until(&w, is_down);
    remote_ledger_commit(w.remote, &second);
    redis_peer_again(&peer);
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    /* The third is still held, and held there again. */
    assert_int_equal(taken(&w), 4);
    remote_ledger_give_back(w.remote, &third);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    close_world(&w);
}

static void holds_lapse_unless_they_are_renewed(void **state)
{
    struct world w, other;
    (void)state;
    start_world(&w);
    open_world(&other);
    connect_world(&other);
    remote_ledger_set_clock(w.remote, 1000000, REMOTE_HOLD_MS);
    remote_ledger_set_clock(other.remote, 1000000, REMOTE_HOLD_MS);
    struct hold dead = take(&w, 4), live = take(&other, 2);
    assert_int_equal(taken(&other), 6);
    /* One server dies; the other says that it still has its hold. */
    remote_ledger_set_clock(other.remote, 1800000, REMOTE_HOLD_MS / 900);
    other.remote->hold_ms = REMOTE_HOLD_MS;
    wait_until(&other, is_quiet);
    while (store_meter_read(&other.meter, STORE_TOLD) == 0)
        wait_until(&other, is_up);
    wait_until(&other, is_quiet);
    remote_ledger_set_clock(other.remote, 1900000, REMOTE_HOLD_MS);
    assert_int_equal(taken(&other), 2);
    /* It was not dead after all: what it sent counts. */
    remote_ledger_set_clock(w.remote, 1900000, REMOTE_HOLD_MS);
    remote_ledger_commit(w.remote, &dead);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&other), 6);
    remote_ledger_give_back(other.remote, &live);
    wait_until(&other, is_quiet);
    assert_int_equal(taken(&other), 4);
    close_world(&other);
    close_world(&w);
}

/* As a Redis without noeviction, or a hand, may leave it. */
static void what_nobody_holds_is_held_no_more(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    w.rule.name = STR("r");
    struct hold hold = take(&w, 1), gone = take(&w, 4);
    assert_int_equal(
        redis_peer_order(&peer, "DEL postern:{r|recipients|bob}:holds"), 1);
    remote_ledger_commit(w.remote, &hold);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 1);
    remote_ledger_give_back(w.remote, &gone);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 1);
    close_world(&w);
}

/* Redis drops the holds of a key a minute after the last of them has lapsed:
 * what else the key says may stay for days. */
static void holds_that_expired_unseen_are_held_no_more(void **state)
{
    struct world w, dead;
    struct ledger_budget budget;
    struct remote_orders *orders;
    bool exists;
    (void)state;
    start_world(&w);
    open_world(&dead);
    connect_world(&dead);
    w.rule.name = dead.rule.name = STR("r");
    remote_ledger_set_clock(w.remote, 1000000, REMOTE_HOLD_MS);
    remote_ledger_set_clock(dead.remote, 1000000, REMOTE_HOLD_MS);
    struct hold used = take(&w, 3);
    remote_ledger_commit(w.remote, &used);
    take(&dead, 4);
    close_world(&dead);
    assert_int_equal(taken(&w), 7);
    remote_ledger_set_clock(w.remote, 1000001 + REMOTE_HOLD_MS, REMOTE_HOLD_MS);
    assert_int_equal(
        redis_peer_order(&peer, "DEL postern:{r|recipients|bob}:holds"), 1);
    orders = remote_orders_new(&w.settings);
    remote_orders_set_clock(orders, 1000001 + REMOTE_HOLD_MS);
    const struct ledger_target target = {
        .rule = &w.rule, .limit = &w.limit, .key = STR("bob")};
    assert_null(remote_orders_look(orders, &target, &exists, &budget));
    assert_int_equal(budget.held, 0);
    remote_orders_free(orders);
    assert_int_equal(taken(&w), 1);
    close_world(&w);
}

static void who_does_not_wait_any_more_holds_nothing(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct question question = question_of(&w, 5);
    remote_question_cancel(
        remote_ledger_ask(w.remote, &question, on_answered, &w));
    wait_until(&w, is_quiet);
    assert_int_equal(w.answered, 0);
    assert_int_equal(taken(&w), 0);
    question.is_charge = true;
    remote_question_cancel(
        remote_ledger_ask(w.remote, &question, on_answered, &w));
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 5);
    close_world(&w);
}

static void an_answer_that_is_late_gives_its_hold_back(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    w.settings.store_timeout_ms = 100;
    struct question question = question_of(&w, 5);
    redis_peer_order(&peer, "CLIENT PAUSE 600 ALL");
    w.is_answered = false;
    assert_non_null(remote_ledger_ask(w.remote, &question, on_answered, &w));
    wait_until(&w, is_answered);
    assert_false(w.has_answer);
    assert_string_equal(w.fault, "no answer within 100 ms");
    assert_false(remote_ledger_is_up(w.remote));
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    w.settings.store_timeout_ms = 5000;
    assert_int_equal(taken(&w), 0);
    close_world(&w);
}

/* What was told on a connection that was given up may come to be read after
 * the same was told on the next. */
static void what_is_overtaken_by_itself_counts_once(void **state)
{
    struct world w, old;
    (void)state;
    start_world(&w);
    open_world(&old);
    connect_world(&old);
    struct hold hold = take(&w, 2), other = take(&old, 1);
    w.remote->newest->is_again = true;
    remote_ledger_commit(w.remote, &hold);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    struct remote_question *first = remote_holds_take(old.remote, other.token);
    first->token = hold.token;
    first->cost = 2;
    remote_settle(first, true, 2);
    wait_until(&old, is_quiet);
    assert_int_equal(taken(&w), 3);
    close_world(&old);
    close_world(&w);
}

/* Emptied after it was held, it breaks before what is told is read. */
static void what_is_told_again_to_one_that_was_emptied_counts(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 2);
    redis_peer_order(&peer, "FLUSHALL");
    w.remote->newest->is_again = true;
    remote_ledger_commit(w.remote, &hold);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 2);
    close_world(&w);
}

static void holds_come_back_to_one_that_was_emptied(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 4);
    redis_peer_order(&peer, "FLUSHALL");
    assert_int_equal(taken(&w), 0);
    timer_start(w.remote->life_watch, 0);
    while (store_meter_read(&w.meter, STORE_TOLD) == 0)
        wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 4);
    /* Held in the memory that is there now: it counts once. */
    remote_ledger_commit(w.remote, &hold);
    loop_stop(w.loop), loop_run(w.loop);
    redis_link_drop(w.remote->link, "a test");
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 4);
    close_world(&w);
}

static void one_that_is_silent_is_told_nothing_more(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 3);
    struct question question = question_of(&w, 1);
    w.settings.store_timeout_ms = 100;
    redis_peer_order(&peer, "CLIENT PAUSE 600 ALL");
    w.is_answered = false;
    assert_non_null(remote_ledger_ask(w.remote, &question, on_answered, &w));
    wait_until(&w, is_answered);
    remote_ledger_commit(w.remote, &hold);
    assert_int_equal(store_meter_read(&w.meter, STORE_TOLD), 0);
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    w.settings.store_timeout_ms = 5000;
    assert_int_equal(taken(&w), 3);
    close_world(&w);
}

/* Though nobody asked anything when it fell silent. */
static void what_waited_is_told_when_silence_ends(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 3);
    w.settings.store_timeout_ms = 100;
    redis_peer_order(&peer, "CLIENT PAUSE 600 ALL");
    timer_start(w.remote->life_watch, 0);
    wait_until(&w, is_down);
    remote_ledger_commit(w.remote, &hold);
    wait_until(&w, is_quiet);
    assert_int_equal(store_meter_read(&w.meter, STORE_TOLD), 1);
    close_world(&w);
}

/* All that waited would be in front of them. */
static void questions_come_between_what_is_told(void **state)
{
    struct world w;
    struct list list = {.name = STR("l"), .is_dynamic = true};
    struct list_change change = {.list = &list, .value = STR("v")};
    (void)state;
    start_world(&w);
    redis_link_drop(w.remote->link, "a test");
    for (int i = 0; i < REMOTE_UNTOLD_MAX; i++)
        remote_ledger_apply(w.remote, &change);
    wait_until(&w, is_up);
    uint64_t before = store_meter_read(&w.meter, STORE_TOLD);
    assert_int_equal(taken(&w), 0);
    assert_true(store_meter_read(&w.meter, STORE_TOLD) <=
                before + 2 * REMOTE_TELLING_MAX);
    wait_until(&w, is_quiet);
    assert_int_equal(store_meter_read(&w.meter, STORE_TOLD), REMOTE_UNTOLD_MAX);
    close_world(&w);
}

/* Some of them were under way when the connection broke, the others waited. */
static void of_a_lists_changes_the_last_holds(void **state)
{
    struct world w;
    struct list list = {.name = STR("l"), .is_dynamic = true};
    struct list_change change = {.list = &list, .value = STR("v")};
    struct question listed = {
        .kind = QUESTION_LISTED, .list = &list, .value = STR("v")};
    (void)state;
    assert_int_equal(REMOTE_TELLING_MAX % 2, 0);
    start_world(&w);
    for (int i = 1; i <= REMOTE_TELLING_MAX + 101; i++) {
        change.is_removal = i % 2 == 1;
        remote_ledger_apply(w.remote, &change);
    }
    redis_link_drop(w.remote->link, "a test");
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_false(ask(&w, &listed).is_listed);
    close_world(&w);
}

static void what_is_untold_at_the_end_is_counted(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold one = take(&w, 1), two = take(&w, 2);
    redis_link_drop(w.remote->link, "a test");
    remote_ledger_commit(w.remote, &one);
    remote_ledger_give_back(w.remote, &two);
    close_world(&w);
    assert_int_equal(store_meter_read(&w.meter, STORE_LOST), 2);
}

static void what_does_not_fit_the_queue_is_counted(void **state)
{
    struct world w;
    struct list list = {.name = STR("l"), .is_dynamic = true};
    struct list_change change = {.list = &list, .value = STR("v")};
    (void)state;
    start_world(&w);
    redis_link_drop(w.remote->link, "a test");
    for (int i = 0; i < REMOTE_UNTOLD_MAX + 7; i++)
        remote_ledger_apply(w.remote, &change);
    assert_int_equal(store_meter_read(&w.meter, STORE_LOST), 7);
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(redis_peer_order(&peer, "ZCARD postern:list:{l}"), 1);
    close_world(&w);
}

/* What is told then goes through, or is told again: it counts once. */
static void one_whose_memory_is_full_is_away(void **state)
{
    struct world w;
    (void)state;
    start_world(&w);
    struct hold hold = take(&w, 3);
    struct question question = question_of(&w, 1);
    redis_peer_order(&peer, "CONFIG SET maxmemory 1");
    w.is_answered = false;
    assert_non_null(remote_ledger_ask(w.remote, &question, on_answered, &w));
    wait_until(&w, is_answered);
    assert_false(w.has_answer);
    assert_int_equal(strncmp(w.fault, "its memory is full", 18), 0);
    remote_ledger_commit(w.remote, &hold);
    redis_peer_order(&peer, "CONFIG SET maxmemory 0");
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    assert_int_equal(store_meter_read(&w.meter, STORE_LOST), 0);
    close_world(&w);
}

/* --- what it may do there --- */

static void keep_text(void *owner, struct str value, uint64_t left_ms)
{
    (void)left_ms;
    snprintf(owner, 16, "%.*s", (int)value.n, value.p);
}

static void all_orders_are_carried_out(struct world *w)
{
    struct list list = {.name = STR("m"), .is_dynamic = true};
    const struct list_change change = {.list = &list, .value = STR("bob")};
    const struct ledger_target target = {
        .rule = &w->rule, .limit = &w->limit, .key = STR("bob")};
    struct remote_orders *orders = remote_orders_new(&w->settings);
    struct ledger_budget budget;
    char listed[16] = "";
    uint64_t keys;
    bool has;
    assert_non_null(orders);
    assert_null(remote_orders_look(orders, &target, &has, &budget));
    assert_null(remote_orders_boost(orders, &target, 200, 60000));
    assert_null(remote_orders_reset(orders, &target));
    assert_null(remote_orders_count(orders, &keys));
    assert_null(remote_orders_apply(orders, &change, &has));
    assert_null(remote_orders_each_listed(orders, STR("m"), keep_text, listed));
    assert_string_equal(listed, "bob");
    remote_orders_free(orders);
}

/* The words that the log and postern.yaml(5) have. */
static void a_user_needs_no_more_than_is_said(void **state)
{
    struct world w;
    struct list list = {.name = STR("l"), .is_dynamic = true};
    struct list_change change = {.list = &list, .value = STR("v")};
    (void)state;
    redis_peer_order(&peer, "FLUSHALL");
    redis_peer_order(&peer, "ACL SETUSER p on >secret ~postern:* +@connection "
                            "+@scripting +@read +@write +time");
    open_world(&w);
    w.settings.store_user = STR("p");
    w.settings.store_password = STR("secret");
    connect_world(&w);
    struct hold kept = take(&w, 3), back = take(&w, 2);
    remote_ledger_commit(w.remote, &kept);
    remote_ledger_give_back(w.remote, &back);
    remote_ledger_apply(w.remote, &change);
    remote_ledger_know(w.remote, STR("bob"), STR("192.0.2.1"));
    wait_until(&w, is_quiet);
    assert_int_equal(taken(&w), 3);
    all_orders_are_carried_out(&w);
    assert_int_equal(store_meter_read(&w.meter, STORE_LEFT), 0);
    /* What it may not do within a script is no reason to forget it. */
    struct hold late = take(&w, 4);
    redis_peer_order(&peer, "ACL SETUSER p -set");
    remote_ledger_commit(w.remote, &late);
    wait_until(&w, is_down);
    assert_int_equal(strncmp(redis_link_fault(w.remote->link),
                             "its user may not do that", 24),
                     0);
    redis_peer_order(&peer, "ACL SETUSER p +set");
    wait_until(&w, is_up);
    wait_until(&w, is_quiet);
    assert_int_equal(store_meter_read(&w.meter, STORE_LOST), 0);
    close_world(&w);
    redis_peer_order(&peer, "ACL DELUSER p");
}

/* --- the promise of any ledger --- */

struct promising {
    struct world w;
    uint64_t latest_ms;
};

static void tell_latest(struct promising *p, uint64_t now_ms)
{
    if (now_ms > p->latest_ms)
        p->latest_ms = now_ms;
    remote_ledger_set_clock(p->w.remote, p->latest_ms, HOLDS_LIVE_MS);
}

static void answer_promising(void *owner, const struct question *question,
                             uint64_t now_ms, struct answer *answer)
{
    struct promising *p = owner;
    tell_latest(p, now_ms);
    *answer = ask(&p->w, question);
}

static void commit_promising(void *owner, struct hold *hold, uint64_t now_ms)
{
    struct promising *p = owner;
    tell_latest(p, now_ms);
    remote_ledger_commit(p->w.remote, hold);
    wait_until(&p->w, is_quiet);
}

static void give_back_promising(void *owner, struct hold *hold, uint64_t now_ms)
{
    struct promising *p = owner;
    tell_latest(p, now_ms);
    remote_ledger_give_back(p->w.remote, hold);
    wait_until(&p->w, is_quiet);
}

static void it_keeps_the_promise_of_any_ledger(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct promising p = {0};
        const struct played_ledger played = {
            &p, answer_promising, commit_promising, give_back_promising};
        start_world(&p.w);
        ledger_promise_play(&played, seed, seed % 3, 400);
        close_world(&p.w);
    }
}

/* --- several servers --- */

enum { SERVERS = 4, ATTEMPTS = 150, SHARED_MAX = 100 };

struct server {
    struct world w;
    pthread_t thread;
    unsigned seed;
    uint64_t committed;
};

/* Holds, and keeps two of three, until it has tried so often. */
static void *serve(void *argument)
{
    struct server *server = argument;
    struct world *w = &server->w;
    open_world(w);
    connect_world(w);
    for (int i = 0; i < ATTEMPTS; i++) {
        struct question question = question_of(w, 1);
        question.max = SHARED_MAX;
        question.rate = (struct rate){1, UINT64_C(86400000)};
        struct answer answer = ask(w, &question);
        if (!answer.is_within)
            continue;
        struct hold hold = hold_of(&question, &answer);
        if (rand_r(&server->seed) % 3 == 0) {
            remote_ledger_give_back(w->remote, &hold);
            continue;
        }
        remote_ledger_commit(w->remote, &hold);
        server->committed++;
    }
    wait_until(w, is_quiet);
    return NULL;
}

static void servers_together_keep_one_limit(void **state)
{
    struct server servers[SERVERS];
    uint64_t committed = 0;
    (void)state;
    redis_peer_order(&peer, "FLUSHALL");
    for (unsigned i = 0; i < SERVERS; i++) {
        servers[i] = (struct server){.seed = i};
        assert_int_equal(
            pthread_create(&servers[i].thread, NULL, serve, &servers[i]), 0);
    }
    for (unsigned i = 0; i < SERVERS; i++) {
        pthread_join(servers[i].thread, NULL);
        committed += servers[i].committed;
        const struct store_meter *meter = &servers[i].w.meter;
        assert_int_equal(store_meter_read(meter, STORE_WITHIN) +
                             store_meter_read(meter, STORE_EXCEEDED),
                         ATTEMPTS);
    }
    assert_int_equal(committed, SHARED_MAX);
    for (unsigned i = 0; i < SERVERS; i++)
        close_world(&servers[i].w);
}

/* --- under load --- */

enum { TROUBLES = 40, LOADED_MAX = 100000000 };

struct loaded {
    struct world w;
    pthread_t thread;
    unsigned seed;
    const atomic_bool *is_over;
    uint64_t committed, unanswered;
};

/* What it is told to hold it keeps or gives back, whatever happens. */
static void *serve_under_load(void *argument)
{
    struct loaded *loaded = argument;
    struct world *w = &loaded->w;
    open_world(w);
    w->settings.store_timeout_ms = 30;
    connect_world(w);
    while (!atomic_load(loaded->is_over)) {
        struct question question =
            question_of(w, 1 + (unsigned)rand_r(&loaded->seed) % 3);
        question.max = LOADED_MAX;
        question.rate = (struct rate){1, UINT64_C(86400000)};
        w->is_answered = false;
        if (remote_ledger_ask(w->remote, &question, on_answered, w) == NULL) {
            wait_until(w, is_up);
            continue;
        }
        wait_until(w, is_answered);
        if (!w->has_answer) {
            loaded->unanswered++;
            continue;
        }
        assert_true(w->answer.is_within);
        struct hold hold = hold_of(&question, &w->answer);
        if (rand_r(&loaded->seed) % 3 == 0) {
            remote_ledger_give_back(w->remote, &hold);
            continue;
        }
        remote_ledger_commit(w->remote, &hold);
        loaded->committed += hold.charge;
    }
    wait_until(w, is_up);
    wait_until(w, is_quiet);
    return NULL;
}

static void nothing_is_lost_or_counted_twice_under_load(void **state)
{
    static const char *const TROUBLE[] = {"SCRIPT FLUSH",
                                          "CLIENT KILL TYPE normal SKIPME yes",
                                          "CLIENT PAUSE 60 ALL"};
    struct timespec pause = {.tv_nsec = 20000000};
    struct loaded servers[SERVERS];
    atomic_bool is_over = false;
    uint64_t committed = 0, unanswered = 0;
    struct world w;
    (void)state;
    redis_peer_order(&peer, "FLUSHALL");
    for (unsigned i = 0; i < SERVERS; i++) {
        servers[i] = (struct loaded){.seed = i, .is_over = &is_over};
        assert_int_equal(pthread_create(&servers[i].thread, NULL,
                                        serve_under_load, &servers[i]),
                         0);
    }
    for (size_t i = 0; i < TROUBLES; i++) {
        redis_peer_order(&peer, TROUBLE[i % 3]);
        nanosleep(&pause, NULL);
    }
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < SERVERS; i++) {
        pthread_join(servers[i].thread, NULL);
        committed += servers[i].committed;
        unanswered += servers[i].unanswered;
        close_world(&servers[i].w);
    }
    open_world(&w);
    connect_world(&w);
    struct question question = question_of(&w, LOADED_MAX + 1);
    question.max = LOADED_MAX;
    question.rate = (struct rate){1, UINT64_C(86400000)};
    struct answer answer = ask(&w, &question);
    close_world(&w);
    assert_int_equal(answer.before, committed);
    assert_true(committed > 0);
    assert_true(unanswered > 0);
}

static int start_peer(void **state)
{
    (void)state;
    redis_peer_start(&peer, NULL);
    return 0;
}

static int stop_peer(void **state)
{
    (void)state;
    redis_peer_stop(&peer);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_as_the_servers_own_ledger),
        cmocka_unit_test(distinct_units_are_counted_as_in_the_servers_own),
        cmocka_unit_test(it_keeps_the_promise_of_any_ledger),
        cmocka_unit_test(lists_and_known_nets_are_found_until_they_end),
        cmocka_unit_test(scripts_that_were_flushed_are_loaded_again),
        cmocka_unit_test(what_was_settled_while_it_was_away_counts_once),
        cmocka_unit_test(what_was_told_and_never_answered_counts_once),
        cmocka_unit_test(a_redis_that_was_emptied_still_hears_of_commits),
        cmocka_unit_test(holds_lapse_unless_they_are_renewed),
        cmocka_unit_test(what_nobody_holds_is_held_no_more),
        cmocka_unit_test(holds_that_expired_unseen_are_held_no_more),
        cmocka_unit_test(who_does_not_wait_any_more_holds_nothing),
        cmocka_unit_test(an_answer_that_is_late_gives_its_hold_back),
        cmocka_unit_test(what_is_overtaken_by_itself_counts_once),
        cmocka_unit_test(what_is_told_again_to_one_that_was_emptied_counts),
        cmocka_unit_test(holds_come_back_to_one_that_was_emptied),
        cmocka_unit_test(one_that_is_silent_is_told_nothing_more),
        cmocka_unit_test(what_waited_is_told_when_silence_ends),
        cmocka_unit_test(questions_come_between_what_is_told),
        cmocka_unit_test(of_a_lists_changes_the_last_holds),
        cmocka_unit_test(what_is_untold_at_the_end_is_counted),
        cmocka_unit_test(what_does_not_fit_the_queue_is_counted),
        cmocka_unit_test(one_whose_memory_is_full_is_away),
        cmocka_unit_test(a_user_needs_no_more_than_is_said),
        cmocka_unit_test(servers_together_keep_one_limit),
        cmocka_unit_test(nothing_is_lost_or_counted_twice_under_load),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
