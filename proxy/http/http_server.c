/* libmicrohttpd on one thread that polls. A job that may take its time has its
 * connection suspended until http_work is through with it. */
#include "proxy/http/http_server.h"

#include "proxy/http/http_admission.h"
#include "proxy/http/http_seats.h"
#include "proxy/http/http_work.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A request's line and fields, and what is sent of a file at a time. */
#define CONNECTION_OCTETS (32 * 1024)
/* Without an octet in either direction. */
#define SILENCE_S 10
/* In all: from the connection to the end of a request; and for an answer, by
 * its octets: who takes a small one slowly would keep a seat as long as who
 * takes a large one. */
#define REQUEST_MS 20000
#define ANSWER_MS 20000
#define ANSWER_OCTETS_MS 32
#define ANSWER_MAX_MS (10 * 60 * 1000)
/* For answers that are under way when it ends. */
#define ENDING_MS 2000
#define TICK_MS 10

struct http_server {
    struct http_means means;
    struct http_work *work;
    struct MHD_Daemon *daemon;
    bool has_left;
    atomic_int exchanges; /* requests whose answer is not through yet */
    struct http_seats seats;
};

/* The context of a request. A name may hold %XX, but no NUL. */
struct exchange {
    struct http_server *server;
    struct http_job job;
    bool is_too_long;
    bool has_nul;
};

/* --- connections --- */

static void on_connection(void *owner, struct MHD_Connection *connection,
                          void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = owner;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        http_seats_give(&server->seats, *context);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        *context = http_seats_take(&server->seats, info->connect_fd,
                                   control_now_ms() + REQUEST_MS);
}

static void allow_time(struct http_server *server,
                       struct MHD_Connection *connection, uint64_t until_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL)
        http_seats_allow(&server->seats, info->socket_context, until_ms);
}

static void on_tick(void *owner)
{
    struct http_server *server = owner;
    http_seats_end_late(&server->seats, control_now_ms());
}

/* --- answers --- */

static void add_fields(struct MHD_Response *response,
                       const struct http_job *job)
{
    static const char *const fields[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
         "'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
        /* A browser that keeps its connections would keep others out. */
        {"Connection", "close"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        (void)MHD_add_response_header(response, fields[i][0], fields[i][1]);
    (void)MHD_add_response_header(response, "Content-Type", job->type);
    if (job->allow != NULL)
        (void)MHD_add_response_header(response, "Allow", job->allow);
    if (job->download[0] != '\0') {
        char value[HTTP_REST_MAX + 64];
        snprintf(value, sizeof value, "attachment; filename=\"%s\"",
                 job->download);
        (void)MHD_add_response_header(response, "Content-Disposition", value);
    }
}

/* What the job has is the response's from here on. */
static struct MHD_Response *response_of(struct http_job *job)
{
    struct MHD_Response *response;
    if (job->fd >= 0) {
        response = MHD_create_response_from_fd64(job->octets, job->fd);
        if (response != NULL)
            job->fd = -1;
        return response;
    }
    if (job->text == NULL)
        return MHD_create_response_from_buffer(
            job->octets, (void *)(uintptr_t)job->page, MHD_RESPMEM_PERSISTENT);
    response = MHD_create_response_from_buffer(job->octets, job->text,
                                               MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        job->text = NULL;
    return response;
}

static uint64_t answer_ms(size_t octets)
{
    uint64_t ms = ANSWER_MS + octets / ANSWER_OCTETS_MS;
    return ms < ANSWER_MAX_MS ? ms : ANSWER_MAX_MS;
}

static enum MHD_Result answer(struct exchange *exchange,
                              struct MHD_Connection *connection)
{
    struct http_server *server = exchange->server;
    struct http_job *job = &exchange->job;
    struct MHD_Response *response = response_of(job);
    if (response == NULL)
        return MHD_NO; /* ends the connection */
    add_fields(response, job);
    allow_time(server, connection, control_now_ms() + answer_ms(job->octets));
    enum MHD_Result result =
        MHD_queue_response(connection, job->status, response);
    MHD_destroy_response(response);
    return result;
}

/* --- requests --- */

static enum MHD_Result add_argument(void *owner, enum MHD_ValueKind kind,
                                    const char *name, const char *value)
{
    struct http_job *job = owner;
    (void)kind;
    if (job->argument_count == HTTP_ARGUMENTS_MAX)
        return MHD_NO;
    struct http_argument *argument = &job->arguments[job->argument_count];
    argument->name = strdup(name);
    argument->value = strdup(value == NULL ? "" : value);
    if (argument->name == NULL || argument->value == NULL) {
        free(argument->name);
        free(argument->value);
        return MHD_NO;
    }
    job->argument_count++;
    return MHD_YES;
}

static enum MHD_Result begin(struct exchange *exchange,
                             struct MHD_Connection *connection, const char *url,
                             const char *method)
{
    struct http_server *server = exchange->server;
    struct http_job *job = &exchange->job;
    allow_time(server, connection, HTTP_NO_LIMIT);
    const struct http_request request = {
        .method = method,
        .path = url,
        .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                            MHD_HTTP_HEADER_HOST),
        .is_too_long = exchange->is_too_long,
        .has_nul = exchange->has_nul,
    };
    if (!http_admit(job, &request))
        return answer(exchange, connection);
    if (MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, NULL,
                                  NULL) > HTTP_ARGUMENTS_MAX) {
        http_refuse(job, 400, "there are too many parameters");
        return answer(exchange, connection);
    }
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
                                    add_argument, job);
    if (job->route->is_quick) {
        (void)job->route->run(job);
        return answer(exchange, connection);
    }
    job->until_ms = control_now_ms() + HTTP_WAIT_MS;
    job->connection = connection;
    MHD_suspend_connection(connection);
    if (http_work_add(server->work, job) != 0) {
        http_refuse(job, 503, "too many requests at a time");
        MHD_resume_connection(connection);
    }
    return MHD_YES;
}

