#include "proxy/server/worker_process.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/load.h"
#include "proxy/command/subcommands.h"
#include "proxy/confine/confine.h"
#include "proxy/control/channel.h"
#include "proxy/control/diagnostics.h"
#include "proxy/core_dumps.h"
#include "proxy/crash_trace.h"
#include "proxy/server/renewal.h"
#include "proxy/server/server.h"

/* While threads end, and when nothing else is to be done. */
#define TICK_MS 100
#define HOUR_MS (60 * 60 * 1000)

struct process {
    int channel;
    int orders; /* a channel of connections, from the supervisor */
    struct ports ports;
    int keys[CHANNEL_DESCRIPTORS_MAX]; /* to have signatures made on */
    size_t key_count;
    struct server_memory memory;
    struct server *server; /* NULL: not prepared yet */
    struct renewal renewal;
    bool is_ending;    /* retired or stopped */
    bool is_alone;     /* the supervisor is gone */
    bool has_no_dumps; /* core dumps could be forbidden */
    int statm;         /* /proc/self/statm */
    int status;        /* the exit code */
};

static void tell(struct process *process, const char *what)
{
    (void)channel_send(process->channel, json_pack("{s:s}", "do", what), NULL,
                       0);
}

/* Once the server has made it, whoever comes next can take it over. */
static void hand_memory_up(const struct process *process)
{
    struct server_memory memory;
    if (process->server == NULL || !server_memory(process->server, &memory))
        return;
    (void)channel_send(process->channel, json_pack("{s:s}", "do", "memory"),
                       memory.descriptors, SERVER_MEMORY_DESCRIPTORS);
}

/* What was done, or why not; then the process ends. */
static void report(struct process *process, const char *done, int status,
                   struct diags *diags)
{
    json_t *body =
        json_pack("{s:s, s:i}", "do", status == EXIT_FINE ? done : "failed",
                  "code", status);
    if (status == EXIT_FINE)
        hand_memory_up(process);
    else
        diagnostics_add(body, diags);
    (void)channel_send(process->channel, body, NULL, 0);
    process->status = status;
    if (status != EXIT_FINE)
        process->is_ending = true;
}

/* The supervisor has told of the warnings. */
static const struct settings *load(struct files *files, const char *path,
                                   struct diags *diags)
{
    const struct settings *settings =
        files == NULL ? NULL : config_load_from(files, path, diags);
    if (settings != NULL) {
        diags_release(diags);
        diags_init(diags);
    }
    if (settings != NULL && settings->timezone != NULL)
        setenv("TZ", settings->timezone, 1);
    return settings;
}

/* From here on, and before there is a thread: a user, files, system calls. */
static int confine_process(const struct settings *settings, struct diags *diags)
{
    struct confinement confinement;
    char error[512] = "out of memory";
    struct server_log *log = server_log_new(&settings->log, diags);
    if (log == NULL)
        return -1;
    int result = confinement_of(&confinement, settings);
    if (result == 0) {
        result = confine(&confinement, log, error, sizeof error);
        confinement_release(&confinement);
    }
    if (result != 0)
        diags_error(diags, (struct mark){.file = settings->path}, "%s", error);
    server_log_free(log);
    return result;
}

static int prepare(struct process *process, const struct server_means *means,
                   struct diags *diags)
{
    if (confine_process(means->settings, diags) == 0)
        return server_prepare(&process->server, means, diags);
    settings_unref(means->settings);
    close(means->orders);
    return EXIT_FOUND;
}

static void on_keys(struct process *process, struct channel_message *message)
{
    process->key_count = message->descriptor_count;
    for (size_t i = 0; i < process->key_count; i++)
        process->keys[i] = channel_take(message, i);
}

/* What the supervisor alone has seen of all processes. */
static void tally(const struct process *process,
                  const struct channel_message *message)
{
    json_int_t starts = 0, crashes = 0;
    if (process->server != NULL &&
        json_unpack(message->body, "{s:I, s:I}", "starts", &starts, "crashes",
                    &crashes) == 0)
        server_tally(process->server, (uint64_t)starts, (uint64_t)crashes);
}

