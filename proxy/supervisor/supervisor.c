#include "proxy/supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxy/command/subcommands.h"
#include "proxy/control/control_socket.h"
#include "proxy/control/diagnostics.h"
#include "proxy/server/server.h"
#include "proxy/supervisor/supervisor_internal.h"

#define TICK_MS 1000
#define PING_MS 5000
/* A process that gives no sign of life for so long is ended. */
#define SILENCE_MS 60000
#define AFTER_ABORT_MS 5000
/* What a stop may take beyond timeouts.shutdown. */
#define AFTER_SHUTDOWN_MS 30000
/* Processes that crash one after the other come ever later. */
#define RESTART_FIRST_MS 250
#define RESTART_LAST_MS 10000
#define STEADY_MS 60000
/* Out of the way of the descriptors that have a meaning. */
#define FIRST_DESCRIPTOR 10

uint64_t supervisor_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void enter(struct worker_handle *handle, enum worker_state state)
{
    worker_handle_enter(handle, state, supervisor_now_ms());
}

static bool has_workers(const struct supervisor *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            return true;
    return false;
}

static bool is_ending(const struct supervisor *s)
{
    return s->phase == SUPERVISOR_DRAINING || s->phase == SUPERVISOR_STOPPING;
}

/* --- stopping --- */

static uint64_t shutdown_ms(const struct worker_handle *handle)
{
    return handle->settings == NULL ? 0 : handle->settings->timeouts.shutdown;
}

static void stop_worker(struct worker_handle *handle)
{
    if (handle->state == WORKER_NONE)
        return;
    enter(handle, WORKER_STOPPING);
    handle->kill_ms =
        supervisor_now_ms() + shutdown_ms(handle) + AFTER_SHUTDOWN_MS;
    worker_handle_tell(handle, "stop");
}

void supervisor_stop(struct supervisor *s, const char *why)
{
    if (s->phase != SUPERVISOR_STOPPING) {
        server_log_write(s->log, SERVER_INFO,
                         "stopping%s: transactions finish first", why);
        service_manager_stopping(&s->manager, "transactions finish");
    }
    s->phase = SUPERVISOR_STOPPING;
    s->restart_ms = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        stop_worker(&s->workers[i]);
    ports_release(&s->ports);
}

/* --- one process follows another --- */

static json_t *refusal_of(const char *error, const json_t *diagnostics)
{
    json_t *reply = control_refusal("%s", error);
    const char *const keys[] = {"diagnostics", "not_shown"};
    for (size_t i = 0; reply != NULL && i < 2; i++) {
        json_t *value = json_object_get(diagnostics, keys[i]);
        if (value != NULL)
            json_object_set(reply, keys[i], value);
    }
    return reply;
}

/* The process that was to come does not. */
static void fail_succession(struct supervisor *s, const char *error,
                            const json_t *diagnostics)
{
    s->succession_state = "failed";
    snprintf(s->succession_error, sizeof s->succession_error, "%s", error);
    ports_withdraw(&s->ports);
    s->coming = NULL;
    if (s->phase == SUPERVISOR_STARTING) {
        diagnostics_print(diagnostics, stderr);
        return;
    }
    server_log_write(s->log, SERVER_ERROR, "%s%s", error,
                     s->current == NULL ? "" : "; the one before goes on");
    diagnostics_log(diagnostics, s->log);
    if (s->succession != NULL)
        order_queue_finish(&s->orders, s->succession,
                           refusal_of(error, diagnostics));
    s->succession = NULL;
}

static struct worker_handle *free_handle(struct supervisor *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state == WORKER_NONE)
            return &s->workers[i];
    return NULL;
}

/* Makes room for the processes to come. */
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
    if (count >= WORKERS_MAX - 1 && oldest != NULL)
        stop_worker(oldest);
}

static int start_worker(struct supervisor *s, struct worker_handle *handle,
                        const struct settings *settings)
{
    struct diags diags;
    diags_init(&diags);
    int result =
        ports_open(&s->ports, settings, server_thread_count(settings), &diags);
    if (result != 0) {
        json_t *told = json_object();
        diagnostics_add(told, &diags);
        fail_succession(s, "a listening socket can't be opened", told);
        json_decref(told);
    } else if (worker_handle_start(handle, s->executable, s->name, settings,
                                   supervisor_now_ms()) != 0) {
        fail_succession(s, "no worker process can be started", NULL);
        result = -1;
    }
    diags_release(&diags);
    return result;
}

static void send_start(struct supervisor *s, struct worker_handle *handle)
{
    (void)ports_send(&s->ports, handle->settings, handle->channel);
    (void)channel_send(
        handle->channel,
        json_pack("{s:s, s:s, s:b, s:I, s:I}", "do", "start", "config", s->path,
                  "is_alone", s->current == NULL, "supervisor",
                  (json_int_t)s->pid, "started_ms", (json_int_t)s->started_ms),
        NULL, 0);
}

