#include "proxy/budgets/journal_thread.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proxy/budgets/shared_ledger.h"
#include "proxy/log/server_log.h"

#define COLLECT_MS 100

static bool is_stopping(const struct journal_thread *thread)
{
    struct pollfd stop = {.fd = thread->stop, .events = POLLIN};
    return poll(&stop, 1, 0) == 1;
}

/* What changes while the file lacks something is not looked at: it will be in
 * the new one. And the event may be another's, who has the file. */
static bool has_changes(const struct journal_thread *thread)
{
    const struct journal_writer *writer = thread->writer;
    return !writer->is_failing && shared_ledger_has_changes(writer->ledger);
}

static bool is_urgent(const struct journal_thread *thread)
{
    const struct journal_writer *writer = thread->writer;
    return !writer->is_failing && shared_ledger_is_urgent(writer->ledger);
}

/* Until there may be something to do. */
static void wait_for_event(const struct journal_thread *thread, uint64_t ms)
{
    uint64_t count;
    const struct journal_writer *writer = thread->writer;
    struct pollfd events[] = {
        {.fd = writer->is_failing ? -1 : shared_ledger_event(writer->ledger),
         .events = POLLIN},
        {.fd = thread->stop, .events = POLLIN}};
    if (poll(events, 2, (int)ms) > 0 && events[0].revents != 0)
        (void)!read(events[0].fd, &count, sizeof count);
}

/* Until there is a change, and then a little longer to collect more. False:
 * it is to end. */
static bool await_work(const struct journal_thread *thread)
{
    uint64_t now = journal_monotonic_ms();
    uint64_t end = now + journal_writer_idle_ms(thread->writer);
    while (!has_changes(thread) && !is_stopping(thread) && now < end) {
        wait_for_event(thread, end - now);
        now = journal_monotonic_ms();
    }
    end = has_changes(thread) ? now + COLLECT_MS : now;
    while (!is_urgent(thread) && !is_stopping(thread) && now < end) {
        wait_for_event(thread, end - now);
        now = journal_monotonic_ms();
    }
    return !is_stopping(thread);
}

static void tell_emptied(struct journal_thread *thread)
{
    uint64_t emptied = shared_ledger_emptied(thread->writer->ledger);
    if (emptied == thread->emptied)
        return;
    server_log_write(thread->writer->log, SERVER_ERROR,
                     "a process died while it changed the budgets in memory: "
                     "one part in %d of budgets, dynamic lists and known nets "
                     "began anew",
                     SHARED_LEDGER_SHARDS);
    thread->emptied = emptied;
}

static void *write_on(void *argument)
{
    struct journal_thread *thread = argument;
    struct journal_writer *writer = thread->writer;
    bool goes_on = true;
    while (goes_on) {
        goes_on = await_work(thread);
        bool was_urgent =
            !writer->is_failing && shared_ledger_take_urgent(writer->ledger);
        journal_writer_flush(writer, was_urgent || !goes_on);
        tell_emptied(thread);
    }
    /* One more attempt: there will be no other. */
    if (writer->is_failing)
        (void)journal_writer_renew(writer);
    return NULL;
}

int journal_thread_start(struct journal_thread *thread,
                         struct journal_writer *writer)
{
    *thread = (struct journal_thread){.writer = writer};
    thread->emptied = shared_ledger_emptied(writer->ledger);
    thread->stop = eventfd(0, EFD_CLOEXEC);
    if (thread->stop < 0)
        return -1;
    int rc = pthread_create(&thread->id, NULL, write_on, thread);
    if (rc != 0) {
        close(thread->stop);
        errno = rc;
        return -1;
    }
    thread->is_running = true;
    return 0;
}

void journal_thread_stop(struct journal_thread *thread)
{
    const uint64_t one = 1;
    if (!thread->is_running)
        return;
    (void)!write(thread->stop, &one, sizeof one);
    pthread_join(thread->id, NULL);
    close(thread->stop);
    thread->is_running = false;
}