/* What stands for a target until there is an exchange: the library forgets what
 * a request that it refuses by itself had. */
static const char plain_target, long_target, hidden_target;

static struct exchange *new_exchange(struct http_server *server,
                                     const void *target)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    atomic_fetch_add(&server->exchanges, 1);
    exchange->server = server;
    exchange->is_too_long = target == &long_target;
    exchange->has_nul = target == &hidden_target;
    exchange->job.means = &server->means;
    exchange->job.fd = -1;
    return exchange;
}

static bool is_target(const void *context)
{
    return context == &plain_target || context == &long_target ||
           context == &hidden_target;
}

static enum MHD_Result on_request(void *owner,
                                  struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *octets,
                                  size_t *count, void **context)
{
    (void)version;
    (void)octets;
    (void)count;
    if (is_target(*context)) {
        struct exchange *exchange = new_exchange(owner, *context);
        *context = exchange;
        return exchange == NULL ? MHD_NO
                                : begin(exchange, connection, url, method);
    }
    struct exchange *exchange = *context;
    if (exchange == NULL || exchange->job.status == 0)
        return MHD_NO;
    return answer(exchange, connection);
}

static void *on_target(void *owner, const char *target,
                       struct MHD_Connection *connection)
{
    const char *kind = &plain_target;
    (void)owner;
    (void)connection;
    if (strlen(target) > HTTP_TARGET_MAX)
        kind = &long_target;
    else if (strstr(target, "%00") != NULL)
        kind = &hidden_target;
    return (void *)(uintptr_t)kind;
}

static void on_done(struct http_job *job)
{
    MHD_resume_connection(job->connection);
}

static void on_completed(void *owner, struct MHD_Connection *connection,
                         void **context, enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;
    (void)owner;
    (void)connection;
    (void)code;
    if (exchange == NULL || is_target(exchange))
        return;
    for (size_t i = 0; i < exchange->job.argument_count; i++) {
        free(exchange->job.arguments[i].name);
        free(exchange->job.arguments[i].value);
    }
    free(exchange->job.text);
    if (exchange->job.fd >= 0)
        close(exchange->job.fd);
    atomic_fetch_sub(&exchange->server->exchanges, 1);
    free(exchange);
    *context = NULL;
}

/* --- the server --- */

/* What the library has to say is about peers that go. */
static void on_words(void *owner, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_words(void *owner, const char *format, va_list args)
{
    struct http_server *server = owner;
    char text[512];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length > 0)
        server_log_write(server->means.log, SERVER_DEBUG, "http: %.*s",
                         (int)strcspn(text, "\n"), text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int socket)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_words,
        server, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_OCTETS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http_server *http_server_new(const struct http_means *means, int socket)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        close(socket);
        return NULL;
    }
    server->means = *means;
    atomic_init(&server->exchanges, 0);
    http_seats_init(&server->seats);
    server->work = http_work_new(on_done, on_tick, server);
    if (server->work != NULL)
        server->daemon = start_daemon(server, socket);
    if (server->daemon != NULL)
        return server;
    close(socket);
    http_server_free(server);
    return NULL;
}

void http_server_leave(struct http_server *server)
{
    if (server == NULL || server->has_left)
        return;
    server->has_left = true;
    int socket = MHD_quiesce_daemon(server->daemon);
    if (socket >= 0)
        close(socket);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    /* No connection may be suspended when the daemon stops. */
    if (server->work != NULL)
        http_work_end(server->work);
    for (int i = 0; i < ENDING_MS / TICK_MS && server->daemon != NULL &&
                    atomic_load(&server->exchanges) > 0;
         i++)
        (void)poll(NULL, 0, TICK_MS);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    http_work_free(server->work);
    http_seats_release(&server->seats);
    free(server);
}