void supervisor_succeed(struct supervisor *s, const struct settings *settings,
                        struct order *order)
{
    s->succession = order;
    s->generation++;
    s->succession_state = "under way";
    s->succession_error[0] = '\0';
    struct worker_handle *handle = free_handle(s);
    if (handle == NULL) {
        fail_succession(s, "too many worker processes still drain", NULL);
    } else if (start_worker(s, handle, settings) == 0) {
        s->coming = handle;
        send_start(s, handle);
    }
    settings_unref(settings);
}

static void let_serve(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_ENTERING);
    ports_listen(&s->ports, handle->settings);
    worker_handle_tell(handle, "serve");
}

static void retire(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_RETIRING);
    (void)channel_send(handle->channel,
                       json_pack("{s:s, s:I}", "do", "retire", "within_ms",
                                 (json_int_t)s->within_ms),
                       NULL, 0);
}

static void on_prepared(struct supervisor *s, struct worker_handle *handle)
{
    enter(handle, WORKER_PREPARED);
    if (s->current == NULL)
        let_serve(s, handle);
    else if (s->current->state == WORKER_SERVING)
        retire(s, s->current);
}

static void on_retired(struct supervisor *s, struct worker_handle *handle)
{
    if (handle->state != WORKER_RETIRING)
        return;
    enter(handle, WORKER_DRAINING);
    s->current = NULL;
    if (s->coming != NULL && s->coming->state == WORKER_PREPARED)
        let_serve(s, s->coming);
    if (s->phase == SUPERVISOR_DRAINING)
        ports_release(&s->ports);
}

static void on_serving(struct supervisor *s, struct worker_handle *handle)
{
    char status[128];
    enter(handle, WORKER_SERVING);
    s->current = handle;
    s->coming = NULL;
    settings_unref(s->settings);
    s->settings = settings_ref(handle->settings);
    ports_settle(&s->ports, s->settings);
    if (s->phase == SUPERVISOR_STARTING)
        s->phase = SUPERVISOR_RUNNING;
    s->succession_state = "done";
    snprintf(status, sizeof status, "policy %.40s", s->settings->policy_digest);
    service_manager_ready(&s->manager, status);
    if (s->succession != NULL)
        order_queue_finish(&s->orders, s->succession,
                           json_pack("{s:b}", "ok", 1));
    s->succession = NULL;
    stop_oldest(s);
}

/* It says so before it ends. */
static void on_failed(struct supervisor *s, struct worker_handle *handle,
                      const struct channel_message *message)
{
    int code = EXIT_FOUND;
    (void)json_unpack(message->body, "{s:i}", "code", &code);
    if (s->phase == SUPERVISOR_STARTING)
        s->status = code;
    if (handle == s->coming)
        fail_succession(s, "the new worker process can't serve", message->body);
    stop_worker(handle);
}

static void on_message(struct supervisor *s, struct worker_handle *handle,
                       const struct channel_message *message)
{
    handle->heard_ms = supervisor_now_ms();
    if (strcmp(message->verb, "prepared") == 0 &&
        handle->state == WORKER_PREPARING) {
        if (s->phase == SUPERVISOR_STARTING)
            diagnostics_print(message->body, stderr);
        on_prepared(s, handle);
    } else if (strcmp(message->verb, "serving") == 0 &&
               handle->state == WORKER_ENTERING) {
        on_serving(s, handle);
    } else if (strcmp(message->verb, "retired") == 0) {
        on_retired(s, handle);
    } else if (strcmp(message->verb, "failed") == 0) {
        on_failed(s, handle, message);
    }
}

/* A channel that is closed belongs to a process that ends: that is waited for.
 */
static void hear(struct supervisor *s, struct worker_handle *handle)
{
    struct channel_message message;
    while (handle->state != WORKER_NONE &&
           channel_next(handle->channel, &message) == CHANNEL_MESSAGE) {
        on_message(s, handle, &message);
        channel_release(&message);
    }
}

/* --- processes that end --- */

static void plan_restart(struct supervisor *s, uint64_t served_ms)
{
    uint64_t delay_ms = 0;
    if (served_ms >= STEADY_MS)
        s->crashes = 0;
    if (s->crashes > 0)
        delay_ms = RESTART_FIRST_MS << (s->crashes < 8 ? s->crashes - 1 : 8);
    if (delay_ms > RESTART_LAST_MS)
        delay_ms = RESTART_LAST_MS;
    s->crashes++;
    s->restart_ms = supervisor_now_ms() + delay_ms;
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
    describe_end(status, how, sizeof how);
    if (handle->has_failed)
        return;
    if (!is_expected || status != 0)
        server_log_write(
            s->log, SERVER_ERROR, "worker process %d, which was %s, ended %s",
            (int)handle->pid, worker_state_name(handle->state), how);
    else if (handle->state == WORKER_DRAINING)
        server_log_write(s->log, SERVER_INFO,
                         "worker process %d has drained and ended",
                         (int)handle->pid);
    if (is_expected && status != 0 && is_ending(s))
        s->status = EXIT_FOUND;
}

