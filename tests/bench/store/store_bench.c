/* What a question to a shared store costs: over a unix socket and TCP, alone
 * and many at once, here and in the Redis; and what 200,000 budgets take and
 * cost to look up, there and in the server's own memory.
 *
 *     store_bench [QUESTIONS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/budgets/remote_ledger_internal.h"
#include "proxy/budgets/shared_ledger.h"
#include "proxy/net/timer.h"
#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"
#include "tests/support/redis_peer.h"

#define KEYS 200000
#define OWN_KEYS 1000000

enum kind {
    KIND_HOLD,    /* held, and committed when it is answered */
    KIND_CHARGE,  /* charged */
    KIND_REFUSED, /* asked, and does not fit */
    KIND_MEMBER,  /* a new recipient, held and committed */
    KIND_LISTED,  /* a value of a dynamic list */
    KINDS
};

static const char *const WORDS[KINDS] = {
    [KIND_HOLD] = "hold and commit", [KIND_CHARGE] = "charge",
    [KIND_REFUSED] = "refused",      [KIND_MEMBER] = "new recipient and commit",
    [KIND_LISTED] = "listed?",
};

struct bench {
    struct store_meter meter;
    struct redis_peer peer;
    struct loop *loop;
    struct timer *tick;
    struct limits_settings settings;
    struct remote_ledger *remote;
    struct rule rule;
    struct limit limit;
    struct list list;
    enum kind kind;
    size_t keys, width, to_ask, under_way;
    uint64_t number, sum_us;
    struct flight *spare;
};

struct flight {
    struct bench *bench;
    struct flight *next;
    struct question question;
    char key[32], member[32];
    uint64_t begun_us;
};

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- waiting --- */

static void on_tick(void *owner)
{
    struct bench *b = owner;
    bool is_idle =
        b->to_ask == 0 && b->under_way == 0 && b->remote->newest == NULL;
    if (remote_ledger_is_up(b->remote) && is_idle)
        loop_stop(b->loop);
    else
        timer_start(b->tick, 1);
}

static void wait_idle(struct bench *b)
{
    timer_start(b->tick, 0);
    loop_run(b->loop);
}

/* --- asking --- */

static void fill_question(struct flight *flight)
{
    struct bench *b = flight->bench;
    uint64_t key = b->number * 7919 % b->keys;
    int n = snprintf(flight->key, sizeof flight->key, "user%llu@example.com",
                     (unsigned long long)key);
    struct str text = str_span(flight->key, (size_t)n);
    n = snprintf(flight->member, sizeof flight->member, "r%llu@example.net",
                 (unsigned long long)b->number);
    flight->question =
        (struct question){.kind = QUESTION_HOLD,
                          .rule = &b->rule,
                          .limit = &b->limit,
                          .key = text,
                          .cost = b->kind == KIND_REFUSED ? 1000000 : 1,
                          .max = 500000,
                          .rate = {500000, 3600000},
                          .is_charge = b->kind == KIND_CHARGE};
    if (b->kind == KIND_MEMBER)
        flight->question.member = str_span(flight->member, (size_t)n);
    if (b->kind == KIND_LISTED)
        flight->question = (struct question){
            .kind = QUESTION_LISTED, .list = &b->list, .value = text};
    b->number++;
}

static void go_on(struct bench *b);

static void on_answered(void *owner, const struct answer *answer,
                        const char *fault)
{
    struct flight *flight = owner;
    struct bench *b = flight->bench;
    if (answer == NULL) {
        fprintf(stderr, "no answer: %s\n", fault);
        exit(1);
    }
    b->sum_us += loop_clock_us(b->loop) - flight->begun_us;
    b->under_way--;
    struct hold hold = {.rule = flight->question.rule,
                        .limit = flight->question.limit,
                        .key = flight->question.key,
                        .cost = 1,
                        .charge = 1,
                        .rate = flight->question.rate,
                        .token = answer->token};
    if (answer->token != 0)
        remote_ledger_commit(b->remote, &hold);
    flight->next = b->spare;
    b->spare = flight;
    go_on(b);
}

static void go_on(struct bench *b)
{
    while (b->to_ask > 0 && b->under_way < b->width) {
        struct flight *flight = b->spare;
        b->spare = flight->next;
        fill_question(flight);
        flight->begun_us = loop_clock_us(b->loop);
        if (remote_ledger_ask(b->remote, &flight->question, on_answered,
                              flight) == NULL) {
            flight->next = b->spare;
            b->spare = flight;
            return;
        }
        b->under_way++;
        b->to_ask--;
    }
}

static double redis_cpu_us(const struct bench *b)
{
    return 1e6 * (redis_peer_info(&b->peer, "cpu", "used_cpu_user") +
                  redis_peer_info(&b->peer, "cpu", "used_cpu_sys"));
}

