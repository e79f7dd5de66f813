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
#include <unistd.h>

#include "proxy/command/subcommands.h"
#include "proxy/control/control_socket.h"
#include "proxy/core_dumps.h"
#include "proxy/crash_trace.h"
#include "proxy/server/server.h"
#include "proxy/supervisor/supervisor_internal.h"

#define TICK_MS 1000
#define PING_MS 5000
/* What a stop may take beyond timeouts.shutdown. */
#define AFTER_SHUTDOWN_MS 30000
/* Out of the way of the descriptors that have a meaning. */
#define FIRST_DESCRIPTOR 10

static bool has_workers(const struct supervisor *s)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            return true;
    return false;
}

bool supervisor_is_ending(const struct supervisor *s)
{
    return s->phase == SUPERVISOR_DRAINING || s->phase == SUPERVISOR_STOPPING;
}

/* --- stopping --- */

static uint64_t shutdown_ms(const struct worker_handle *handle)
{
    return handle->settings == NULL ? 0 : handle->settings->timeouts.shutdown;
}

void supervisor_stop_worker(struct worker_handle *handle)
{
    if (handle->state == WORKER_NONE)
        return;
    uint64_t now_ms = control_now_ms();
    worker_handle_enter(handle, WORKER_STOPPING, now_ms);
    handle->kill_ms = now_ms + shutdown_ms(handle) + AFTER_SHUTDOWN_MS;
    worker_handle_tell(handle, "stop");
}

void supervisor_stop(struct supervisor *s)
{
    if (s->phase != SUPERVISOR_STOPPING) {
        server_log_write(s->log, SERVER_INFO,
                         "stopping: transactions finish first");
        service_manager_stopping(&s->manager, "transactions finish");
    }
    s->phase = SUPERVISOR_STOPPING;
    s->restart_ms = 0;
    for (size_t i = 0; i < WORKERS_MAX; i++)
        supervisor_stop_worker(&s->workers[i]);
    ports_release(&s->ports);
}

/* --- the log --- */

/* The worker process writes to the same file. */
static void find_user(struct supervisor *s)
{
    struct confinement confinement = {.user = s->settings->user,
                                      .is_user_named =
                                          s->settings->user_mark.line > 0};
    char error[256];
    if (confinement_user(&confinement, &s->user, error, sizeof error) !=
        PRIVILEGES_FOUND)
        privileges_keep(&s->user);
}

void supervisor_move_log(struct supervisor *s)
{
    find_user(s);
    privileges_borrow(&s->user);
    server_log_move(s->log, s->settings->log.server);
    privileges_give_back(&s->user);
    if (s->level == NULL)
        server_log_set_debug(s->log, s->settings->log.is_debug);
}

void supervisor_reopen_logs(struct supervisor *s)
{
    privileges_borrow(&s->user);
    server_log_reopen(s->log);
    privileges_give_back(&s->user);
    server_log_write(s->log, SERVER_INFO, "the logs are opened anew");
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (s->workers[i].state != WORKER_NONE)
            worker_handle_tell(&s->workers[i], "reopen");
}

/* --- signals and time --- */

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            supervisor_reap(s);
            break;
        case SIGHUP:
            supervisor_reopen_logs(s);
            reloader_signal(s->reloader);
            break;
        case SIGUSR2:
            s->is_upgrade_wanted = true; /* see obey_early() */
            break;
        default:
            supervisor_stop(s);
            break;
        }
    }
}

void supervisor_drain(struct supervisor *s, uint64_t within_ms)
{
    s->within_ms = within_ms;
    if (supervisor_is_ending(s))
        return;
    server_log_write(s->log, SERVER_INFO,
                     "draining: no new sessions, those that are open end by "
                     "themselves");
    service_manager_stopping(&s->manager, "sessions end by themselves");
    s->phase = SUPERVISOR_DRAINING;
    s->restart_ms = 0;
    if (s->coming != NULL)
        supervisor_stop_worker(s->coming);
    if (s->current != NULL && s->current->state == WORKER_SERVING)
        supervisor_retire(s, s->current);
}

static void tick(struct supervisor *s)
{
    uint64_t now_ms = control_now_ms();
    bool pings = now_ms - s->pinged_ms >= PING_MS;
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        if (s->workers[i].state == WORKER_NONE)
            continue;
        if (pings)
            worker_handle_tell(&s->workers[i], "ping");
        supervisor_watch(s, &s->workers[i]);
    }
    if (pings)
        s->pinged_ms = now_ms;
    programs_watch(&s->programs, now_ms);
    if (s->manager.watchdog_ms > 0 &&
        now_ms - s->watched_ms >= s->manager.watchdog_ms / 3) {
        s->watched_ms = now_ms;
        service_manager_alive(&s->manager);
    }
    if (s->restart_ms != 0 && now_ms >= s->restart_ms) {
        s->restart_ms = 0;
        supervisor_succeed(s, s->settings, s->bundle, NULL);
        if (s->coming == NULL)
            supervisor_plan_restart(s, 0);
    }
}