/* What the process had to say is read first: it may say why it ends. */
static void on_end(struct supervisor *s, struct worker_handle *handle,
                   int status)
{
    hear(s, handle);
    uint64_t served_ms = supervisor_now_ms() - handle->since_ms;
    bool was_current = handle == s->current, was_coming = handle == s->coming;
    tell_of_end(s, handle, status);
    worker_handle_release(handle);
    if (was_current)
        s->current = NULL;
    if (was_coming)
        fail_succession(s, "the new worker process ended before it served",
                        NULL);
    if (s->phase == SUPERVISOR_STARTING) {
        s->phase = SUPERVISOR_STOPPING;
        if (s->status == EXIT_FINE)
            s->status = EXIT_FOUND;
    } else if (s->phase == SUPERVISOR_RUNNING && s->current == NULL) {
        if (s->coming != NULL && s->coming->state == WORKER_PREPARED)
            let_serve(s, s->coming);
        else if (s->coming == NULL && s->restart_ms == 0)
            plan_restart(s, was_current ? served_ms : 0);
    }
}

/* Of process 1 all orphans are children. */
static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->check)
            supervisor_on_checked(s, status);
        for (size_t i = 0; i < WORKERS_MAX; i++)
            if (s->workers[i].state != WORKER_NONE && s->workers[i].pid == pid)
                on_end(s, &s->workers[i], status);
    }
}

/* --- signals and time --- */

static void close_logs_and_reload(struct supervisor *s)
{
    server_log_reopen(s->log);
    server_log_write(s->log, SERVER_INFO, "the logs are opened anew");
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            worker_handle_tell(&s->workers[i], "reopen");
}

void supervisor_reopen_logs(struct supervisor *s)
{
    close_logs_and_reload(s);
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            reap(s);
            break;
        case SIGHUP:
            close_logs_and_reload(s);
            break;
        case SIGUSR2:
            supervisor_upgrade(s, NULL);
            break;
        default:
            supervisor_stop(s, "");
            break;
        }
    }
}

void supervisor_drain(struct supervisor *s, uint64_t within_ms)
{
    s->within_ms = within_ms;
    if (is_ending(s))
        return;
    server_log_write(s->log, SERVER_INFO,
                     "draining: no new sessions, those that are open end by "
                     "themselves");
    service_manager_stopping(&s->manager, "sessions end by themselves");
    s->phase = SUPERVISOR_DRAINING;
    s->restart_ms = 0;
    if (s->coming != NULL)
        stop_worker(s->coming);
    if (s->current != NULL && s->current->state == WORKER_SERVING)
        retire(s, s->current);
}

static void watch_worker(struct supervisor *s, struct worker_handle *handle,
                         uint64_t now_ms)
{
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

static void tick(struct supervisor *s)
{
    uint64_t now_ms = supervisor_now_ms();
    bool pings = now_ms - s->pinged_ms >= PING_MS;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        if (s->workers[i].state == WORKER_NONE)
            continue;
        if (pings)
            worker_handle_tell(&s->workers[i], "ping");
        watch_worker(s, &s->workers[i], now_ms);
    }
    if (pings)
        s->pinged_ms = now_ms;
    if (s->manager.watchdog_ms > 0 &&
        now_ms - s->watched_ms >= s->manager.watchdog_ms / 3) {
        s->watched_ms = now_ms;
        service_manager_alive(&s->manager);
    }
    if (s->restart_ms != 0 && now_ms >= s->restart_ms) {
        s->restart_ms = 0;
        supervisor_succeed(s, settings_ref(s->settings), NULL);
        if (s->coming == NULL)
            plan_restart(s, 0);
    }
}

static int patience_ms(const struct supervisor *s)
{
    uint64_t now_ms = supervisor_now_ms();
    if (s->restart_ms == 0)
        return TICK_MS;
    return s->restart_ms <= now_ms            ? 0
           : s->restart_ms - now_ms < TICK_MS ? (int)(s->restart_ms - now_ms)
                                              : TICK_MS;
}

static void turn(struct supervisor *s)
{
    struct pollfd watched[WORKERS_MAX + 2];
    struct order *order;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        watched[i] = (struct pollfd){.fd = s->workers[i].state == WORKER_NONE
                                               ? -1
                                               : s->workers[i].channel,
                                     .events = POLLIN};
    watched[WORKERS_MAX] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    watched[WORKERS_MAX + 1] =
        (struct pollfd){.fd = s->orders.wake, .events = POLLIN};
    (void)poll(watched, WORKERS_MAX + 2, patience_ms(s));
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if ((watched[i].revents & POLLIN) != 0)
            hear(s, &s->workers[i]);
    take_signals(s);
    while ((order = order_queue_next(&s->orders)) != NULL)
        supervisor_obey(s, order);
    supervisor_connect(s);
    tick(s);
}

