#include "proxy/control/control_client.h"

#include "config/control_path.h"
#include "proxy/control/control_socket.h"
#include "proxy/control/diagnostics.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A reload may have to read a large list and a day's log. */
#define PATIENCE_MS (30 * 60 * 1000)
#define REPLY_MAX (64 * 1024 * 1024)
#define PATH_ARENA_MAX 65536

static bool send_all(int fd, const char *octets, size_t count)
{
    while (count > 0) {
        ssize_t sent = send(fd, octets, count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR)
            return false;
        if (sent > 0) {
            octets += sent;
            count -= (size_t)sent;
        }
    }
    return true;
}

static bool send_request(int fd, const json_t *request)
{
    char *text = json_dumps(request, JSON_COMPACT);
    bool sent = text != NULL && send_all(fd, text, strlen(text)) &&
                send_all(fd, "\n", 1);
    free(text);
    return sent;
}

static ssize_t receive(int fd, char *to, size_t room, int patience_ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    if (poll(&watched, 1, patience_ms) <= 0)
        return -1;
    return recv(fd, to, room, 0);
}

/* One line; NULL when the server went away in it. */
static json_t *read_reply(int fd, int patience_ms)
{
    char *text = NULL;
    size_t length = 0, room = 0;
    json_t *reply = NULL;
    while (length < REPLY_MAX) {
        if (length == room) {
            char *grown = realloc(text, room = room == 0 ? 65536 : 2 * room);
            if (grown == NULL)
                break;
            text = grown;
        }
        ssize_t got = receive(fd, text + length, room - length, patience_ms);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
        if (text[length - 1] == '\n') {
            reply = json_loadb(text, length, 0, NULL);
            break;
        }
    }
    free(text);
    return reply;
}

json_t *control_exchange(int connection, const json_t *request)
{
    return send_request(connection, request)
               ? read_reply(connection, PATIENCE_MS)
               : NULL;
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

json_t *control_try(const char *path, const json_t *request, int patience_ms,
                    char *error, size_t room)
{
    int fd = control_socket_connect(path, error, room);
    if (fd < 0)
        return NULL;
    json_t *reply =
        send_request(fd, request) ? read_reply(fd, patience_ms) : NULL;
    close(fd);
    if (json_is_true(json_object_get(reply, "ok")))
        return reply;
    snprintf(error, room, "%s",
             reply == NULL ? "it gave no answer" : text_at(reply, "error"));
    json_decref(reply);
    return NULL;
}

static enum control_end talk(const char *command, const char *path,
                             const json_t *request, json_t **reply)
{
    char error[512];
    int fd = control_socket_connect(path, error, sizeof error);
    if (fd < 0) {
        fprintf(stderr,
                "postern %s: no server answers on its control socket: %s\n"
                "Is it running, and with this configuration? `control` names "
                "the socket.\n",
                command, error);
        return CONTROL_UNREACHED;
    }
    *reply = control_exchange(fd, request);
    close(fd);
    if (*reply == NULL) {
        fprintf(stderr,
                "postern %s: the server behind %s gave no answer: see its "
                "log\n",
                command, path);
        return CONTROL_UNREACHED;
    }
    diagnostics_print(*reply, stderr);
    if (json_is_true(json_object_get(*reply, "ok")))
        return CONTROL_ANSWERED;
    fprintf(stderr, "postern %s: %s\n", command, text_at(*reply, "error"));
    return CONTROL_REFUSED;
}

enum control_end control_ask(const char *command, const char *config,
                             json_t *request, json_t **reply)
{
    struct arena arena;
    struct diags diags;
    enum control_end end = CONTROL_UNREADABLE;
    *reply = NULL;
    arena_init(&arena, PATH_ARENA_MAX);
    diags_init(&diags);
    const char *path = config_control_path(config, &arena, &diags);
    diags_print(&diags, stderr);
    if (path != NULL)
        end = talk(command, path, request, reply);
    diags_release(&diags);
    arena_release(&arena);
    json_decref(request);
    return end;
}
