/* What one program leaves to the next that takes its place in the same process:
 * descriptors that stay open over the exec, and what they are, written into a
 * file in memory. */
#include "proxy/supervisor/supervisor_internal.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEGACY_VERSION 1

/* --- what is left to the next program --- */

static json_t *ports_to_json(const struct ports *ports)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ports->count; i++) {
        const struct port *port = &ports->items[i];
        json_t *sockets = json_array();
        for (size_t j = 0; j < port->count; j++)
            json_array_append_new(sockets, json_integer(port->sockets[j]));
        json_array_append_new(
            list, json_pack("{s:s, s:b, s:o}", "address", port->address,
                            "is_given", port->is_given, "sockets", sockets));
    }
    return list;
}

static json_t *workers_to_json(const struct supervisor *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        const struct worker_handle *one = &s->workers[i];
        if (one->state == WORKER_NONE)
            continue;
        json_array_append_new(
            list,
            json_pack("{s:i, s:I, s:i, s:i, s:b}", "slot", (int)i, "process",
                      (json_int_t)one->pid, "channel", one->channel, "orders",
                      one->orders, "is_current", one == s->current));
    }
    return list;
}

static void keep(int descriptor, bool is_kept)
{
    (void)fcntl(descriptor, F_SETFD, is_kept ? 0 : FD_CLOEXEC);
}

/* Whether they stay open over an exec. */
void supervisor_keep_legacy(const struct supervisor *s, int control,
                            bool is_kept)
{
    for (size_t i = 0; i < s->ports.count; i++)
        for (size_t j = 0; j < s->ports.items[i].count; j++)
            keep(s->ports.items[i].sockets[j], is_kept);
    for (size_t i = 0; i < WORKERS_MAX; i++) {
        if (s->workers[i].state == WORKER_NONE)
            continue;
        keep(s->workers[i].channel, is_kept);
        keep(s->workers[i].orders, is_kept);
    }
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS; i++)
        if (s->memory.is_there)
            keep(s->memory.descriptors[i], is_kept);
    int keys[KEY_KEEPER_SOCKETS_MAX];
    size_t count =
        s->keeper == NULL
            ? 0
            : key_keeper_sockets(s->keeper, keys, KEY_KEEPER_SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        keep(keys[i], is_kept);
    programs_keep(&s->programs, is_kept);
    if (s->bundle >= 0)
        keep(s->bundle, is_kept);
    if (control >= 0)
        keep(control, is_kept);
}

static json_t *keys_to_json(const struct supervisor *s)
{
    int fds[KEY_KEEPER_SOCKETS_MAX];
    json_t *list = json_array();
    size_t count =
        s->keeper == NULL
            ? 0
            : key_keeper_sockets(s->keeper, fds, KEY_KEEPER_SOCKETS_MAX);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(fds[i]));
    return list;
}

static json_t *memory_to_json(const struct supervisor *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SERVER_MEMORY_DESCRIPTORS; i++)
        if (s->memory.is_there)
            json_array_append_new(list, json_integer(s->memory.descriptors[i]));
    return list;
}

