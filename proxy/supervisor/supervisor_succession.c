/* One worker process follows another: it is prepared while the other serves,
 * that retires, it serves, and the other drains. Until the last step all can be
 * as it was. */
#include "proxy/supervisor/supervisor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxy/command/subcommands.h"
#include "proxy/control/diagnostics.h"
#include "proxy/control/token_order.h"
#include "rules/slot_counts.h"

#define MESSAGES_A_TURN 64

_Static_assert(WORKERS_MAX == SLOTS, "each has a slot in what they share");

static void enter(struct worker_handle *handle, enum worker_state state)
{
    worker_handle_enter(handle, state, control_now_ms());
}

/* --- what is handed on --- */

void supervisor_drop_memory(struct supervisor *s)
{
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS; i++)
        if (s->memory.is_there)
            close(s->memory.descriptors[i]);
    s->memory.is_there = false;
}

static void take_memory(struct supervisor *s, struct channel_message *message)
{
    if (message->descriptor_count != SERVER_MEMORY_DESCRIPTORS)
        return;
    supervisor_drop_memory(s);
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS; i++)
        s->memory.descriptors[i] = channel_take(message, i);
    s->memory.is_there = true;
}

static int slot_of(const struct supervisor *s,
                   const struct worker_handle *handle)
{
    return (int)(handle - s->workers);
}

/* The slots of all others that live. */
static int others_of(const struct supervisor *s,
                     const struct worker_handle *handle)
{
    int others = 0;
    for (int i = 0; i < WORKERS_MAX; i++)
        if (&s->workers[i] != handle && s->workers[i].state != WORKER_NONE)
            others |= 1 << i;
    return others;
}

static void send_start(struct supervisor *s, const struct worker_handle *handle)
{
    int others = others_of(s, handle);
    if (s->memory.is_there)
        (void)channel_send(handle->channel, json_pack("{s:s}", "do", "memory"),
                           s->memory.descriptors, SERVER_MEMORY_DESCRIPTORS);
    (void)ports_send(&s->ports, handle->settings, handle->channel);
    if (supervisor_send_keys(s, handle) != 0)
        server_log_write(s->log, SERVER_ERROR,
                         "a worker process gets no way to the private keys: %s",
                         strerrordesc_np(errno));
    (void)channel_send(
        handle->channel,
        json_pack("{s:s, s:s, s:b, s:i, s:i, s:I, s:I, s:I, s:I, s:b}", "do",
                  "start", "config", s->path, "is_alone", others == 0, "slot",
                  slot_of(s, handle), "others", others, "supervisor",
                  (json_int_t)s->pid, "started_ms", (json_int_t)s->started_ms,
                  "starts", (json_int_t)s->generation, "crashes",
                  (json_int_t)s->crash_count, "is_after_crash", s->crashes > 0),
        &handle->bundle, 1);
}

/* --- what fails --- */

/* Sends what a process serves by: open doors, and the order to. */
static void let_serve(struct supervisor *s, struct worker_handle *handle,
                      const char *order)
{
    enter(handle, WORKER_ENTERING);
    ports_listen(&s->ports, handle->settings);
    worker_handle_tell(handle, order);
}

static void drain(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_DRAINING);
    (void)channel_send(handle->channel,
                       json_pack("{s:s, s:I}", "do", "drain", "within_ms",
                                 (json_int_t)s->within_ms),
                       NULL, 0);
}

/* The one that came does not serve: the one that left may as well. */
static void bring_back(struct supervisor *s)
{
    struct worker_handle *handle = s->leaving;
    s->leaving = NULL;
    if (handle == NULL || s->phase == SUPERVISOR_STOPPING)
        return;
    if (s->phase == SUPERVISOR_DRAINING) {
        drain(s, handle);
        return;
    }
    (void)ports_send(&s->ports, handle->settings, handle->channel);
    let_serve(s, handle, "resume");
}