static void measure(struct bench *b, enum kind kind, size_t width, size_t count)
{
    b->kind = kind;
    b->limit.unit = kind == KIND_MEMBER ? UNIT_NEW_RECIPIENTS : UNIT_RECIPIENTS;
    b->width = width;
    b->sum_us = 0;
    double cpu = redis_cpu_us(b);
    double in = redis_peer_info(&b->peer, "stats", "total_net_input_bytes");
    double out = redis_peer_info(&b->peer, "stats", "total_net_output_bytes");
    uint64_t own = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t begun = clock_us(CLOCK_MONOTONIC);
    b->to_ask = count;
    go_on(b);
    wait_idle(b);
    double took = (double)(clock_us(CLOCK_MONOTONIC) - begun);
    double mine = (double)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - own);
    double n = (double)count;
    printf(
        "%-26s %5zu %10.0f %9.0f %9.2f %9.2f %8.0f %8.0f\n", WORDS[kind], width,
        n / took * 1e6, (double)b->sum_us / n, mine / n,
        (redis_cpu_us(b) - cpu) / n,
        (redis_peer_info(&b->peer, "stats", "total_net_input_bytes") - in) / n,
        (redis_peer_info(&b->peer, "stats", "total_net_output_bytes") - out) /
            n);
}

static void connect_bench(struct bench *b, bool is_local)
{
    b->settings = (struct limits_settings){.store = STORE_REDIS,
                                           .store_text = STR("the bench"),
                                           .store_timeout_ms = 60000};
    if (is_local)
        b->settings.store_socket = b->peer.socket;
    else
        b->settings.store_address =
            (struct endpoint){.host = STR("127.0.0.1"), .port = b->peer.port};
    b->remote = remote_ledger_new(b->loop, &b->settings, NULL, NULL, &b->meter);
    if (b->remote == NULL)
        exit(1);
    wait_idle(b);
}

static void measure_way(struct bench *b, bool is_local, size_t count)
{
    static const size_t WIDTHS[] = {1, 16, 256};
    printf("\n%s\n%-26s %5s %10s %9s %9s %9s %8s %8s\n",
           is_local ? "unix socket" : "TCP, 127.0.0.1", "question", "wide",
           "a second", "us to it", "own us", "redis us", "oct. to", "oct. fro");
    connect_bench(b, is_local);
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof WIDTHS / sizeof *WIDTHS; i++)
            measure(b, kind, WIDTHS[i], WIDTHS[i] == 1 ? count / 5 : count);
    remote_ledger_free(b->remote);
    b->remote = NULL;
}

/* --- 200,000 keys --- */

static double resident(void)
{
    unsigned long long size, pages;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%llu %llu", &size, &pages) != 2)
        exit(1);
    fclose(file);
    return (double)pages * 4096;
}

static void ask_own(struct bench *b, struct shared_ledger *ledger, size_t count)
{
    struct flight flight = {.bench = b};
    struct answer answer;
    for (size_t i = 0; i < count; i++) {
        fill_question(&flight);
        shared_ledger_answer(ledger, &flight.question, 1000, &answer);
    }
}

static void fill_only(struct bench *b, size_t count)
{
    struct flight flight = {.bench = b};
    for (size_t i = 0; i < count; i++)
        fill_question(&flight);
}

static void measure_own(struct bench *b)
{
    struct shared_ledger *ledger = shared_ledger_new(OWN_KEYS);
    if (ledger == NULL)
        exit(1);
    double before = resident();
    b->kind = KIND_CHARGE;
    b->number = 0;
    ask_own(b, ledger, KEYS);
    printf("\nown memory, %d keys: %.0f octets a key\n", KEYS,
           (resident() - before) / KEYS);
    uint64_t begun = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    fill_only(b, 5 * KEYS);
    uint64_t making = clock_us(CLOCK_PROCESS_CPUTIME_ID) - begun;
    begun = clock_us(CLOCK_PROCESS_CPUTIME_ID);
    ask_own(b, ledger, 5 * KEYS);
    printf("own memory, %d keys: %.3f us a charge\n", KEYS,
           (double)(clock_us(CLOCK_PROCESS_CPUTIME_ID) - begun - making) /
               (5 * KEYS));
    shared_ledger_free(ledger);
}

static void measure_redis_keys(struct bench *b, size_t count)
{
    redis_peer_order(&b->peer, "FLUSHALL");
    connect_bench(b, true);
    double before = redis_peer_info(&b->peer, "memory", "used_memory");
    b->number = 0;
    b->keys = KEYS;
    printf("\nunix socket, filling %d keys, then with so many\n", KEYS);
    measure(b, KIND_CHARGE, 256, KEYS);
    printf("redis, %lld keys: %.0f octets a key\n",
           redis_peer_order(&b->peer, "DBSIZE"),
           (redis_peer_info(&b->peer, "memory", "used_memory") - before) /
               KEYS);
    measure(b, KIND_CHARGE, 1, count / 5);
    measure(b, KIND_CHARGE, 256, count);
    measure(b, KIND_HOLD, 256, count);
    remote_ledger_free(b->remote);
    b->remote = NULL;
}

int main(int argc, char **argv)
{
    static struct flight flights[256];
    size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 100000;
    struct bench b = {.rule = {.name = STR("recipients an hour")},
                      .list = {.name = STR("contained"), .is_dynamic = true},
                      .keys = 1000};
    redis_peer_start(&b.peer, NULL);
    b.loop = loop_new();
    b.tick = timer_new(b.loop, on_tick, &b);
    for (size_t i = 0; i < 256; i++) {
        flights[i] = (struct flight){.bench = &b, .next = b.spare};
        b.spare = &flights[i];
    }
    measure_way(&b, true, count);
    measure_way(&b, false, count);
    measure_redis_keys(&b, count);
    measure_own(&b);
    timer_free(b.tick);
    redis_peer_stop(&b.peer);
    return 0;
}
