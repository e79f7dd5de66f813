#include "proxy/budgets/journal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/budgets/journal_load.h"
#include "proxy/budgets/journal_writer.h"
#include "proxy/budgets/shared_ledger.h"
#include "rules/limit.h"
#include "rules/list.h"
#include "rules/rule.h"

enum { KEYS = 1000, HOUR = 3600000 };

static const struct rule RULE = {.name = STR_INIT("recipients an hour")};
static const struct limit RECIPIENTS = {.unit = UNIT_RECIPIENTS};
static const struct limit NETWORKS = {.unit = UNIT_NETWORKS};
static const struct limit NEW_RECIPIENTS = {.unit = UNIT_NEW_RECIPIENTS};
static const struct list CONTAINED = {.name = STR_INIT("contained"),
                                      .is_dynamic = true};

struct place {
    char folder[64];
    char path[96], bad[104];
    struct limits_settings limits;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/postern-state-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/kept/limits", place->folder);
    snprintf(place->bad, sizeof place->bad, "%s.bad", place->path);
    place->limits = (struct limits_settings){
        .state = place->path, .state_mark = {"postern.yaml", 7, 3}};
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    static const char *const ENDINGS[] = {"", ".lock", ".tmp", ".bad"};
    char name[160];
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        snprintf(name, sizeof name, "%s%s", place->path, ENDINGS[i]);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/kept", place->folder);
    rmdir(name);
    rmdir(place->folder);
    free(place);
    return 0;
}

static struct journal *open_journal(const struct place *place)
{
    struct diags diags;
    diags_init(&diags);
    struct journal *journal =
        journal_open(&place->limits, KEYS, 0, NULL, &diags);
    if (journal == NULL)
        fail_msg("%s", diags.items[0].text);
    diags_release(&diags);
    return journal;
}

static struct question question_of(const struct limit *limit,
                                   const char *member)
{
    struct question question = {.kind = QUESTION_HOLD,
                                .rule = &RULE,
                                .limit = limit,
                                .key = STR("bob"),
                                .cost = 1,
                                .max = 3,
                                .rate = {3, HOUR}};
    if (member != NULL)
        question.member = str_from(member);
    return question;
}

static struct hold hold_of(const struct question *question)
{
    return (struct hold){.rule = question->rule,
                         .limit = question->limit,
                         .key = question->key,
                         .member = question->member,
                         .cost = question->cost,
                         .charge = question->cost,
                         .max = question->max,
                         .rate = question->rate};
}

static void spend(struct shared_ledger *ledger, const struct limit *limit,
                  const char *member)
{
    struct answer answer;
    struct question question = question_of(limit, member);
    uint64_t now = journal_monotonic_ms();
    shared_ledger_answer(ledger, &question, now, &answer);
    assert_true(answer.is_within);
    struct hold hold = hold_of(&question);
    shared_ledger_commit(ledger, &hold, now);
}

static void contain(struct shared_ledger *ledger, struct str value,
                    bool is_removal)
{
    struct list_change change = {.list = &CONTAINED,
                                 .value = value,
                                 .for_ms = 12 * HOUR,
                                 .is_removal = is_removal};
    assert_true(shared_ledger_apply(ledger, &change, journal_monotonic_ms()));
}

static bool is_contained(struct shared_ledger *ledger, struct str value)
{
    struct answer answer;
    struct question question = {
        .kind = QUESTION_LISTED, .list = &CONTAINED, .value = value};
    shared_ledger_answer(ledger, &question, journal_monotonic_ms(), &answer);
    return answer.is_listed;
}

static uint64_t used(struct shared_ledger *ledger, const struct limit *limit,
                     const char *member)
{
    struct answer answer;
    struct question question = question_of(limit, member);
    uint64_t now = journal_monotonic_ms();
    shared_ledger_answer(ledger, &question, now, &answer);
    if (answer.is_within) {
        struct hold hold = hold_of(&question);
        shared_ledger_give_back(ledger, &hold, now);
    }
    return answer.before;
}