static json_t *refusal_of(const char *error, const json_t *diagnostics)
{
    json_t *reply = control_refusal("%s", error);
    const char *const keys[] = {"diagnostics", "not_shown"};
    for (size_t i = 0; reply != NULL && i < 2; i++) {
        const json_t *value = json_object_get(diagnostics, keys[i]);
        if (value != NULL)
            json_object_set_new(reply, keys[i], json_deep_copy(value));
    }
    return reply;
}

/* At the start whoever typed the command is told. */
static void tell_failure(const struct supervisor *s, const char *error,
                         const json_t *diagnostics)
{
    if (s->phase == SUPERVISOR_STARTING) {
        diagnostics_print(diagnostics, stderr);
        return;
    }
    bool goes_on = s->current != NULL || s->leaving != NULL;
    server_log_write(s->log, SERVER_ERROR, "%s%s", error,
                     goes_on ? "; the one before goes on" : "");
    diagnostics_log(diagnostics, s->log);
}

void supervisor_tell_ready(const struct supervisor *s)
{
    char status[128];
    snprintf(status, sizeof status, "policy %.40s", s->settings->policy_digest);
    service_manager_ready(&s->manager, status);
}

void supervisor_fail_succession(struct supervisor *s, const char *error,
                                const json_t *diagnostics)
{
    s->succession_state = "failed";
    snprintf(s->succession_error, sizeof s->succession_error, "%s", error);
    s->coming = NULL;
    tell_failure(s, error, diagnostics);
    ports_withdraw(&s->ports);
    if (s->succession != NULL)
        order_queue_finish(&s->orders, s->succession,
                           refusal_of(error, diagnostics));
    if (s->phase == SUPERVISOR_RUNNING && s->current != NULL)
        supervisor_tell_ready(s);
    s->succession = NULL;
    bring_back(s);
}

/* --- the steps --- */

static struct worker_handle *free_handle(struct supervisor *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state == WORKER_NONE)
            return &s->workers[i];
    return NULL;
}

static int start_worker(struct supervisor *s, struct worker_handle *handle,
                        const struct settings *settings, int bundle)
{
    struct diags diags;
    diags_init(&diags);
    int result =
        ports_open(&s->ports, settings, server_thread_count(settings), &diags);
    if (result != 0) {
        json_t *told = json_object();
        diagnostics_add(told, &diags);
        supervisor_fail_succession(s, "a listening socket can't be opened",
                                   told);
        json_decref(told);
    } else if (worker_handle_start(handle, s->executable, s->name, settings,
                                   bundle, control_now_ms()) != 0) {
        supervisor_fail_succession(s, "no worker process can be started", NULL);
        result = -1;
    }
    diags_release(&diags);
    return result;
}

void supervisor_succeed(struct supervisor *s, const struct settings *settings,
                        int bundle, struct order *order)
{
    s->succession = order;
    if (order != NULL)
        service_manager_reloading(&s->manager);
    s->generation++;
    s->succession_state = "under way";
    s->succession_error[0] = '\0';
    struct worker_handle *handle = free_handle(s);
    if (handle == NULL) {
        supervisor_fail_succession(s, "too many worker processes still drain",
                                   NULL);
    } else if (start_worker(s, handle, settings, bundle) == 0) {
        s->coming = handle;
        send_start(s, handle);
    }
}

void supervisor_retire(const struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_RETIRING);
    (void)channel_send(handle->channel,
                       json_pack("{s:s, s:b}", "do", "retire", "is_last",
                                 s->phase == SUPERVISOR_DRAINING),
                       NULL, 0);
}

static void on_prepared(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_PREPARED);
    if (s->level != NULL)
        worker_handle_tell(handle, s->level);
    if (s->current == NULL)
        let_serve(s, handle, "serve");
    else if (s->current->state == WORKER_SERVING)
        supervisor_retire(s, s->current);
}

static void on_retired(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_RETIRED);
    s->current = NULL;
    if (s->phase == SUPERVISOR_DRAINING) {
        ports_release(&s->ports);
        drain(s, handle);
        return;
    }
    s->leaving = handle;
    supervisor_on_gap(s);
}