/* The descriptor of the legacy, or -1 with errno set. */
int supervisor_write_legacy(const struct supervisor *s, int control)
{
    json_t *legacy = json_pack(
        "{s:i, s:I, s:i, s:I, s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "version",
        LEGACY_VERSION, "started_ms", (json_int_t)s->started_ms, "generation",
        (int)s->generation, "crashes", (json_int_t)s->crash_count, "control",
        control, "bundle", s->bundle, "ports", ports_to_json(&s->ports),
        "workers", workers_to_json(s), "memory", memory_to_json(s), "keys",
        keys_to_json(s), "programs", programs_to_json(&s->programs));
    int fd = memfd_create("legacy", 0);
    int result = legacy == NULL || fd < 0 ? -1 : json_dumpfd(legacy, fd, 0);
    json_decref(legacy);
    if (result == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- what the program before has left --- */

static int inherit_ports(struct supervisor *s, const json_t *list)
{
    size_t i, j;
    const json_t *item, *socket;
    json_array_foreach(list, i, item)
    {
        const char *address =
            json_string_value(json_object_get(item, "address"));
        bool is_given = json_is_true(json_object_get(item, "is_given"));
        json_array_foreach(json_object_get(item, "sockets"), j, socket)
        {
            int fd = (int)json_integer_value(socket);
            keep(fd, false);
            if (address == NULL ||
                (is_given ? ports_give(&s->ports, address, fd)
                          : ports_add(&s->ports, address, fd)) != 0)
                return -1;
        }
    }
    return 0;
}

static void inherit_worker(struct supervisor *s, struct worker_handle *handle,
                           const json_t *item)
{
    json_int_t pid = 0;
    int is_current = 0;
    *handle = (struct worker_handle){.channel = -1, .orders = -1, .bundle = -1};
    (void)json_unpack((json_t *)(uintptr_t)item, "{s:I, s:i, s:i, s:b}",
                      "process", &pid, "channel", &handle->channel, "orders",
                      &handle->orders, "is_current", &is_current);
    handle->pid = (pid_t)pid;
    keep(handle->channel, false);
    keep(handle->orders, false);
    handle->heard_ms = control_now_ms();
    worker_handle_enter(handle, is_current ? WORKER_SERVING : WORKER_DRAINING,
                        handle->heard_ms);
    if (is_current)
        s->current = handle;
}

static void inherit_memory(struct supervisor *s, const json_t *list)
{
    size_t i;
    const json_t *item;
    if (json_array_size(list) != SERVER_MEMORY_DESCRIPTORS)
        return;
    json_array_foreach(list, i, item)
    {
        s->memory.descriptors[i] = (int)json_integer_value(item);
        keep(s->memory.descriptors[i], false);
    }
    s->memory.is_there = true;
}

/* Questions that came meanwhile wait in the sockets. */
static void inherit_keys(struct supervisor *s, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        int fd = (int)json_integer_value(item);
        keep(fd, false);
        if (s->keeper == NULL)
            close(fd);
        else
            (void)key_keeper_add(s->keeper, fd);
    }
}

void supervisor_read_legacy(struct legacy *legacy)
{
    const char *number = getenv(SUPERVISOR_LEGACY);
    *legacy = (struct legacy){.control = -1, .bundle = -1};
    if (number == NULL)
        return;
    int fd = (int)strtol(number, NULL, 10);
    if (lseek(fd, 0, SEEK_SET) == 0)
        legacy->body = json_loadfd(fd, 0, NULL);
    close(fd);
    unsetenv(SUPERVISOR_LEGACY);
    (void)json_unpack(legacy->body, "{s:i, s:i}", "control", &legacy->control,
                      "bundle", &legacy->bundle);
    if (legacy->control >= 0)
        keep(legacy->control, false);
    if (legacy->bundle >= 0)
        keep(legacy->bundle, false);
}

void supervisor_release_legacy(struct legacy *legacy)
{
    if (legacy->bundle >= 0)
        close(legacy->bundle);
    json_decref(legacy->body);
}

static void inherit_workers(struct supervisor *s, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        json_int_t slot = json_integer_value(json_object_get(item, "slot"));
        assert(slot >= 0 && slot < WORKERS_MAX &&
               s->workers[slot].state == WORKER_NONE);
        inherit_worker(s, &s->workers[slot], item);
    }
}

void supervisor_inherit(struct supervisor *s, const struct legacy *legacy)
{
    const json_t *body = legacy->body;
    if (body == NULL)
        return;
    s->started_ms =
        (uint64_t)json_integer_value(json_object_get(body, "started_ms"));
    s->generation =
        (unsigned)json_integer_value(json_object_get(body, "generation"));
    s->crash_count =
        (uint64_t)json_integer_value(json_object_get(body, "crashes"));
    s->phase = SUPERVISOR_RUNNING;
    if (inherit_ports(s, json_object_get(body, "ports")) != 0)
        server_log_write(s->log, SERVER_ERROR,
                         "no memory for the listening sockets");
    ports_settle_all(&s->ports);
    inherit_workers(s, json_object_get(body, "workers"));
    inherit_memory(s, json_object_get(body, "memory"));
    inherit_keys(s, json_object_get(body, "keys"));
    programs_inherit(&s->programs, json_object_get(body, "programs"),
                     control_now_ms());
    (void)raise(SIGCHLD); /* nobody was told of who ended meanwhile */
}
