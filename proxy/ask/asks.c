/* Questions and servers: who is asked, who waits, and what became of it. */
#include "proxy/ask/asks_internal.h"

#include <stdlib.h>
#include <string.h>

struct asks *asks_new(struct loop *loop, const struct settings *settings,
                      struct server_log *log)
{
    struct asks *asks = calloc(1, sizeof *asks);
    if (asks == NULL)
        return NULL;
    asks->loop = loop;
    asks->log = log;
    asks->server_count = settings->policy_server_count;
    asks->servers = calloc(asks->server_count + 1, sizeof *asks->servers);
    if (asks->servers == NULL) {
        free(asks);
        return NULL;
    }
    for (size_t i = 0; i < asks->server_count; i++) {
        struct ask_server *server = &asks->servers[i];
        server->asks = asks;
        server->settings = &settings->policy_servers[i];
        server->waiting_end = &server->waiting;
    }
    return asks;
}

void asks_free(struct asks *asks)
{
    if (asks == NULL)
        return;
    for (size_t i = 0; i < asks->server_count; i++)
        while (asks->servers[i].links != NULL)
            ask_link_drop(asks->servers[i].links);
    free(asks->servers);
    free(asks);
}

static struct ask_server *find_server(const struct asks *asks, struct str name)
{
    for (size_t i = 0; i < asks->server_count; i++)
        if (str_equals(asks->servers[i].settings->name, name))
            return &asks->servers[i];
    return NULL;
}

bool asks_continue(const struct asks *asks, struct str server)
{
    const struct ask_server *found = find_server(asks, server);
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
    struct ask_server *server = find_server(asks, name);
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