bool supervisor_is_entered(const struct supervisor *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state == WORKER_ENTERING)
            return true;
    return false;
}

void supervisor_on_gap(struct supervisor *s)
{
    if (s->coming == NULL)
        bring_back(s);
    else if (s->coming->state == WORKER_PREPARED)
        let_serve(s, s->coming, "serve");
}

/* There may be so many and one that comes. */
static void stop_oldest(struct supervisor *s)
{
    struct worker_handle *oldest = NULL;
    size_t count = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        struct worker_handle *one = &s->workers[i];
        count += one->state != WORKER_NONE;
        if (one->state == WORKER_DRAINING &&
            (oldest == NULL || one->since_ms < oldest->since_ms))
            oldest = one;
    }
    if (count < WORKERS_MAX || oldest == NULL)
        return;
    server_log_write(s->log, SERVER_WARNING,
                     "%d worker processes still drain: the oldest, %d, is "
                     "stopped; a lower timeouts.drain keeps them fewer",
                     WORKERS_MAX - 1, (int)oldest->pid);
    supervisor_stop_worker(oldest);
}

static void finish_succession(struct supervisor *s,
                              const struct worker_handle *handle)
{
    s->coming = NULL;
    if (s->leaving != NULL)
        drain(s, s->leaving);
    s->leaving = NULL;
    supervisor_go_by(s, handle->settings, handle->bundle);
    ports_settle(&s->ports, s->settings);
    if (s->phase == SUPERVISOR_STARTING)
        s->phase = SUPERVISOR_RUNNING;
    s->succession_state = "done";
    supervisor_tell_ready(s);
    if (s->succession != NULL)
        order_queue_finish(&s->orders, s->succession,
                           json_pack("{s:b}", "ok", 1));
    s->succession = NULL;
    stop_oldest(s);
}

static void on_serving(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_SERVING);
    s->current = handle;
    if (handle == s->coming)
        finish_succession(s, handle);
    else
        supervisor_tell_ready(s);
}

/* It says so before it ends. */
static void on_failed(struct supervisor *s, struct worker_handle *handle,
                      const struct channel_message *message)
{
    int code = EXIT_FOUND;
    (void)json_unpack(message->body, "{s:i}", "code", &code);
    if (s->phase == SUPERVISOR_STARTING)
        s->status = code;
    handle->has_failed = true;
    if (handle == s->coming)
        supervisor_fail_succession(s, "the new worker process can't serve",
                                   message->body);
    supervisor_stop_worker(handle);
}

/* --- what a process says --- */

/* By the state in which it is to say it; at other times nobody asked. */
static void on_message(struct supervisor *s, struct worker_handle *handle,
                       struct channel_message *message)
{
    const char *verb = message->verb;
    handle->heard_ms = control_now_ms();
    if (strcmp(verb, "memory") == 0) {
        take_memory(s, message);
    } else if (strcmp(verb, TOKEN_ORDER) == 0) {
        supervisor_run_command(s, handle, message);
    } else if (strcmp(verb, "renewed") == 0) {
        supervisor_on_renewed(s, handle, message);
    } else if (strcmp(verb, "failed") == 0) {
        on_failed(s, handle, message);
    } else if (strcmp(verb, "prepared") == 0 &&
               handle->state == WORKER_PREPARING) {
        on_prepared(s, handle);
    } else if (strcmp(verb, "serving") == 0 &&
               handle->state == WORKER_ENTERING) {
        on_serving(s, handle);
    } else if (strcmp(verb, "retired") == 0 &&
               handle->state == WORKER_RETIRING) {
        on_retired(s, handle);
    }
}

/* Not without an end: it may have been broken into, and others have a turn. */
void supervisor_hear(struct supervisor *s, struct worker_handle *handle)
{
    struct channel_message message;
    for (int i = 0; i < MESSAGES_A_TURN && handle->state != WORKER_NONE; i++) {
        if (channel_next(handle->channel, &message) != CHANNEL_MESSAGE)
            return;
        on_message(s, handle, &message);
        channel_release(&message);
    }
}
