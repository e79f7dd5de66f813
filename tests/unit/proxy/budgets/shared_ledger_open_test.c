/* One ledger in several processes, or mapped twice by one. */
#include "proxy/budgets/shared_ledger.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"

enum { KEYS = 1000, MAX = 40, HOUR = 3600000, NOW = 5000 };

static const uint8_t SECRET[16] = "a secret of ours";
static const struct rule RULE = {.name = STR_INIT("r")};
static const struct limit RECIPIENTS = {.unit = UNIT_RECIPIENTS};
static const struct list CONTAINED = {.name = STR_INIT("contained"),
                                      .is_dynamic = true};

struct pair {
    struct shared_ledger *old, *new;
};

static struct shared_ledger *attach(const struct shared_ledger *to,
                                    unsigned slot)
{
    struct shared_ledger *ledger;
    assert_int_equal(shared_ledger_attach(shared_ledger_memory(to),
                                          shared_ledger_event(to), slot,
                                          &ledger),
                     SHARED_LEDGER_ATTACHED);
    return ledger;
}

static int open_pair(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    pair->old = shared_ledger_create(KEYS, SECRET, 77, 0);
    assert_non_null(pair->old);
    pair->new = attach(pair->old, 1);
    *state = pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;
    shared_ledger_free(pair->old);
    shared_ledger_free(pair->new);
    free(pair);
    return 0;
}

static bool ask(struct shared_ledger *ledger, const char *key, bool is_charge)
{
    struct answer answer;
    const struct question question = {.kind = QUESTION_HOLD,
                                      .rule = &RULE,
                                      .limit = &RECIPIENTS,
                                      .key = str_from(key),
                                      .cost = 1,
                                      .max = MAX,
                                      .rate = {MAX, HOUR},
                                      .is_charge = is_charge};
    shared_ledger_answer(ledger, &question, NOW, &answer);
    return answer.is_within;
}

static void contain(struct shared_ledger *ledger, const char *value)
{
    const struct list_change change = {.list = &CONTAINED,
                                       .value = str_from(value)};
    assert_true(shared_ledger_apply(ledger, &change, NOW));
}

static bool is_contained(struct shared_ledger *ledger, const char *value)
{
    const struct question question = {
        .kind = QUESTION_LISTED, .list = &CONTAINED, .value = str_from(value)};
    struct answer answer;
    shared_ledger_answer(ledger, &question, NOW, &answer);
    return answer.is_listed;
}

static void both_count_in_the_same_budgets(void **state)
{
    const struct pair *pair = *state;
    for (int i = 0; i < MAX; i++)
        assert_true(ask(i % 2 ? pair->old : pair->new, "bob", true));
    assert_false(ask(pair->old, "bob", true));
    assert_false(ask(pair->new, "bob", true));
    assert_true(ask(pair->new, "eve", true));
    contain(pair->old, "bob");
    assert_true(is_contained(pair->new, "bob"));
    shared_ledger_know(pair->new, STR("bob"), STR("192.0.2.1"), NOW);
    assert_true(
        shared_ledger_knows(pair->old, STR("bob"), STR("192.0.2.1"), NOW));
}

static void both_have_one_secret_and_epoch(void **state)
{
    const struct pair *pair = *state;
    uint8_t secret[16], derived[2][16];
    assert_int_equal(shared_ledger_identity(pair->new, secret), 77);
    assert_memory_equal(secret, SECRET, sizeof secret);
    shared_ledger_derive(pair->old, STR("x"), derived[0]);
    shared_ledger_derive(pair->new, STR("x"), derived[1]);
    assert_memory_equal(derived[0], derived[1], 16);
}

static void it_outlives_who_made_it(void **state)
{
    struct pair *pair = *state;
    contain(pair->old, "bob");
    shared_ledger_free(pair->old);
    pair->old = NULL;
    assert_true(is_contained(pair->new, "bob"));
}

static void what_a_process_held_is_given_back(void **state)
{
    struct pair *pair = *state;
    for (int i = 0; i < MAX - 1; i++)
        assert_true(ask(pair->old, "bob", false));
    assert_true(ask(pair->new, "bob", false));
    assert_false(ask(pair->new, "bob", false));
    shared_ledger_forget(pair->new, 0);
    for (int i = 0; i < MAX - 1; i++)
        assert_true(ask(pair->new, "bob", false));
    assert_false(ask(pair->new, "bob", false));
    /* And by whoever gets the slot. */
    struct shared_ledger *third = attach(pair->new, 1);
    assert_true(ask(third, "bob", false));
    shared_ledger_free(third);
}

/* --- the event --- */

static bool is_told(const struct shared_ledger *ledger)
{
    struct pollfd event = {.fd = shared_ledger_event(ledger), .events = POLLIN};
    uint64_t count;
    bool is_readable = poll(&event, 1, 0) == 1;
    if (is_readable)
        assert_int_equal(read(event.fd, &count, sizeof count), sizeof count);
    return is_readable;
}

static void changes_of_one_wake_the_other(void **state)
{
    const struct pair *pair = *state;
    assert_true(ask(pair->old, "bob", true));
    assert_false(is_told(pair->new)); /* nobody keeps them */
    shared_ledger_watch(pair->new);
    assert_true(ask(pair->old, "bob", true));
    assert_true(shared_ledger_has_changes(pair->new));
    assert_true(is_told(pair->new));
    assert_true(ask(pair->old, "bob", true));
    assert_false(is_told(pair->new)); /* once is enough */
    assert_false(shared_ledger_is_urgent(pair->new));
    contain(pair->old, "bob");
    assert_true(is_told(pair->new));
    assert_true(shared_ledger_take_urgent(pair->new));
    assert_false(shared_ledger_take_urgent(pair->old));
    shared_ledger_expect_changes(pair->new);
    assert_true(ask(pair->old, "bob", true));
    assert_true(is_told(pair->new));
}

