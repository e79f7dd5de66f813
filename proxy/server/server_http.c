/* The server as HTTP has it: whether it lives, and whether it takes mail. */
#include "proxy/server/server_internal.h"

#include "proxy/command/subcommands.h"
#include "proxy/http/http_server.h"

/* A loop that was asked so long ago and has not turned since does not. */
#define TURN_MS 5000

static bool is_alive(void *owner)
{
    struct server *server = owner;
    uint64_t now_ms = control_now_ms();
    bool is_turning = true;
    for (size_t i = 0; i < server->started; i++)
        if (!worker_is_turning(server->workers[i], now_ms, TURN_MS))
            is_turning = false;
    return is_turning;
}

static const char *why_not_ready(void *owner)
{
    struct server *server = owner;
    if (atomic_load(&server->is_leaving))
        return "draining: no new mail is taken here";
    /* Whoever asks the next time asks the process that follows. */
    if (!atomic_load(&server->is_listening) &&
        !atomic_load(&server->is_followed))
        return "the listeners are not open";
    return NULL;
}

int server_open_http(struct server *server, struct ports *ports,
                     struct diags *diags)
{
    const struct settings *settings = server->shared.settings;
    const struct http_means means = {
        .settings = settings,
        .controlled = &server->controlled,
        .log = server->opened.log,
        .is_alive = is_alive,
        .why_not_ready = why_not_ready,
        .owner = server,
    };
    int socket = -1;
    if (settings->http.address.text.n == 0 || server->http != NULL ||
        ports_take(ports, settings->http.address.text, 0, 1, &socket, 1) != 1)
        return EXIT_FINE;
    server->http = http_server_new(&means, socket);
    if (server->http == NULL)
        return server_fail(server, diags,
                           "there is no memory or thread for HTTP");
    server_log_write(
        server->opened.log, SERVER_INFO, "listening on %.*s (http%s)",
        (int)settings->http.address.text.n, settings->http.address.text.p,
        settings->http.dashboard ? ", dashboard" : "");
    return EXIT_FINE;
}

void server_close_http(struct server *server)
{
    http_server_free(server->http);
    server->http = NULL;
}