static void on_start(struct process *process, struct channel_message *message)
{
    struct diags diags;
    const char *path = "";
    json_int_t supervisor = 0, started_ms = 0;
    int is_alone = 0, slot = 0, others = 0, is_after_crash = 0;
    int status = EXIT_CONFIG;
    diags_init(&diags);
    /* A supervisor of before says less. */
    (void)json_unpack(message->body, "{s:s, s:b, s:i, s:i, s:I, s:I, s?b}",
                      "config", &path, "is_alone", &is_alone, "slot", &slot,
                      "others", &others, "supervisor", &supervisor,
                      "started_ms", &started_ms, "is_after_crash",
                      &is_after_crash);
    const char *wrong = "there is none";
    int bundle = channel_take(message, 0);
    struct files *files = bundle < 0 ? NULL : files_from_bundle(bundle, &wrong);
    if (bundle >= 0)
        close(bundle);
    if (files == NULL)
        diags_error(&diags, (struct mark){.file = path},
                    "what the supervisor has read can't be taken up: %s",
                    wrong);
    const struct server_means means = {
        .settings = load(files, path, &diags),
        .files = files,
        .orders = process->orders,
        .channel = process->channel,
        .statm = process->statm,
        .supervisor = (pid_t)supervisor,
        .started_ms = (uint64_t)started_ms,
        .has_no_dumps = process->has_no_dumps,
        .is_alone = is_alone,
        .is_after_crash = is_after_crash,
        .slot = (unsigned)slot,
        .others = (unsigned)others,
        .keys = process->keys,
        .key_count = process->key_count,
        .memory = process->memory,
    };
    if (means.settings != NULL) {
        status = prepare(process, &means, &diags);
        process->orders = -1;
    }
    tally(process, message);
    files_free(files); /* what was secret in it is wiped */
    report(process, "prepared", status, &diags);
    diags_release(&diags);
}

static void on_serve(struct process *process, struct channel_message *message)
{
    struct diags diags;
    (void)message;
    diags_init(&diags);
    int status = server_serve(process->server, &process->ports, &diags);
    report(process, "serving", status, &diags);
    diags_release(&diags);
}

static void on_orders(struct process *process, struct channel_message *message)
{
    if (process->orders < 0)
        process->orders = channel_take(message, 0);
}

static void on_port(struct process *process, struct channel_message *message)
{
    if (ports_receive(&process->ports, message) != 0)
        process->status = EXIT_FOUND;
}

static void on_retire(struct process *process, struct channel_message *message)
{
    server_retire(process->server,
                  !json_is_true(json_object_get(message->body, "is_last")));
    ports_release(&process->ports);
    tell(process, "retired");
}

static void on_drain(struct process *process, struct channel_message *message)
{
    json_int_t within_ms =
        json_integer_value(json_object_get(message->body, "within_ms"));
    server_drain(process->server, within_ms > 0 ? (uint64_t)within_ms : 0);
    process->is_ending = true;
}

static void on_resume(struct process *process, struct channel_message *message)
{
    struct diags diags;
    (void)message;
    diags_init(&diags);
    int status = server_resume(process->server, &process->ports, &diags);
    report(process, "serving", status, &diags);
    diags_release(&diags);
}

static void on_memory(struct process *process, struct channel_message *message)
{
    struct server_memory *memory = &process->memory;
    memory->is_there = message->descriptor_count == SERVER_MEMORY_DESCRIPTORS;
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS && memory->is_there; i++)
        memory->descriptors[i] = channel_take(message, i);
}

static void on_forget(struct process *process, struct channel_message *message)
{
    server_forget(process->server, (unsigned)json_integer_value(
                                       json_object_get(message->body, "slot")));
    tally(process, message);
}

static void on_stop(struct process *process, struct channel_message *message)
{
    (void)message;
    if (process->server != NULL)
        server_stop(process->server);
    process->is_ending = true;
}

static void on_reopen(struct process *process, struct channel_message *message)
{
    (void)message;
    server_reopen_logs(process->server);
}

static void on_renew(struct process *process, struct channel_message *message)
{
    renewal_start(&process->renewal, process->server, process->channel,
                  channel_take(message, 0));
}

static void on_note(struct process *process, struct channel_message *message)
{
    const char *line =
        json_string_value(json_object_get(message->body, "line"));
    if (line != NULL)
        server_note(process->server, str_from(line));
}

