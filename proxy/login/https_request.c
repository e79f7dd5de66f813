#include "proxy/login/https_request.h"

#include "proxy/login/http_answer.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 20000 /* a connection that nobody needs is closed then */
#define ERROR_ROOM 300

struct connection {
    struct https_client *client;
    struct stream *stream;
    struct https_request *request; /* NULL while idle */
    bool is_used;                  /* it carried a question before */
};

struct https_client {
    struct loop *loop;
    const struct https_server *server;
    struct connection *idle; /* NULL: none */
    struct timer *idle_end;
};

struct https_request {
    struct https_client *client;
    struct connection *connection;
    struct http_answer *answer;
    struct timer *deadline;
    https_then *then;
    void *owner;
    size_t length;
    char octets[]; /* head and form: secrets */
};

/* What is left of a TLS connection that failed is no use to anybody. */
static void drop(struct connection *connection, bool is_in_order)
{
    struct https_client *client = connection->client;
    if (client->idle == connection) {
        client->idle = NULL;
        timer_stop(client->idle_end);
    }
    if (connection->request != NULL)
        connection->request->connection = NULL;
    if (is_in_order)
        stream_close(connection->stream);
    else
        stream_abort(connection->stream);
    free(connection);
}

static void free_request(struct https_request *request)
{
    timer_free(request->deadline);
    http_answer_free(request->answer);
    explicit_bzero(request->octets, request->length);
    free(request);
}

/* Octets behind an answer would be taken for that of the next question. */
static void leave(struct https_request *request)
{
    struct connection *connection = request->connection;
    struct https_client *client = request->client;
    bool is_kept = client->idle == NULL &&
                   http_answer_keeps_connection(request->answer) &&
                   stream_input(connection->stream).n == 0;
    if (!is_kept) {
        drop(connection, true);
        return;
    }
    request->connection = NULL;
    connection->request = NULL;
    connection->is_used = true;
    client->idle = connection;
    timer_start(client->idle_end, IDLE_MS);
}

static void answer(struct https_request *request)
{
    leave(request);
    request->then(request->owner, http_answer_status(request->answer),
                  http_answer_body(request->answer), NULL);
    free_request(request);
}

static void fail(struct https_request *request, const char *error)
{
    char words[ERROR_ROOM];
    snprintf(words, sizeof words, "%s", error);
    if (request->connection != NULL)
        drop(request->connection, false);
    request->then(request->owner, 0, STR(""), words);
    free_request(request);
}

static void on_deadline(void *owner)
{
    struct https_request *request = owner;
    bool is_asked = request->connection != NULL &&
                    stream_is_secure(request->connection->stream);
    fail(request, is_asked ? "it did not answer in time"
                           : "no connection to it was made in time");
}

static int send_request(struct connection *connection)
{
    const struct https_request *request = connection->request;
    return stream_write(connection->stream,
                        str_span(request->octets, request->length));
}

/* Connected; or, the second time, secured. */
static void on_ready(void *owner)
{
    struct connection *connection = owner;
    const struct https_server *server = connection->client->server;
    int result =
        stream_is_secure(connection->stream)
            ? send_request(connection)
            : stream_secure(connection->stream, server->tls, server->host);
    if (result != 0)
        fail(connection->request,
             "it closed the connection, or spoke, before TLS");
}

static void on_bytes(void *owner)
{
    struct connection *connection = owner;
    struct https_request *request = connection->request;
    struct str input = stream_input(connection->stream);
    /* Nothing is said in clear text, and nothing without a question. */
    if (request == NULL) {
        drop(connection, false);
        return;
    }
    if (!stream_is_secure(connection->stream)) {
        fail(request, "it spoke before TLS");
        return;
    }
    enum http_next next = http_answer_feed(request->answer, input);
    stream_consume(connection->stream, input.n);
    if (next == HTTP_WHOLE)
        answer(request);
    else if (next == HTTP_BROKEN)
        fail(request, http_answer_error(request->answer));
}

static int connect_anew(struct https_request *request);

