/* Worker processes that end, and what becomes of those who counted on them. */
#include "proxy/supervisor/supervisor_internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "proxy/command/subcommands.h"

/* Processes that crash one after the other come ever later. */
#define RESTART_FIRST_MS UINT64_C(100)
#define RESTART_LAST_MS 10000
/* Whoever has served for so long was not ill from the start. */
#define STEADY_MS 2000
/* One that gives no sign of life for so long is ended. */
#define SILENCE_MS 60000
#define AFTER_ABORT_MS 5000

void supervisor_plan_restart(struct supervisor *s, uint64_t served_ms)
{
    uint64_t delay_ms = 0;
    if (served_ms >= STEADY_MS)
        s->crashes = 0;
    if (s->crashes > 0)
        delay_ms = RESTART_FIRST_MS << (s->crashes < 8 ? s->crashes - 1 : 8);
    if (delay_ms > RESTART_LAST_MS)
        delay_ms = RESTART_LAST_MS;
    s->crashes++;
    s->restart_ms = control_now_ms() + delay_ms;
    server_log_write(s->log, SERVER_INFO,
                     delay_ms == 0 ? "a new worker process is started"
                                   : "a new worker process is started in %u ms",
                     (unsigned)delay_ms);
}

static void describe_end(int status, char *text, size_t room)
{
    if (WIFSIGNALED(status))
        snprintf(text, room, "by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, room, "with exit code %d", WEXITSTATUS(status));
}

static void tell_of_end(struct supervisor *s,
                        const struct worker_handle *handle, int status)
{
    char how[128];
    bool is_expected =
        handle->state == WORKER_DRAINING || handle->state == WORKER_STOPPING;
    if (handle->has_failed)
        return;
    s->crash_count += !is_expected || status != 0;
    describe_end(status, how, sizeof how);
    if (!is_expected || status != 0)
        server_log_write(
            s->log, SERVER_ERROR, "worker process %d, which was %s, ended %s",
            (int)handle->pid, worker_state_name(handle->state), how);
    else if (handle->state == WORKER_DRAINING)
        server_log_write(s->log, SERVER_INFO,
                         "worker process %d has drained and ended",
                         (int)handle->pid);
    if (is_expected && status != 0 && supervisor_is_ending(s))
        s->status = EXIT_FOUND;
}

/* What it held in memory that is shared is free. Where it went wrong by itself
 * nobody knows what it wrote there last: then the journal is what counts. */
static void settle_memory(struct supervisor *s, int slot, int status)
{
    bool is_sound = WIFEXITED(status) || WTERMSIG(status) == SIGKILL;
    if (!is_sound)
        supervisor_drop_memory(s);
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            (void)channel_send(s->workers[i].channel,
                               json_pack("{s:s, s:i, s:I, s:I}", "do", "forget",
                                         "slot", slot, "starts",
                                         (json_int_t)s->generation, "crashes",
                                         (json_int_t)s->crash_count),
                               NULL, 0);
}

/* Whoever was asked is no more: the next one goes by what was before. */
static void fail_renewal(struct supervisor *s)
{
    if (!s->is_renewing)
        return;
    order_queue_finish(&s->orders, s->renewal,
                       control_refusal("the worker process has ended: see the "
                                       "server log"));
    s->renewal = NULL;
    s->is_renewing = false;
}

static void fill_place(struct supervisor *s, bool was_current,
                       uint64_t served_ms)
{
    if (s->phase == SUPERVISOR_STARTING) {
        s->phase = SUPERVISOR_STOPPING;
        if (s->status == EXIT_FINE)
            s->status = EXIT_FOUND;
    } else if (s->phase == SUPERVISOR_RUNNING && s->current == NULL) {
        supervisor_on_gap(s);
        if (s->coming == NULL && s->restart_ms == 0 &&
            !supervisor_is_entered(s))
            supervisor_plan_restart(s, was_current ? served_ms : 0);
    }
}

/* What the process had to say is read first: it may say why it ends. */
static void on_end(struct supervisor *s, struct worker_handle *handle,
                   int status)
{
    supervisor_hear(s, handle);
    uint64_t served_ms = control_now_ms() - handle->since_ms;
    bool was_current = handle == s->current;
    bool was_coming = handle == s->coming;
    tell_of_end(s, handle, status);
    worker_handle_release(handle);
    settle_memory(s, (int)(handle - s->workers), status);
    if (was_current)
        fail_renewal(s);
    if (was_current)
        s->current = NULL;
    if (handle == s->leaving)
        s->leaving = NULL;
    if (was_coming)
        supervisor_fail_succession(
            s, "the new worker process ended before it served", NULL);
    fill_place(s, was_current, served_ms);
}

/* Of process 1 all orphans are children. */
void supervisor_reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->check)
            supervisor_on_checked(s, status);
        (void)programs_reap(&s->programs, pid, status, control_now_ms());
        for (size_t i = 0; i < WORKERS_MAX; i++)
            if (s->workers[i].state != WORKER_NONE && s->workers[i].pid == pid)
                on_end(s, &s->workers[i], status);
    }
}

void supervisor_watch(struct supervisor *s, struct worker_handle *handle)
{
    uint64_t now_ms = control_now_ms();
    bool is_steady =
        handle->state == WORKER_SERVING || handle->state == WORKER_DRAINING;
    if (is_steady && handle->kill_ms == 0 &&
        now_ms - handle->heard_ms > SILENCE_MS) {
        server_log_write(s->log, SERVER_ERROR,
                         "worker process %d has given no sign of life for %u "
                         "seconds: it is ended",
                         (int)handle->pid, SILENCE_MS / 1000);
        kill(handle->pid, SIGABRT);
        handle->kill_ms = now_ms + AFTER_ABORT_MS;
    } else if (handle->kill_ms != 0 && now_ms >= handle->kill_ms) {
        kill(handle->pid, SIGKILL);
    }
}