/* --- processes --- */

/* Each takes what it can get; the exit status tells how much. */
static void processes_together_keep_the_bound(void **state)
{
    enum { PROCESSES = 4, ROUNDS = 3000 };
    const struct pair *pair = *state;
    pid_t pids[PROCESSES];
    int taken = 0, status;
    for (unsigned i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] > 0)
            continue;
        int mine = 0;
        struct shared_ledger *ledger = attach(pair->old, 2 + i);
        for (int round = 0; round < ROUNDS; round++)
            mine += ask(ledger, "bob", true);
        _exit(mine);
    }
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status));
        taken += WEXITSTATUS(status);
    }
    assert_int_equal(taken, MAX);
}

static void tell_and_wait(int to)
{
    if (write(to, "x", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    (void)entry;
    tell_and_wait(*(int *)owner);
}

static void on_listed(void *owner, struct str value, uint64_t left_ms)
{
    (void)value, (void)left_ms;
    tell_and_wait(*(int *)owner);
}

/* A process of its own takes a lock, and dies holding it. */
static void die_holding(const struct pair *pair, bool is_changing)
{
    int ends[2], status;
    char octet;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        bool has_lost;
        struct shared_ledger *ledger = attach(pair->old, 2);
        if (!is_changing)
            shared_ledger_each_listed(ledger, CONTAINED.name, NOW, on_listed,
                                      &ends[1]);
        for (size_t i = 0; i < SHARED_LEDGER_SHARDS; i++)
            shared_ledger_take_changes(ledger, i, 1, on_entry, &ends[1],
                                       &has_lost);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &octet, 1), 1);
    close(ends[0]);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void count_entry(void *owner, const struct ledger_entry *entry)
{
    (void)entry;
    ++*(size_t *)owner;
}

static size_t entries(struct shared_ledger *ledger)
{
    struct shared_ledger_walk walk = {0};
    size_t count = 0;
    while (shared_ledger_walk(ledger, &walk, 100, count_entry, &count)) {
    }
    return count;
}

static void a_death_within_a_change_empties_the_shard(void **state)
{
    const struct pair *pair = *state;
    bool has_lost = false;
    size_t before, changes = 0;
    char name[16];
    shared_ledger_watch(pair->new);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "user%d", i);
        assert_true(ask(pair->new, name, true));
    }
    before = entries(pair->new);
    assert_int_equal(before, 200);
    assert_int_equal(shared_ledger_emptied(pair->new), 0);
    die_holding(pair, true);
    size_t left = entries(pair->new);
    assert_true(left < before && left > before / 2);
    assert_int_equal(shared_ledger_emptied(pair->new), 1);
    assert_int_equal(shared_ledger_emptied(pair->old), 1);
    /* The journal is told to write all anew, and changes go on being told. */
    for (size_t i = 0; i < SHARED_LEDGER_SHARDS; i++)
        shared_ledger_take_changes(pair->new, i, 1000, count_entry, &changes,
                                   &has_lost);
    assert_true(has_lost);
    changes = 0;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "user%d", i);
        assert_true(ask(pair->old, name, true));
    }
    for (size_t i = 0; i < SHARED_LEDGER_SHARDS; i++)
        shared_ledger_take_changes(pair->new, i, 1000, count_entry, &changes,
                                   &has_lost);
    assert_int_equal(changes, 200);
    assert_int_equal(entries(pair->old), 200);
    assert_int_equal(shared_ledger_emptied(pair->old), 1);
}

static void a_death_while_reading_loses_nothing(void **state)
{
    const struct pair *pair = *state;
    contain(pair->old, "bob");
    die_holding(pair, false);
    assert_true(is_contained(pair->new, "bob"));
    contain(pair->new, "eve");
    assert_int_equal(entries(pair->new), 2);
    assert_int_equal(shared_ledger_emptied(pair->new), 0);
}

/* --- what is no ledger --- */

static void another_version_is_refused(void **state)
{
    const struct pair *pair = *state;
    struct shared_ledger *ledger;
    uint64_t layout;
    int event = shared_ledger_event(pair->old);
    int memory = shared_ledger_memory(pair->old);
    assert_int_equal(pread(memory, &layout, sizeof layout, 8), sizeof layout);
    layout++;
    assert_int_equal(pwrite(memory, &layout, sizeof layout, 8), sizeof layout);
    assert_int_equal(shared_ledger_attach(memory, event, 1, &ledger),
                     SHARED_LEDGER_FOREIGN);
    assert_null(ledger);
    int empty = memfd_create("empty", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(shared_ledger_attach(empty, event, 1, &ledger),
                     SHARED_LEDGER_FOREIGN);
    close(empty);
    assert_int_equal(shared_ledger_attach(-1, event, 1, &ledger),
                     SHARED_LEDGER_FOREIGN);
    layout--;
    assert_int_equal(pwrite(memory, &layout, sizeof layout, 8), sizeof layout);
    assert_int_equal(shared_ledger_attach(memory, -1, 1, &ledger),
                     SHARED_LEDGER_FAILED);
    assert_null(ledger);
}

#define WITH_PAIR(test)                                                        \
    cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PAIR(both_count_in_the_same_budgets),
        WITH_PAIR(both_have_one_secret_and_epoch),
        WITH_PAIR(it_outlives_who_made_it),
        WITH_PAIR(what_a_process_held_is_given_back),
        WITH_PAIR(changes_of_one_wake_the_other),
        WITH_PAIR(processes_together_keep_the_bound),
        WITH_PAIR(a_death_within_a_change_empties_the_shard),
        WITH_PAIR(a_death_while_reading_loses_nothing),
        WITH_PAIR(another_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
