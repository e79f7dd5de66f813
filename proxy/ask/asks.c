/* Questions and servers: who is asked, who waits, and what became of it. */
#include "proxy/ask/asks_internal.h"

#include <stdlib.h>
#include <string.h>

#define SETTINGS_ARENA_MAX (16 * 1024)

/* Snapshots of the settings come and go. NULL when out of memory. */
static const struct policy_server_settings *
copy_settings(struct arena *arena, const struct policy_server_settings *from)
{
    struct policy_server_settings *copy = arena_alloc(arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = *from;
    copy->name = arena_str(arena, from->name);
    copy->address.text = arena_str(arena, from->address.text);
    copy->address.host = arena_str(arena, from->address.host);
    copy->mark.file = copy->address.mark.file = NULL;
    if (from->socket != NULL)
        copy->socket = arena_cstr(arena, str_from(from->socket));
    bool is_whole = copy->name.p != NULL && copy->address.text.p != NULL &&
                    copy->address.host.p != NULL &&
                    (copy->socket == NULL) == (from->socket == NULL);
    return is_whole ? copy : NULL;
}

static bool is_same(const struct policy_server_settings *a,
                    const struct policy_server_settings *b)
{
    bool is_same_socket = a->socket == NULL || b->socket == NULL
                              ? a->socket == b->socket
                              : strcmp(a->socket, b->socket) == 0;
    return str_equals(a->name, b->name) && is_same_socket &&
           str_equals(a->address.host, b->address.host) &&
           a->address.port == b->address.port &&
           a->timeout_ms == b->timeout_ms && a->continues == b->continues;
}

static int add_server(struct asks *asks,
                      const struct policy_server_settings *settings)
{
    struct ask_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return -1;
    arena_init(&server->arena, SETTINGS_ARENA_MAX);
    server->settings = copy_settings(&server->arena, settings);
    if (server->settings == NULL) {
        arena_release(&server->arena);
        free(server);
        return -1;
    }
    server->asks = asks;
    server->waiting_end = &server->waiting;
    server->next = asks->servers;
    asks->servers = server;
    return 0;
}

static const struct policy_server_settings *
find_same(const struct settings *settings, const struct ask_server *server)
{
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (is_same(&settings->policy_servers[i], server->settings))
            return &settings->policy_servers[i];
    return NULL;
}

static void drop_idle_links(struct ask_server *server)
{
    struct ask_link *next;
    for (struct ask_link *link = server->links; link != NULL; link = next) {
        next = link->next;
        if (link->state == ASK_LINK_IDLE)
            ask_link_drop(link);
    }
}

/* Mail that began before may still ask them: they are freed by the next call,
 * or by a later one if questions are with them then. */
static void retire_servers(struct asks *asks, const struct settings *settings)
{
    struct ask_server **at = &asks->servers;
    while (*at != NULL) {
        struct ask_server *server = *at;
        bool was_retired = server->is_retired;
        server->is_retired |= find_same(settings, server) == NULL;
        if (server->is_retired)
            drop_idle_links(server);
        if (!was_retired || server->links != NULL || server->waiting != NULL) {
            at = &server->next;
            continue;
        }
        *at = server->next;
        arena_release(&server->arena);
        free(server);
    }
}

static struct ask_server *find_server(const struct asks *asks, struct str name)
{
    struct ask_server *server = asks->servers;
    while (server != NULL &&
           (server->is_retired || !str_equals(server->settings->name, name)))
        server = server->next;
    return server;
}

/* Mail that began before a reload took a server away may still ask it. */
static struct ask_server *find_to_ask(const struct asks *asks, struct str name)
{
    struct ask_server *server = find_server(asks, name);
    if (server != NULL)
        return server;
    server = asks->servers;
    while (server != NULL && !str_equals(server->settings->name, name))
        server = server->next;
    return server;
}

int asks_renew(struct asks *asks, const struct settings *settings)
{
    int result = 0;
    retire_servers(asks, settings);
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (find_server(asks, settings->policy_servers[i].name) == NULL &&
            add_server(asks, &settings->policy_servers[i]) != 0)
            result = -1;
    return result;
}

struct asks *asks_new(struct loop *loop, const struct settings *settings,
                      struct server_log *log)
{
    struct asks *asks = calloc(1, sizeof *asks);
    if (asks == NULL)
        return NULL;
    asks->loop = loop;
    asks->log = log;
    if (asks_renew(asks, settings) == 0)
        return asks;
    asks_free(asks);
    return NULL;
}

void asks_free(struct asks *asks)
{
    if (asks == NULL)
        return;
    while (asks->servers != NULL) {
        struct ask_server *server = asks->servers;
        while (server->links != NULL)
            ask_link_drop(server->links);
        asks->servers = server->next;
        arena_release(&server->arena);
        free(server);
    }
    free(asks);
}

bool asks_continue(const struct asks *asks, struct str server)
{
    const struct ask_server *found = find_to_ask(asks, server);
    return found != NULL && found->settings->continues;
}

static void queue(struct ask *ask)
{
    struct ask_server *server = ask->server;
    ask->next = NULL;
    *server->waiting_end = ask;
    server->waiting_end = &ask->next;
}

static void unqueue(struct ask *ask)
{
    struct ask_server *server = ask->server;
    struct ask **at = &server->waiting;
    while (*at != NULL && *at != ask)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = ask->next;
    if (*at == NULL)
        server->waiting_end = at;
}

void ask_server_serve(struct ask_server *server)
{
    while (server->waiting != NULL) {
        struct ask *ask = server->waiting;
        if (ask_link_take(ask) == NULL)
            return; /* its deadline is set */
        unqueue(ask);
    }
}

static void free_ask(struct ask *ask)
{
    timer_free(ask->deadline);
    free(ask->request);
    free(ask);
}

void ask_answer(struct ask *ask, struct str action)
{
    struct ask_server *server = ask->server;
    struct str name = server->settings->name;
    if (server->is_failing)
        server_log_write(server->asks->log, SERVER_INFO,
                         "policy server %.*s answers again", (int)name.n,
                         name.p);
    server->is_failing = false;
    ask_done *done = ask->done;
    void *owner = ask->owner;
    free_ask(ask);
    done(owner, action, NULL);
}

void ask_fail(struct ask *ask, const char *fault)
{
    struct ask_server *server = ask->server;
    const struct policy_server_settings *settings = server->settings;
    struct str name = settings->name, address = settings->address.text;
    if (settings->socket != NULL)
        address = str_from(settings->socket);
    if (!server->is_failing)
        server_log_write(
            server->asks->log, SERVER_WARNING,
            "policy server %.*s (%.*s) fails: %s; until it answers again, "
            "%s",
            (int)name.n, name.p, (int)address.n, address.p, fault,
            settings->continues ? "mail passes without it (on_failure: "
                                  "continue)"
                                : "what asks it is deferred (on_failure: "
                                  "defer)");
    server->is_failing = true;
    ask_done *done = ask->done;
    void *owner = ask->owner;
    free_ask(ask);
    done(owner, (struct str){NULL, 0}, fault);
}

void ask_again(struct ask *ask)
{
    if (ask_link_new(ask) == NULL)
        ask_fail(ask, "out of memory");
}

static void on_deadline(void *owner)
{
    struct ask *ask = owner;
    struct ask_server *server = ask->server;
    bool is_connecting =
        ask->link != NULL && ask->link->state == ASK_LINK_CONNECTING;
    const char *fault = "it did not answer in time";
    if (ask->link == NULL)
        fault = "no connection to it became free in time";
    else if (is_connecting)
        fault = "it could not be connected to in time";
    unqueue(ask);
    if (ask->link != NULL)
        ask_link_drop(ask->link);
    ask_fail(ask, fault);
    ask_server_serve(server);
}

static struct ask *new_ask(struct ask_server *server, struct str request,
                           uint64_t max_ms)
{
    struct loop *loop = server->asks->loop;
    struct ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL)
        return NULL;
    ask->server = server;
    ask->timeout_ms = server->settings->timeout_ms;
    if (ask->timeout_ms > max_ms)
        ask->timeout_ms = max_ms;
    ask->deadline_ms = loop_now_ms(loop) + ask->timeout_ms;
    ask->deadline = timer_new(loop, on_deadline, ask);
    ask->request = malloc(request.n + 1);
    if (ask->deadline == NULL || ask->request == NULL) {
        free_ask(ask);
        return NULL;
    }
    memcpy(ask->request, request.p, request.n);
    ask->length = request.n;
    return ask;
}

struct ask *ask_start(struct asks *asks, struct str name, struct str request,
                      uint64_t max_ms, ask_done *done, void *owner)
{
    struct ask_server *server = find_to_ask(asks, name);
    struct ask *ask = server == NULL ? NULL : new_ask(server, request, max_ms);
    if (ask == NULL)
        return NULL;
    ask->done = done;
    ask->owner = owner;
    bool is_turn = server->waiting == NULL;
    if (!is_turn || ask_link_take(ask) == NULL) {
        if (is_turn && server->link_count < ASK_LINKS_MAX) {
            free_ask(ask);
            return NULL;
        }
        queue(ask);
    }
    timer_start(ask->deadline, ask->timeout_ms);
    return ask;
}

void ask_cancel(struct ask *ask)
{
    struct ask_server *server = ask->server;
    unqueue(ask);
    if (ask->link != NULL)
        ask_link_drop(ask->link);
    free_ask(ask);
    ask_server_serve(server);
}