static void on_ended(void *owner, enum stream_end end)
{
    struct connection *connection = owner;
    struct https_request *request = connection->request;
    if (request == NULL) {
        drop(connection, true);
        return;
    }
    if (connection->is_used && !http_answer_has_begun(request->answer)) {
        drop(connection, false);
        if (connect_anew(request) != 0)
            fail(request, "out of memory");
        return;
    }
    /* Without a close_notify a body without a length may have been cut. */
    if (end != STREAM_END_EOF)
        fail(request, stream_error(connection->stream));
    else if (http_answer_end(request->answer) == HTTP_WHOLE)
        answer(request);
    else
        fail(request, http_answer_error(request->answer));
}

static const struct stream_events EVENTS = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_ended = on_ended,
};

/* The request's own deadline comes first, and says what was waited for. */
static int connect_anew(struct https_request *request)
{
    struct https_client *client = request->client;
    const struct https_server *server = client->server;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return -1;
    connection->client = client;
    connection->request = request;
    connection->stream =
        stream_connect(client->loop, str_from(server->host), server->port,
                       server->timeout_ms + 1000, &EVENTS, connection);
    if (connection->stream == NULL) {
        free(connection);
        return -1;
    }
    request->connection = connection;
    return 0;
}

static int connect_or_reuse(struct https_request *request)
{
    struct https_client *client = request->client;
    struct connection *idle = client->idle;
    if (idle == NULL)
        return connect_anew(request);
    client->idle = NULL;
    timer_stop(client->idle_end);
    idle->request = request;
    request->connection = idle;
    if (send_request(idle) == 0)
        return 0;
    drop(idle, false);
    return connect_anew(request);
}

#define HEAD_FORMAT                                                            \
    "POST %.*s HTTP/1.1\r\n"                                                   \
    "Host: %.*s\r\n"                                                           \
    "Authorization: %.*s\r\n"                                                  \
    "Accept: application/json\r\n"                                             \
    "Content-Type: application/x-www-form-urlencoded\r\n"                      \
    "Content-Length: %zu\r\n\r\n"
#define HEAD_ROOM (sizeof HEAD_FORMAT + 20)

static struct https_request *make_request(struct https_client *client,
                                          struct str authorization,
                                          struct str form)
{
    const struct https_server *server = client->server;
    size_t room = HEAD_ROOM + server->target.n + server->authority.n +
                  authorization.n + form.n;
    struct https_request *request = calloc(1, sizeof *request + room);
    if (request == NULL)
        return NULL;
    int head = snprintf(request->octets, room, HEAD_FORMAT,
                        (int)server->target.n, server->target.p,
                        (int)server->authority.n, server->authority.p,
                        (int)authorization.n, authorization.p, form.n);
    memcpy(request->octets + head, form.p, form.n);
    request->length = (size_t)head + form.n;
    request->client = client;
    return request;
}

struct https_request *https_post(struct https_client *client,
                                 struct str authorization, struct str form,
                                 https_then *then, void *owner)
{
    struct https_request *request = make_request(client, authorization, form);
    if (request == NULL)
        return NULL;
    request->then = then;
    request->owner = owner;
    request->answer = http_answer_new();
    request->deadline = timer_new(client->loop, on_deadline, request);
    if (request->answer == NULL || request->deadline == NULL ||
        connect_or_reuse(request) != 0) {
        free_request(request);
        return NULL;
    }
    timer_start(request->deadline, client->server->timeout_ms);
    return request;
}

void https_cancel(struct https_request *request)
{
    if (request->connection != NULL)
        drop(request->connection, false);
    free_request(request);
}

static void on_idle_end(void *owner)
{
    struct https_client *client = owner;
    if (client->idle != NULL)
        drop(client->idle, true);
}

struct https_client *https_client_new(struct loop *loop,
                                      const struct https_server *server)
{
    struct https_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->loop = loop;
    client->server = server;
    client->idle_end = timer_new(loop, on_idle_end, client);
    if (client->idle_end != NULL)
        return client;
    free(client);
    return NULL;
}

void https_client_free(struct https_client *client)
{
    if (client == NULL)
        return;
    if (client->idle != NULL)
        drop(client->idle, false);
    timer_free(client->idle_end);
    free(client);
}
