/* How long a lock that lies on the way of a message is used: what is done with
 * it again and again on one thread, and on two that both want it.
 *
 *     lock_bench [SECONDS]
 *
 * A use is all of the call, the lock is held for a part of it. Nothing here
 * passes or fails. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/settings.h"
#include "proxy/budgets/connection_counts.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/log_lane.h"
#include "proxy/login/claim.h"
#include "proxy/login/login_cache.h"
#include "rules/limit.h"
#include "rules/rule.h"

#define SECONDS 1
#define THREADS_MAX 2
#define KEYS 1000000
#define LANE_OCTETS (8 * 1024 * 1024)
#define LINE_OCTETS 1450

struct locked {
    struct shared_ledger *ledger;
    struct login_cache *logins;
    struct connection_counts *connections;
    struct settings settings;
    struct log_lane lane;
    struct rule rule;
    struct limit limit;
    struct login_answer answer;
};

struct user {
    struct locked *locked;
    void (*use)(struct user *user);
    const atomic_bool *is_over;
    struct arena arena;
    struct line_queue batch;
    char line[LINE_OCTETS];
    pthread_t thread;
    uint64_t uses;
};

static const struct claim claim = {
    .kind = CLAIM_PASSWORD,
    .name = STR("someone@example.com"),
    .secret = STR("what nobody knows"),
};
static const struct judged judged = {.claim = &claim};

/* All threads spend of one budget. */
static void use_ledger(struct user *user)
{
    struct locked *locked = user->locked;
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &locked->rule,
                                .limit = &locked->limit,
                                .key = STR("someone@example.com"),
                                .cost = 1,
                                .max = 1u << 30,
                                .rate = {1u << 30, 3600000}};
    shared_ledger_answer(locked->ledger, &question, 1000, &answer);
    struct hold hold = {.rule = question.rule,
                        .limit = question.limit,
                        .key = question.key,
                        .cost = 1,
                        .charge = 1,
                        .max = question.max,
                        .rate = question.rate};
    shared_ledger_commit(locked->ledger, &hold, 1000);
}

static void use_lane(struct user *user)
{
    struct log_lane *lane = &user->locked->lane;
    struct str line = {user->line, sizeof user->line};
    if (log_lane_push(lane, line) < LANE_OCTETS / 16)
        return;
    log_lane_take(lane, &user->batch);
    line_queue_clear(&user->batch);
}

static void use_logins(struct user *user)
{
    struct login_answer found;
    if (!login_cache_find(user->locked->logins, &judged, 1000, &user->arena,
                          &found))
        abort();
    arena_reset(&user->arena);
}

static void use_connections(struct user *user)
{
    static const struct ip client = {.octets = {192, 0, 2, 1}};
    struct connection_counts *counts = user->locked->connections;
    if (connection_counts_take(counts, &client) == CONNECTION_TAKEN)
        connection_counts_give(counts, &client);
}

static void use_settings(struct user *user)
{
    settings_unref(settings_ref(&user->locked->settings));
}

static const struct {
    const char *what;
    void (*use)(struct user *user);
} cases[] = {
    {"one budget: a hold and its commit (two locks)", use_ledger},
    {"one lane of the log: a line of 1,450 octets", use_lane},
    {"login cache: the same login", use_logins},
    {"connection counts: one net, taken and given (two locks)",
     use_connections},
    {"a snapshot of the settings: taken and given (no lock, two atomic steps)",
     use_settings},
};

static void *use_on(void *argument)
{
    struct user *user = argument;
    while (!atomic_load_explicit(user->is_over, memory_order_relaxed)) {
        user->use(user);
        user->uses++;
    }
    return NULL;
}

static double per_second(struct locked *locked, size_t number, size_t threads,
                         long seconds)
{
    static struct user users[THREADS_MAX];
    atomic_bool is_over = false;
    const struct timespec wait = {seconds, 0};
    uint64_t uses = 0;
    for (size_t i = 0; i < threads; i++) {
        users[i] = (struct user){
            .locked = locked, .use = cases[number].use, .is_over = &is_over};
        memset(users[i].line, 'x', sizeof users[i].line);
        arena_init(&users[i].arena, 64 * 1024);
        line_queue_init(&users[i].batch, LANE_OCTETS);
        if (pthread_create(&users[i].thread, NULL, use_on, &users[i]) != 0)
            exit(1);
    }
    nanosleep(&wait, NULL);
    is_over = true;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(users[i].thread, NULL);
        arena_release(&users[i].arena);
        line_queue_release(&users[i].batch);
        uses += users[i].uses;
    }
    return (double)uses / (double)seconds;
}

static int open_all(struct locked *locked)
{
    *locked = (struct locked){
        .ledger = shared_ledger_new(KEYS),
        .logins = login_cache_new(KEYS),
        .connections = connection_counts_new(1000, 1000),
        .rule = {.name = STR("recipients an hour")},
        .limit = {.unit = UNIT_RECIPIENTS},
        .settings = {.references = 1},
        .answer = {.result = LOGIN_OK, .user = claim.name},
    };
    log_lane_init(&locked->lane, LANE_OCTETS);
    if (locked->ledger == NULL || locked->logins == NULL ||
        locked->connections == NULL)
        return -1;
    login_cache_keep(locked->logins, &judged, &locked->answer, 1000, 3600000);
    return 0;
}

int main(int argc, char **argv)
{
    static struct locked locked;
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : SECONDS;
    seconds = seconds < 1 || seconds > 60 ? SECONDS : seconds;
    if (open_all(&locked) != 0)
        return 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double alone = per_second(&locked, i, 1, seconds);
        double both = per_second(&locked, i, 2, seconds);
        printf("%s\t%.0f\t%.0f\n", cases[i].what, 1e9 / alone, both);
    }
    shared_ledger_free(locked.ledger);
    login_cache_free(locked.logins);
    connection_counts_free(locked.connections);
    log_lane_release(&locked.lane);
    return 0;
}