/* Something of each kind, and something that is only held. */
static void live_a_little(struct shared_ledger *ledger)
{
    struct answer answer;
    struct question held = question_of(&RECIPIENTS, NULL);
    spend(ledger, &RECIPIENTS, NULL);
    spend(ledger, &RECIPIENTS, NULL);
    shared_ledger_answer(ledger, &held, journal_monotonic_ms(), &answer);
    assert_true(answer.is_within);
    spend(ledger, &NETWORKS, "192.0.2.1");
    spend(ledger, &NETWORKS, "192.0.2.2");
    spend(ledger, &NEW_RECIPIENTS, "a@example.net");
    contain(ledger, STR("bob"), false);
    contain(ledger, STR("eve"), false);
    contain(ledger, STR("eve"), true);
    shared_ledger_know(ledger, STR("bob"), STR("192.0.2.1"),
                       journal_monotonic_ms());
}

static void assert_all_is_kept(struct shared_ledger *ledger)
{
    uint64_t now = journal_monotonic_ms();
    assert_int_equal(used(ledger, &RECIPIENTS, NULL), 2);
    assert_int_equal(used(ledger, &NETWORKS, "192.0.2.9"), 2);
    assert_int_equal(used(ledger, &NEW_RECIPIENTS, "b@example.net"), 1);
    assert_true(is_contained(ledger, STR("bob")));
    assert_false(is_contained(ledger, STR("eve")));
    assert_true(shared_ledger_knows(ledger, STR("bob"), STR("192.0.2.1"), now));
    assert_false(
        shared_ledger_knows(ledger, STR("bob"), STR("192.0.2.2"), now));
}

static void a_restart_keeps_everything_but_holds(void **state)
{
    const struct place *place = *state;
    struct journal *journal = open_journal(place);
    live_a_little(journal_ledger(journal));
    journal_close(journal);
    for (int again = 0; again < 3; again++) {
        journal = open_journal(place);
        assert_all_is_kept(journal_ledger(journal));
        assert_int_equal(journal_failures(journal), 0);
        journal_close(journal);
    }
}