static void on_debug(struct process *process, struct channel_message *message)
{
    (void)message;
    server_set_debug(process->server, true);
}

static void on_info(struct process *process, struct channel_message *message)
{
    (void)message;
    server_set_debug(process->server, false);
}

static void on_ping(struct process *process, struct channel_message *message)
{
    (void)message;
    if (process->server == NULL || server_is_alive(process->server))
        tell(process, "pong");
}

static const struct {
    const char *verb;
    bool needs_server;
    void (*run)(struct process *process, struct channel_message *message);
} orders[] = {
    {"orders", false, on_orders}, {"port", false, on_port},
    {"start", false, on_start},   {"keys", false, on_keys},
    {"memory", false, on_memory}, {"serve", true, on_serve},
    {"resume", true, on_resume},  {"drain", true, on_drain},
    {"forget", true, on_forget},  {"retire", true, on_retire},
    {"stop", false, on_stop},     {"reopen", true, on_reopen},
    {"debug", true, on_debug},    {"renew", true, on_renew},
    {"note", true, on_note},      {"info", true, on_info},
    {"ping", false, on_ping},
};

static void obey(struct process *process, struct channel_message *message)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(orders[i].verb, message->verb) != 0)
            continue;
        if (process->server != NULL || !orders[i].needs_server)
            orders[i].run(process, message);
    }
}

/* Nobody is left to say when to stop. What another server may want is given up
 * first: the doors, and the budgets. */
static void on_supervisor_gone(struct process *process)
{
    process->is_alone = true;
    process->is_ending = true;
    ports_release(&process->ports);
    if (process->server == NULL)
        return;
    server_say(process->server, "the supervisor is gone: transactions finish, "
                                "then this process ends");
    server_retire(process->server, true);
    server_stop(process->server);
}

static void take_orders(struct process *process)
{
    struct channel_message message;
    enum channel_next next;
    while ((next = channel_next(process->channel, &message)) ==
           CHANNEL_MESSAGE) {
        obey(process, &message);
        channel_release(&message);
    }
    if (next == CHANNEL_CLOSED)
        on_supervisor_gone(process);
}

static bool has_ended(const struct process *process)
{
    return process->is_ending &&
           (process->server == NULL || process->status != EXIT_FINE ||
            server_has_ended(process->server));
}

static void live(struct process *process)
{
    while (!has_ended(process)) {
        struct pollfd watched = {
            .fd = process->is_alone ? -1 : process->channel, .events = POLLIN};
        if (poll(&watched, 1, process->is_ending ? TICK_MS : HOUR_MS) > 0)
            take_orders(process);
        if (process->server != NULL)
            server_tell_of_dates(process->server);
    }
}

/* Large tables are to come as pages that cost nothing until they are touched:
 * by itself the allocator takes ever larger ones from its heap, and clears
 * them. What messages pass through is not to go back to the system behind
 * each of them. */
static void set_up_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
    mallopt(M_TOP_PAD, 512 * 1024);
}

/* Signals are the supervisor's: a terminal sends them to both. */
static void block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool has_channel(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(WORKER_CHANNEL, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_SEQPACKET;
}

int command_worker(int argc, char **argv)
{
    struct process process = {.channel = WORKER_CHANNEL, .orders = -1};
    (void)argc;
    (void)argv;
    if (!has_channel()) {
        fputs("postern worker: this is started by `postern run`\n", stderr);
        return EXIT_USAGE;
    }
    fcntl(WORKER_CHANNEL, F_SETFD, FD_CLOEXEC);
    (void)crash_trace_arm();
    struct crash_stack *stack = crash_stack_new(STDERR_FILENO, "worker");
    set_up_memory();
    process.has_no_dumps = core_dumps_forbid() == 0;
    process.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    block_signals();
    live(&process);
    renewal_await(&process.renewal);
    server_free(process.server);
    ports_release(&process.ports);
    crash_stack_free(stack);
    if (process.orders >= 0)
        close(process.orders);
    if (process.statm >= 0)
        close(process.statm);
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS && process.memory.is_there;
         i++)
        close(process.memory.descriptors[i]);
    return process.status;
}
