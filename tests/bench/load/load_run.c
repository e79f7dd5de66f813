#include "tests/bench/load/load_run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/load_dialogue.h"
#include "tests/bench/load/load_session.h"
#include "tests/bench/load/load_transaction.h"

#define EVENTS_A_TURN 256
/* How late the end of the time, or of a hold, may be seen. */
#define TURN_MS 100
#define NS_A_SECOND UINT64_C(1000000000)

static uint64_t after(uint64_t from_ns, double seconds)
{
    return from_ns + (uint64_t)(seconds * 1e9);
}

static void open_again(struct load *load)
{
    while (load->ended != NULL) {
        struct load_session *session = load->ended;
        load->ended = session->next_ended;
        if (load_has_work(load))
            load_session_open(session);
    }
}

/* These wait for nothing from the other end. */
static bool may_be_silent(enum load_state state)
{
    return state == STATE_FREE || state == STATE_READY || state == STATE_IDLE;
}

static void fail_the_stalled(struct load *load, uint64_t now_ns)
{
    for (size_t i = 0; i < load->session_count; i++) {
        struct load_session *session = &load->sessions[i];
        if (!may_be_silent(session->state) &&
            now_ns > after(session->moved_ns, load->options->stall_s))
            load_session_fail(session, "stalled at",
                              load_dialogue_state(session->state));
    }
}

static void open_barrier(struct load *load)
{
    load->has_begun = true;
    load->first_ns = load_now_ns();
    for (size_t i = 0; i < load->session_count; i++) {
        struct load_session *session = &load->sessions[i];
        if (session->state != STATE_READY)
            continue;
        load_transaction_next(session);
        load_session_flush(session);
    }
}

/* It opens when all are there; where one of them failed, the others have
 * nothing left to wait for, and quit. */
static void see_to_the_barrier(struct load *load)
{
    if (!load->options->has_barrier || load->has_begun)
        return;
    if (load->ready >= load->awaited || load->is_stopping)
        open_barrier(load);
}

/* False when the time is up, or a signal came. */
static bool take_turn(struct load *load)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(load->epoll, events, EVENTS_A_TURN, TURN_MS);
    if (count < 0 && errno != EINTR)
        fatal("epoll_wait: %s", strerrordesc_np(errno));
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            load->is_interrupted = true;
        else
            load_session_event(events[i].data.ptr);
    }
    see_to_the_barrier(load);
    open_again(load);
    uint64_t now_ns = load_now_ns();
    if (now_ns > load->scanned_ns + NS_A_SECOND) {
        load->scanned_ns = now_ns;
        fail_the_stalled(load, now_ns);
    }
    if (now_ns > load->deadline_ns)
        load_fault(load, "client", "--max-time is reached");
    return now_ns <= load->deadline_ns && !load->is_interrupted;
}

static void send_messages(struct load *load)
{
    for (size_t i = 0; i < load->session_count && load_has_work(load); i++)
        load_session_open(&load->sessions[i]);
    load->awaited = load->opened;
    while (load->active > 0 && take_turn(load))
        ;
    if (load->is_interrupted)
        load_fault(load, "client", "interrupted");
}

static void tell_ready(const struct load *load)
{
    const struct load_options *options = load->options;
    if (!options->is_quiet) {
        printf("READY idle=%" PRIu64 " setup_s=%.2f errors=%" PRIu64 "\n",
               load->idle_held,
               (double)(load->held_ns - load->started_ns) / 1e9, load->errors);
        fflush(stdout);
    }
    if (options->ready_file == NULL)
        return;
    FILE *file = fopen(options->ready_file, "we");
    if (file == NULL)
        fatal("%s: %s", options->ready_file, strerrordesc_np(errno));
    fprintf(file, "%" PRIu64 "\n", load->idle_held);
    fclose(file);
}

static void open_idle(struct load *load, size_t *opened)
{
    while (!load->is_stopping && *opened < load->session_count &&
           load->in_set_up < load->options->connections)
        load_session_open(&load->sessions[(*opened)++]);
}

static void hold_sessions(struct load *load)
{
    size_t opened = 0;
    open_idle(load, &opened);
    while (load->in_set_up > 0) {
        if (!take_turn(load)) {
            load_fault(load, "client", "ended before all sessions were open");
            return;
        }
        open_idle(load, &opened);
    }
    load->held_ns = load_now_ns();
    tell_ready(load);
    while (load_now_ns() < after(load->held_ns, load->options->hold_s) &&
           take_turn(load))
        ;
}

static void quit_idle(struct load *load)
{
    static const char quit[] = "QUIT\r\n";
    for (size_t i = 0; i < load->session_count; i++) {
        struct load_session *session = &load->sessions[i];
        if (session->state != STATE_IDLE)
            continue;
        load->idle_left++;
        /* Nobody waits for the answer. */
        (void)!wire_write(&session->wire, quit, sizeof quit - 1);
    }
}

void load_run(struct load *load)
{
    load->started_ns = load->scanned_ns = load_now_ns();
    load->deadline_ns = after(load->started_ns, load->options->max_time_s);
    if (load->options->idle > 0)
        hold_sessions(load);
    else
        send_messages(load);
    load->ended_ns = load_now_ns();
    quit_idle(load);
}
