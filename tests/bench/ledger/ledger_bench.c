/* Questions a second that the shared ledger answers, each held and committed:
 * on one thread and on two, of many keys and of one; of this process alone, and
 * in memory that others could attach to, as a server has it.
 *
 *     ledger_bench [SECONDS]
 *
 * Nothing here passes or fails. */
#include "proxy/budgets/shared_ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/limit.h"
#include "rules/rule.h"

#define MAX_KEYS 1000000
#define SECONDS 2
#define THREADS_MAX 2

struct bench {
    struct shared_ledger *ledger;
    struct rule rule;
    struct limit limit;
    uint64_t keys;
    bool is_distinct;
    atomic_bool is_over;
};

struct asker {
    struct bench *bench;
    pthread_t thread;
    uint64_t seed, asked;
};

static uint64_t next_random(struct asker *asker)
{
    asker->seed = asker->seed * 6364136223846793005u + 1442695040888963407u;
    return asker->seed >> 33;
}

static void ask_one(struct asker *asker, struct str key, struct str member)
{
    struct bench *bench = asker->bench;
    struct answer answer;
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &bench->rule,
                                .limit = &bench->limit,
                                .key = key,
                                .member = member,
                                .cost = 1,
                                .max = 1u << 30,
                                .rate = {1u << 30, 3600000}};
    uint64_t now_ms = 1000 + asker->asked / 1000;
    shared_ledger_answer(bench->ledger, &question, now_ms, &answer);
    asker->asked++;
    if (!answer.is_within)
        return;
    struct hold hold = {.rule = question.rule,
                        .limit = question.limit,
                        .key = key,
                        .member = member,
                        .cost = 1,
                        .charge = 1,
                        .max = question.max,
                        .rate = question.rate};
    shared_ledger_commit(bench->ledger, &hold, now_ms);
}

static void *ask_on(void *argument)
{
    struct asker *asker = argument;
    char key[32], member[32];
    while (
        !atomic_load_explicit(&asker->bench->is_over, memory_order_relaxed)) {
        uint64_t number = next_random(asker);
        snprintf(key, sizeof key, "user%llu@example.com",
                 (unsigned long long)(number % asker->bench->keys));
        snprintf(member, sizeof member, "r%llu@example.net",
                 (unsigned long long)(number % 100000));
        ask_one(asker, str_from(key),
                asker->bench->is_distinct ? str_from(member)
                                          : (struct str){NULL, 0});
    }
    return NULL;
}

static double measure(struct bench *bench, size_t threads, long seconds)
{
    struct asker askers[THREADS_MAX];
    const struct timespec wait = {seconds, 0};
    uint64_t asked = 0;
    bench->is_over = false;
    for (size_t i = 0; i < threads; i++) {
        askers[i] = (struct asker){.bench = bench, .seed = i + 1};
        if (pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) != 0)
            exit(1);
    }
    nanosleep(&wait, NULL);
    bench->is_over = true;
    for (size_t i = 0; i < threads; i++) {
        pthread_join(askers[i].thread, NULL);
        asked += askers[i].asked;
    }
    return (double)asked / (double)seconds;
}

static struct shared_ledger *open_ledger(bool is_shared)
{
    static const uint8_t SECRET[16] = "0123456789abcde";
    return is_shared ? shared_ledger_create(MAX_KEYS, SECRET, 0, 0)
                     : shared_ledger_new(MAX_KEYS);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *what;
        uint64_t keys;
        enum limit_unit unit;
        bool is_shared;
    } cases[] = {
        {"100,000 keys", 100000, UNIT_RECIPIENTS, false},
        {"100,000 keys, shared", 100000, UNIT_RECIPIENTS, true},
        {"one key", 1, UNIT_RECIPIENTS, false},
        {"one key, shared", 1, UNIT_RECIPIENTS, true},
        {"new recipients of 1,000 keys", 1000, UNIT_NEW_RECIPIENTS, false},
        {"the same, shared", 1000, UNIT_NEW_RECIPIENTS, true},
    };
    long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : SECONDS;
    seconds = seconds < 1 || seconds > 60 ? SECONDS : seconds;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t threads = 1; threads <= THREADS_MAX; threads++) {
            struct bench bench = {.ledger = open_ledger(cases[i].is_shared),
                                  .rule = {.name = STR("recipients an hour")},
                                  .limit = {.unit = cases[i].unit},
                                  .keys = cases[i].keys,
                                  .is_distinct =
                                      cases[i].unit == UNIT_NEW_RECIPIENTS};
            if (bench.ledger == NULL)
                return 1;
            printf(
                "%-30s %zu thread%s %10.0f a second\n", cases[i].what, threads,
                threads == 1 ? ": " : "s:", measure(&bench, threads, seconds));
            shared_ledger_free(bench.ledger);
        }
    }
    return 0;
}