/* --- beginning and end --- */

/* Of the thread that acts; all that come later inherit it. */
static void fill_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, SIGUSR2);
    sigaddset(signals, SIGCHLD);
}

void supervisor_block_signals(void)
{
    sigset_t signals;
    fill_signals(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int open_signals(void)
{
    sigset_t signals;
    fill_signals(&signals);
    supervisor_block_signals();
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_executable(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    if (fd >= 0)
        close(fd);
    return moved;
}

/* Where nobody wrote `control` the server does without, if it must. */
static int open_control(struct supervisor *s, int *socket)
{
    const struct mark *mark = &s->settings->control_mark;
    const char *path = s->settings->control;
    char error[512];
    *socket = control_socket_listen(path, error, sizeof error);
    if (*socket >= 0)
        return EXIT_FINE;
    if (*socket == CONTROL_SOCKET_FAILED && mark->line == 0) {
        server_log_write(s->log, SERVER_INFO,
                         "no control socket, so reload, list and "
                         "status can't be used: %s; `control: PATH` puts it "
                         "elsewhere",
                         error);
        return EXIT_FINE;
    }
    if (mark->line > 0)
        fprintf(stderr, "%s:%zu:%zu: error: %s\n", mark->file, mark->line,
                mark->column, error);
    else
        fprintf(stderr,
                "postern: error: %s; `control: PATH` gives this one "
                "its own\n",
                error);
    return *socket == CONTROL_SOCKET_TAKEN ? EXIT_FOUND : EXIT_CONFIG;
}

static int start_control(struct supervisor *s, int socket)
{
    if (socket < 0)
        return EXIT_FINE;
    s->control =
        control_server_new(socket, s->settings->control, supervisor_verbs, s);
    if (s->control != NULL)
        return EXIT_FINE;
    fprintf(stderr, "postern: error: a thread can't be started\n");
    return EXIT_FOUND;
}

static void finish_orders(struct supervisor *s)
{
    struct order *order;
    order_queue_close(&s->orders);
    while ((order = order_queue_next(&s->orders)) != NULL)
        order_queue_finish(&s->orders, order,
                           control_refusal("the server has stopped"));
    supervisor_connect(s);
    while ((order = s->farewells) != NULL) {
        s->farewells = order->next;
        order_queue_finish(&s->orders, order, json_pack("{s:b}", "ok", 1));
    }
}

static int open_all(struct supervisor *s)
{
    struct diags diags;
    int socket = -1, status = EXIT_FINE;
    diags_init(&diags);
    s->log = server_log_new(&s->settings->log, &diags);
    diags_print(&diags, stderr);
    diags_release(&diags);
    if (s->log == NULL)
        return EXIT_CONFIG;
    if (service_manager_sockets(&s->ports, s->settings,
                                server_thread_count(s->settings), s->log) != 0)
        return EXIT_FOUND;
    if (!supervisor_inherit(s, &socket))
        status = open_control(s, &socket);
    return status == EXIT_FINE ? start_control(s, socket) : status;
}

static int serve(struct supervisor *s)
{
    supervisor_succeed(s, settings_ref(s->settings), NULL);
    if (s->coming == NULL && s->phase == SUPERVISOR_STARTING)
        return EXIT_FOUND;
    while (!is_ending(s) || has_workers(s))
        turn(s);
    if (s->status == EXIT_FINE)
        server_log_write(s->log, SERVER_INFO, "stopped");
    return s->status;
}

int supervise(const struct supervisor_means *means)
{
    struct supervisor s = {
        .path = means->path,
        .name = means->name,
        .settings = means->settings,
        .pid = getpid(),
        .started_ms = supervisor_now_ms(),
        .succession_state = "none",
        .executable = open_executable(),
        .signals = open_signals(),
        .program = supervisor_find_program(means->name),
    };
    int status = EXIT_FOUND;
    service_manager_open(&s.manager);
    if (s.executable < 0 || s.signals < 0 || order_queue_init(&s.orders) != 0)
        fprintf(stderr, "postern: error: %s\n", strerrordesc_np(errno));
    else
        status = open_all(&s);
    if (status == EXIT_FINE)
        status = serve(&s);
    finish_orders(&s);
    control_server_free(s.control);
    ports_release(&s.ports);
    settings_unref(s.settings);
    server_log_free(s.log);
    service_manager_close(&s.manager);
    order_queue_release(&s.orders);
    close(s.signals);
    close(s.executable);
    free(s.program);
    return status;
}