static void its_files_are_for_their_owner_alone(void **state)
{
    const struct place *place = *state;
    struct stat status;
    char folder[96];
    journal_close(open_journal(place));
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(folder, sizeof folder, "%s/kept", place->folder);
    assert_int_equal(stat(folder, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void a_second_process_is_kept_out(void **state)
{
    const struct place *place = *state;
    struct journal *journal = open_journal(place);
    struct diags diags;
    diags_init(&diags);
    assert_null(journal_open(&place->limits, KEYS, 0, NULL, &diags));
    assert_int_equal(diags.errors, 1);
    assert_int_equal(diags.items[0].mark.line, 7);
    assert_non_null(strstr(diags.items[0].text, "another postern process"));
    diags_release(&diags);
    journal_close(journal);
}

static void a_path_that_cannot_be_used_is_an_error(void **state)
{
    struct place *place = *state;
    struct diags diags;
    diags_init(&diags);
    place->limits.state = "/proc/nowhere/limits";
    assert_null(journal_open(&place->limits, KEYS, 0, NULL, &diags));
    assert_int_equal(diags.errors, 1);
    place->limits.state = place->folder; /* a directory */
    assert_null(journal_open(&place->limits, KEYS, 0, NULL, &diags));
    assert_int_equal(diags.errors, 2);
    /* As a default it is only not used. */
    place->limits.state = "/proc/nowhere/limits";
    place->limits.state_mark.line = 0;
    struct journal *journal =
        journal_open(&place->limits, KEYS, 0, NULL, &diags);
    assert_non_null(journal);
    live_a_little(journal_ledger(journal));
    journal_close(journal);
    assert_int_equal(diags.errors, 2);
    diags_release(&diags);
    char lock[160];
    snprintf(lock, sizeof lock, "%s.lock", place->folder);
    unlink(lock);
}

/* --- damage --- */

struct octets {
    uint8_t *p;
    size_t n;
};

static struct octets read_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    struct octets octets = {malloc((size_t)status.st_size + 1),
                            (size_t)status.st_size};
    assert_non_null(octets.p);
    assert_int_equal(read(fd, octets.p, octets.n), octets.n);
    close(fd);
    return octets;
}

static void write_file(const char *path, const uint8_t *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    close(fd);
}

static void live_and_die(const struct place *place)
{
    struct journal *journal = open_journal(place);
    live_a_little(journal_ledger(journal));
    journal_close(journal);
}

static struct journal_found survey(const char *path)
{
    struct journal_found found;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    journal_survey(fd, journal_wall_ms(), &found);
    close(fd);
    return found;
}

static bool can_be_copied(const char *path)
{
    char error[256] = "";
    struct ledger *ledger =
        journal_open_copy(path, KEYS, journal_wall_ms(), error, sizeof error);
    assert_true(ledger != NULL || error[0] != '\0');
    ledger_free(ledger);
    return ledger != NULL;
}

static void it_can_end_after_any_octet(void **state)
{
    const struct place *place = *state;
    live_and_die(place);
    struct octets octets = read_file(place->path);
    uint64_t records = 0;
    for (size_t n = 0; n <= octets.n; n++) {
        write_file(place->path, octets.p, n);
        struct journal_found found = survey(place->path);
        assert_true(found.good_bytes <= n);
        assert_true(found.records >= records);
        records = found.records;
        if (n == 0)
            assert_int_equal(found.state, JOURNAL_EMPTY);
        else if (n < JOURNAL_HEAD_BYTES)
            assert_int_equal(found.state, JOURNAL_FOREIGN);
        else
            assert_int_equal(found.state, found.good_bytes == n ? JOURNAL_FINE
                                                                : JOURNAL_TORN);
        assert_int_equal(can_be_copied(place->path), n >= JOURNAL_HEAD_BYTES);
    }
    assert_true(records > 8);
    free(octets.p);
}

static void any_octet_can_be_wrong(void **state)
{
    const struct place *place = *state;
    live_and_die(place);
    struct octets octets = read_file(place->path);
    for (size_t i = 0; i < octets.n; i++) {
        for (unsigned bit = 1; bit < 256; bit <<= 5) {
            octets.p[i] ^= (uint8_t)bit;
            write_file(place->path, octets.p, octets.n);
            struct journal_found found = survey(place->path);
            if (i < JOURNAL_HEAD_BYTES)
                assert_int_equal(found.state, JOURNAL_FOREIGN);
            else {
                /* Only what was good before it is used. */
                assert_true(found.state == JOURNAL_BROKEN ||
                            found.state == JOURNAL_TORN);
                assert_true(found.good_bytes <= i);
            }
            (void)can_be_copied(place->path);
            octets.p[i] ^= (uint8_t)bit;
        }
    }
    free(octets.p);
}

static void a_torn_end_is_cut_and_the_rest_is_used(void **state)
{
    const struct place *place = *state;
    live_and_die(place);
    struct octets octets = read_file(place->path);
    /* The file system grew it before the crash. */
    uint8_t zeros[100] = {0};
    write_file(place->path, octets.p, octets.n);
    int fd = open(place->path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
    close(fd);
    assert_int_equal(survey(place->path).state, JOURNAL_TORN);
    struct journal *journal = open_journal(place);
    assert_all_is_kept(journal_ledger(journal));
    journal_close(journal);
    assert_int_equal(survey(place->path).state, JOURNAL_FINE);
    assert_int_not_equal(access(place->bad, F_OK), 0);
    free(octets.p);
}

static void damage_within_keeps_the_file_aside(void **state)
{
    const struct place *place = *state;
    live_and_die(place);
    struct octets octets = read_file(place->path);
    /* The first body: a wrong length near the end would pass for a torn one. */
    octets.p[JOURNAL_HEAD_BYTES + 4 + 8] ^= 1;
    write_file(place->path, octets.p, octets.n);
    journal_close(open_journal(place));
    struct octets kept = read_file(place->bad);
    assert_int_equal(kept.n, octets.n);
    assert_memory_equal(kept.p, octets.p, octets.n);
    assert_int_equal(survey(place->path).state, JOURNAL_FINE);
    free(kept.p);
    /* Another file altogether. */
    write_file(place->path, (const uint8_t *)"hello", 5);
    journal_close(open_journal(place));
    kept = read_file(place->bad);
    assert_int_equal(kept.n, 5);
    free(kept.p);
    free(octets.p);
}

/* --- clocks --- */

struct last_seen {
    struct ledger_entry listed, budget;
};

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    struct last_seen *seen = owner;
    if (entry->kind == LEDGER_LISTED && entry->until_ms > 0)
        seen->listed = *entry;
    if (entry->kind == LEDGER_BUDGET)
        seen->budget = *entry;
}

/* A file as it was last written at 1,000,000 s of the ledger's clock, when
 * the wall clock stood elsewhere. */
static int file_with_times(const struct place *place, uint64_t wall_ms)
{
    static const uint8_t SECRET[16] = "a secret of ours";
    uint8_t octets[JOURNAL_HEAD_BYTES + 3 * JOURNAL_RECORD_MAX];
    struct journal_times times = {1000000000, wall_ms};
    struct ledger_entry listed = {.kind = LEDGER_LISTED,
                                  .list = STR("contained"),
                                  .value = STR("bob"),
                                  .until_ms = times.ledger_ms + HOUR};
    struct ledger_entry budget = {.kind = LEDGER_BUDGET,
                                  .budget = {.used = 2 * HOUR,
                                             .scale_ms = HOUR,
                                             .amount = 1,
                                             .at_ms = times.ledger_ms - 5}};
    size_t n = JOURNAL_HEAD_BYTES;
    journal_write_head(octets, SECRET);
    n += journal_write_times(octets + n, &times, SECRET);
    n += journal_write_entry(octets + n, &listed, SECRET);
    n += journal_write_entry(octets + n, &budget, SECRET);
    char folder[96];
    snprintf(folder, sizeof folder, "%s/kept", place->folder);
    (void)mkdir(folder, 0700);
    write_file(place->path, octets, n);
    return open(place->path, O_RDONLY);
}

static void time_passes_between_two_runs_as_the_wall_clock_says(void **state)
{
    static const struct {
        uint64_t wall_ms, now_ms, want_passed;
    } cases[] = {
        {1000000000, 1000000000 + 60000, 60000},
        {1000000000, 1000000000, 0},
        /* Set back since: none has passed, nobody is locked out longer. */
        {1000000000, 500, 0},
        {1000000000, 999999999, 0},
        /* Set right while the last process ran. */
        {1790000000000, 1790000000000 + 7000, 7000},
        {60000, 70000, 10000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct journal_found found;
        struct last_seen seen = {0};
        uint64_t now = cases[i].now_ms;
        int fd = file_with_times(*state, cases[i].wall_ms);
        assert_true(fd >= 0);
        journal_survey(fd, now, &found);
        assert_int_equal(found.state, JOURNAL_FINE);
        assert_int_equal(journal_replay(fd, &found, on_entry, &seen), 0);
        close(fd);
        assert_int_equal(seen.listed.until_ms - now,
                         HOUR - cases[i].want_passed);
        /* What would lie before the epoch is put at its start. */
        uint64_t want_at = 5 + cases[i].want_passed;
        assert_int_equal(now - seen.budget.budget.at_ms,
                         want_at < now ? want_at : now - 1);
    }
}

/* --- a disk that is full --- */

static void a_full_disk_is_counted_and_made_good(void **state)
{
    const struct place *place = *state;
    static const uint8_t SECRET[16] = "a secret of ours";
    struct rlimit before, tiny;
    struct journal_writer *writer = calloc(1, sizeof *writer);
    assert_non_null(writer);
    char folder[96];
    snprintf(folder, sizeof folder, "%s/kept", place->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(journal_file_lock(&writer->file, place->path), 0);
    memcpy(writer->secret, SECRET, sizeof SECRET);
    writer->epoch_ms = journal_wall_ms() - journal_monotonic_ms();
    writer->ledger = shared_ledger_new_kept(KEYS, SECRET, writer->epoch_ms);
    assert_non_null(writer->ledger);
    assert_int_equal(journal_writer_renew(writer), 0);
    shared_ledger_watch(writer->ledger);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tiny = before;
    tiny.rlim_cur = writer->file.size + 50;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    contain(writer->ledger, STR("bob"), false);
    journal_writer_flush(writer, true);
    contain(writer->ledger, STR("mia"), false);
    journal_writer_flush(writer, true);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(writer->is_failing);
    assert_int_equal(atomic_load(&writer->failures), 1);
    /* What could not be written whole does not stand there in pieces. */
    assert_int_equal(survey(place->path).state, JOURNAL_FINE);
    writer->retry_at_ms = 0;
    journal_writer_flush(writer, true);
    assert_false(writer->is_failing);
    shared_ledger_free(writer->ledger);
    journal_file_release(&writer->file);
    free(writer);
    struct journal *journal = open_journal(place);
    assert_true(is_contained(journal_ledger(journal), STR("bob")));
    assert_true(is_contained(journal_ledger(journal), STR("mia")));
    journal_close(journal);
}

static void the_file_does_not_grow_without_end(void **state)
{
    const struct place *place = *state;
    struct journal_writer *writer = calloc(1, sizeof *writer);
    static const uint8_t SECRET[16] = "a secret of ours";
    char folder[96];
    uint64_t most = 0;
    assert_non_null(writer);
    snprintf(folder, sizeof folder, "%s/kept", place->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(journal_file_lock(&writer->file, place->path), 0);
    memcpy(writer->secret, SECRET, sizeof SECRET);
    writer->ledger = shared_ledger_new_kept(KEYS, SECRET, 0);
    assert_non_null(writer->ledger);
    shared_ledger_watch(writer->ledger);
    assert_int_equal(journal_writer_renew(writer), 0);
    static const char LONG[1000] = "a value of many octets";
    for (int i = 0; i < 6000; i++) {
        contain(writer->ledger, str_span(LONG, sizeof LONG), i % 2 == 1);
        journal_writer_flush(writer, false);
        if (writer->file.size > most)
            most = writer->file.size;
    }
    assert_int_equal(atomic_load(&writer->failures), 0);
    assert_in_range(most, 4000000, 5000000);
    shared_ledger_free(writer->ledger);
    journal_file_release(&writer->file);
    free(writer);
}

#define AT_A_PLACE(test)                                                       \
    cmocka_unit_test_setup_teardown(test, make_place, remove_place)

/* --- handed over --- */

static struct journal *take_over(const struct place *place,
                                 const struct journal *from)
{
    struct diags diags;
    int memory, event;
    diags_init(&diags);
    journal_descriptors(from, &memory, &event);
    struct journal *journal =
        journal_attach(&place->limits, memory, event, 1, NULL, &diags);
    if (journal == NULL)
        fail_msg("%s", diags.items[0].text);
    journal_take_over(journal, &place->limits);
    diags_release(&diags);
    return journal;
}

static void both_go_on_charging_after_it_was_taken_over(void **state)
{
    const struct place *place = *state;
    struct journal *old = open_journal(place);
    spend(journal_ledger(old), &RECIPIENTS, NULL);
    journal_retire(old);
    spend(journal_ledger(old), &RECIPIENTS, NULL);
    contain(journal_ledger(old), STR("eve"), false);
    struct journal *new = take_over(place, old);
    assert_int_equal(journal_failures(new), 0);
    assert_int_equal(used(journal_ledger(new), &RECIPIENTS, NULL), 2);
    spend(journal_ledger(new), &RECIPIENTS, NULL);
    contain(journal_ledger(new), STR("bob"), false);
    contain(journal_ledger(old), STR("mia"), false);
    contain(journal_ledger(old), STR("eve"), true);
    spend(journal_ledger(old), &NETWORKS, "192.0.2.1");
    assert_int_equal(used(journal_ledger(old), &RECIPIENTS, NULL), 3);
    journal_close(new);
    journal_close(old);
    struct journal *next = open_journal(place);
    assert_int_equal(used(journal_ledger(next), &RECIPIENTS, NULL), 3);
    assert_int_equal(used(journal_ledger(next), &NETWORKS, "192.0.2.9"), 1);
    assert_true(is_contained(journal_ledger(next), STR("bob")));
    assert_true(is_contained(journal_ledger(next), STR("mia")));
    assert_false(is_contained(journal_ledger(next), STR("eve")));
    journal_close(next);
}

static void await_record(const struct place *place, uint64_t more_than)
{
    enum { WAIT_MS = 10, WAITS = 2000 };
    const struct timespec wait = {0, WAIT_MS * 1000000};
    int waits = 0;
    while (survey(place->path).records <= more_than && waits++ < WAITS)
        nanosleep(&wait, NULL);
    assert_true(survey(place->path).records > more_than);
}

/* By itself the thread would look again in a minute. Some rounds find it
 * waiting. */
static void a_change_by_the_old_one_wakes_the_new_thread(void **state)
{
    enum { ROUNDS = 10 };
    const struct place *place = *state;
    struct journal *old = open_journal(place);
    journal_retire(old);
    struct journal *new = take_over(place, old);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t records = survey(place->path).records;
        contain(journal_ledger(old), STR("eve"), round % 2);
        await_record(place, records);
    }
    journal_close(new);
    journal_close(old);
}

static void who_still_has_the_file_keeps_it(void **state)
{
    const struct place *place = *state;
    struct journal *old = open_journal(place);
    struct journal *new = take_over(place, old);
    assert_int_equal(journal_failures(new), 1);
    contain(journal_ledger(new), STR("bob"), false);
    assert_true(is_contained(journal_ledger(old), STR("bob")));
    journal_close(old);
    contain(journal_ledger(new), STR("eve"), false);
    /* It is tried once more at the end, at the latest. */
    journal_close(new);
    struct journal *next = open_journal(place);
    assert_true(is_contained(journal_ledger(next), STR("bob")));
    assert_true(is_contained(journal_ledger(next), STR("eve")));
    journal_close(next);
}

static void what_nobody_took_over_is_resumed(void **state)
{
    const struct place *place = *state;
    struct journal *journal = open_journal(place);
    journal_resume(journal);
    journal_retire(journal);
    journal_retire(journal);
    contain(journal_ledger(journal), STR("bob"), false);
    journal_resume(journal);
    assert_int_equal(journal_failures(journal), 0);
    contain(journal_ledger(journal), STR("eve"), false);
    journal_close(journal);
    journal = open_journal(place);
    assert_true(is_contained(journal_ledger(journal), STR("bob")));
    assert_true(is_contained(journal_ledger(journal), STR("eve")));
    journal_close(journal);
}

static void what_lives_is_kept_without_a_file(void **state)
{
    static const char *const PATHS[] = {NULL, "/proc/nowhere/limits"};
    struct place *place = *state;
    struct journal *old = open_journal(place);
    contain(journal_ledger(old), STR("bob"), false);
    for (size_t i = 0; i < 4; i++) {
        place->limits.state = PATHS[i % 2];
        place->limits.state_mark.line = i / 2 ? 0 : 7;
        struct journal *new = take_over(place, old);
        assert_true(is_contained(journal_ledger(new), STR("bob")));
        journal_close(new);
    }
    journal_close(old);
}

static void what_is_no_ledger_is_not_taken_over(void **state)
{
    const struct place *place = *state;
    struct journal *old = open_journal(place);
    struct diags diags;
    int memory, event;
    diags_init(&diags);
    journal_descriptors(old, &memory, &event);
    assert_null(
        journal_attach(&place->limits, event, event, 1, NULL, &diags));
    assert_int_equal(diags.errors, 1);
    assert_non_null(strstr(diags.items[0].text, "this version"));
    diags_release(&diags);
    journal_close(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_A_PLACE(a_restart_keeps_everything_but_holds),
        AT_A_PLACE(its_files_are_for_their_owner_alone),
        AT_A_PLACE(a_second_process_is_kept_out),
        AT_A_PLACE(a_path_that_cannot_be_used_is_an_error),
        AT_A_PLACE(it_can_end_after_any_octet),
        AT_A_PLACE(any_octet_can_be_wrong),
        AT_A_PLACE(a_torn_end_is_cut_and_the_rest_is_used),
        AT_A_PLACE(damage_within_keeps_the_file_aside),
        AT_A_PLACE(time_passes_between_two_runs_as_the_wall_clock_says),
        AT_A_PLACE(a_full_disk_is_counted_and_made_good),
        AT_A_PLACE(the_file_does_not_grow_without_end),
        AT_A_PLACE(both_go_on_charging_after_it_was_taken_over),
        AT_A_PLACE(a_change_by_the_old_one_wakes_the_new_thread),
        AT_A_PLACE(who_still_has_the_file_keeps_it),
        AT_A_PLACE(what_nobody_took_over_is_resumed),
        AT_A_PLACE(what_lives_is_kept_without_a_file),
        AT_A_PLACE(what_is_no_ledger_is_not_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