static int patience_ms(const struct supervisor *s)
{
    uint64_t now_ms = control_now_ms();
    if (s->restart_ms == 0)
        return TICK_MS;
    return s->restart_ms <= now_ms            ? 0
           : s->restart_ms - now_ms < TICK_MS ? (int)(s->restart_ms - now_ms)
                                              : TICK_MS;
}

/* The doors are open a moment before it is known that somebody serves. */
static void obey_early(struct supervisor *s)
{
    if (s->phase == SUPERVISOR_STARTING)
        return;
    if (s->is_upgrade_wanted)
        supervisor_upgrade(s, NULL);
    s->is_upgrade_wanted = false;
    while (s->early != NULL) {
        struct order *order = s->early;
        s->early = order->next;
        supervisor_obey(s, order);
    }
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
            supervisor_hear(s, &s->workers[i]);
    take_signals(s);
    while ((order = order_queue_next(&s->orders)) != NULL)
        supervisor_obey(s, order);
    supervisor_connect(s);
    supervisor_renew(s);
    obey_early(s);
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

static void refuse(struct supervisor *s, struct order *order)
{
    if (order != NULL)
        order_queue_finish(&s->orders, order,
                           control_refusal("the server has stopped"));
}

/* Nobody may wait any more when the threads are joined. */
static void finish_orders(struct supervisor *s)
{
    struct order *order;
    order_queue_close(&s->orders);
    while ((order = order_queue_next(&s->orders)) != NULL)
        refuse(s, order);
    while ((order = s->early) != NULL) {
        s->early = order->next;
        refuse(s, order);
    }
    refuse(s, s->upgrade);
    refuse(s, s->succession);
    refuse(s, s->renewal);
    supervisor_connect(s);
    while ((order = s->farewells) != NULL) {
        s->farewells = order->next;
        order_queue_finish(&s->orders, order, json_pack("{s:b}", "ok", 1));
    }
}

static int open_log(struct supervisor *s)
{
    struct diags diags;
    diags_init(&diags);
    find_user(s);
    privileges_borrow(&s->user);
    s->log = server_log_new(&s->settings->log, &diags);
    privileges_give_back(&s->user);
    diags_print(&diags, stderr);
    diags_release(&diags);
    return s->log == NULL ? EXIT_CONFIG : EXIT_FINE;
}

static int open_all(struct supervisor *s)
{
    struct legacy legacy;
    supervisor_read_legacy(&legacy);
    if (supervisor_load(s, legacy.bundle) != 0)
        return EXIT_CONFIG;
    if (s->settings->core_dumps)
        (void)core_dumps_allow(); /* the worker process tells of it */
    int socket = legacy.control, status = open_log(s);
    if (status == EXIT_FINE)
        supervisor_inherit(s, &legacy);
    if (status == EXIT_FINE &&
        service_manager_sockets(&s->ports, s->settings,
                                server_thread_count(s->settings), s->log) != 0)
        status = EXIT_FOUND;
    if (status == EXIT_FINE && legacy.body == NULL)
        status = open_control(s, &socket);
    supervisor_release_legacy(&legacy);
    if (status == EXIT_FINE && supervisor_watch_files(s) != 0) {
        fprintf(stderr, "postern: error: a thread can't be started\n");
        status = EXIT_FOUND;
    }
    return status == EXIT_FINE ? start_control(s, socket) : status;
}

static int serve(struct supervisor *s)
{
    supervisor_succeed(s, s->settings, s->bundle, NULL);
    if (s->coming == NULL && s->phase == SUPERVISOR_STARTING)
        return EXIT_FOUND;
    while (!supervisor_is_ending(s) || has_workers(s))
        turn(s);
    if (s->status == EXIT_FINE)
        server_log_write(s->log, SERVER_INFO, "stopped");
    return s->status;
}

static void release(struct supervisor *s)
{
    finish_orders(s);
    control_server_free(s->control);
    supervisor_leave_files(s);
    key_keeper_free(s->keeper);
    ports_release(&s->ports);
    programs_release(&s->programs);
    supervisor_drop_memory(s);
    settings_unref(s->settings);
    if (s->bundle >= 0)
        close(s->bundle);
    server_log_free(s->log);
    service_manager_close(&s->manager);
    order_queue_release(&s->orders);
    close(s->signals);
    close(s->executable);
    free(s->program);
}

int supervise(const char *path, const char *name)
{
    struct supervisor s = {
        .path = path,
        .name = name,
        .pid = getpid(),
        .started_ms = control_now_ms(),
        .succession_state = "none",
        .bundle = -1,
        .executable = open_executable(),
        .signals = open_signals(),
        .program = supervisor_find_program(name),
    };
    int status = EXIT_FOUND;
    (void)crash_trace_arm();
    struct crash_stack *stack = crash_stack_new(STDERR_FILENO, "supervisor");
    service_manager_open(&s.manager);
    if (order_queue_init(&s.orders) != 0 || s.executable < 0 || s.signals < 0)
        fprintf(stderr, "postern: error: %s\n", strerrordesc_np(errno));
    else
        status = open_all(&s);
    if (status == EXIT_FINE)
        status = serve(&s);
    release(&s);
    crash_stack_free(stack);
    return status;
}
