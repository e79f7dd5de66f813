#include "proxy/control/control_server.h"

#include "proxy/control/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Who is not served at once waits in the backlog. */
#define THREADS 8
/* An order must have come, and an answer must be gone, in this time. */
#define PATIENCE_MS 10000
#define REST_MS 100

struct control_server {
    int fd;
    char *path;       /* owned; NULL: connections are handed over */
    int stop_pipe[2]; /* the writing end is closed to stop */
    const struct control_verb *verbs;
    void *owner;
    pthread_t threads[THREADS];
    size_t thread_count;
};

/* What came from a client and is not answered yet. */
struct input {
    char octets[CONTROL_REQUEST_MAX];
    size_t length;
    uint64_t since_ms; /* the last answer, or the connection */
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

json_t *control_refusal(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *answer(const struct control_server *server, const char *line,
                      size_t length)
{
    json_error_t error;
    json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    const char *name = json_string_value(json_object_get(request, "do"));
    json_t *reply = NULL;
    const struct control_verb *verb = server->verbs;
    while (name != NULL && verb->name != NULL && strcmp(verb->name, name) != 0)
        verb++;
    if (name == NULL)
        reply = control_refusal("an order is one line of JSON, such as "
                                "{\"do\":\"status\"}");
    else if (verb->name == NULL)
        reply = control_refusal("this server does not know the order %s", name);
    else
        reply = verb->run(server->owner, request);
    json_decref(request);
    return reply;
}

/* False when the time is over or the server stops. */
static bool await(const struct control_server *server, int fd, short events,
                  int patience_ms)
{
    struct pollfd watched[] = {
        {.fd = fd, .events = events},
        {.fd = server->stop_pipe[0], .events = POLLIN},
    };
    int count = 0;
    do {
        count = poll(watched, 2, patience_ms);
    } while (count < 0 && errno == EINTR);
    return count > 0 && watched[1].revents == 0;
}

/* An answer that is ready leaves also when the server stops. */
static bool send_all(int fd, const char *octets, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, octets, count, MSG_NOSIGNAL);
        struct pollfd watched = {.fd = fd, .events = POLLOUT};
        if (sent > 0) {
            octets += sent;
            count -= (size_t)sent;
        } else if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        } else if (poll(&watched, 1, PATIENCE_MS) == 0) {
            return false;
        }
    }
    return true;
}

static bool send_reply(int fd, json_t *reply)
{
    static const char NO_MEMORY[] = "{\"ok\":false,\"error\":\"no memory\"}";
    char *text = reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);
    const char *line = text == NULL ? NO_MEMORY : text;
    bool sent = send_all(fd, line, strlen(line)) && send_all(fd, "\n", 1);
    free(text);
    json_decref(reply);
    return sent;
}

/* Answers the lines that are whole and drops them. False: the client is gone,
 * or said more than a line may hold. */
static bool serve_lines(const struct control_server *server, int fd,
                        struct input *input)
{
    char *end;
    while ((end = memchr(input->octets, '\n', input->length)) != NULL) {
        size_t length = (size_t)(end - input->octets);
        if (!send_reply(fd, answer(server, input->octets, length)))
            return false;
        input->length -= length + 1;
        memmove(input->octets, end + 1, input->length);
        input->since_ms = now_ms();
    }
    if (input->length < sizeof input->octets)
        return true;
    send_reply(fd, control_refusal("the order is too long"));
    return false;
}

/* Order after order, until the client goes or stalls. */
static void serve(const struct control_server *server, int fd)
{
    struct input *input = malloc(sizeof *input);
    if (input == NULL)
        return;
    input->length = 0;
    input->since_ms = now_ms();
    for (;;) {
        uint64_t waited_ms = now_ms() - input->since_ms;
        size_t had = input->length;
        if (waited_ms >= PATIENCE_MS ||
            !await(server, fd, POLLIN, PATIENCE_MS - (int)waited_ms))
            break;
        ssize_t got =
            recv(fd, input->octets + had, sizeof input->octets - had, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            break;
        input->length += (size_t)got;
        if (!serve_lines(server, fd, input))
            break;
    }
    free(input);
}

/* A connection that the supervisor has made, or -1 with errno set. */
static int accept_handed(const struct control_server *server)
{
    struct channel_message message;
    enum channel_next next = channel_next(server->fd, &message);
    errno = next == CHANNEL_NOTHING ? EAGAIN : EPIPE;
    if (next != CHANNEL_MESSAGE)
        return -1;
    int fd = channel_take(&message, 0);
    channel_release(&message);
    return fd;
}

static int accept_one(const struct control_server *server)
{
    return server->path == NULL
               ? accept_handed(server)
               : accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void *run(void *argument)
{
    const struct control_server *server = argument;
    while (await(server, server->fd, POLLIN, -1)) {
        int fd = accept_one(server);
        if (fd < 0) {
            if (errno == EPIPE)
                break;
            /* Another thread was quicker, or there are no descriptors. */
            if (errno != EAGAIN)
                (void)poll(NULL, 0, REST_MS);
            continue;
        }
        serve(server, fd);
        close(fd);
    }
    return NULL;
}

struct control_server *control_server_new(int fd, const char *path,
                                          const struct control_verb *verbs,
                                          void *owner)
{
    struct control_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        close(fd);
        return NULL;
    }
    *server =
        (struct control_server){.fd = fd,
                                .path = path == NULL ? NULL : strdup(path),
                                .stop_pipe = {-1, -1},
                                .verbs = verbs,
                                .owner = owner};
    if ((path == NULL) == (server->path == NULL) &&
        pipe2(server->stop_pipe, O_CLOEXEC) == 0) {
        while (server->thread_count < THREADS &&
               pthread_create(&server->threads[server->thread_count], NULL, run,
                              server) == 0)
            server->thread_count++;
    }
    if (server->thread_count > 0)
        return server;
    control_server_free(server);
    return NULL;
}

int control_server_leave(struct control_server *server)
{
    if (server == NULL)
        return -1;
    if (server->stop_pipe[1] >= 0)
        close(server->stop_pipe[1]);
    for (size_t i = 0; i < server->thread_count; i++)
        pthread_join(server->threads[i], NULL);
    if (server->stop_pipe[0] >= 0)
        close(server->stop_pipe[0]);
    int fd = server->fd;
    free(server->path);
    free(server);
    return fd;
}

void control_server_free(struct control_server *server)
{
    if (server == NULL)
        return;
    if (server->path != NULL)
        unlink(server->path);
    close(control_server_leave(server));
}
