/* Sockets of its own under uv_poll_t rather than uv_tcp_connect(), because a
 * uv_tcp_t can be connected once only and its memory stays until it closes. */
#include "proxy/net/dial.h"

#include "proxy/net/loop_internal.h"
#include "proxy/net/socket_address.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESSES_MAX 8
#define HOST_MAX 255 /* RFC 1035 2.3.4 */

enum dial_state {
    DIAL_LOOKING_UP, /* getaddrinfo() runs */
    DIAL_BETWEEN,    /* the next try starts as soon as libuv lets it */
    DIAL_TRYING,     /* a socket is connecting */
    DIAL_FINISHED    /* done was called or is not wanted */
};

struct dial {
    struct loop *loop;
    dial_done done;
    void *owner;
    enum dial_state state;
    uv_timer_t timer;
    uv_poll_t poll;
    uv_getaddrinfo_t lookup;
    unsigned outstanding; /* callbacks of libuv that are still to come */
    int fd;
    uint64_t timeout_ms, deadline_ms;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    size_t count, next;
    uint16_t port;
    char error[120];
};

static void try_next(struct dial *dial);

static void drop_outstanding(struct dial *dial)
{
    assert(dial->outstanding > 0);
    if (--dial->outstanding == 0)
        free(dial);
}

static void on_timer_closed(uv_handle_t *handle)
{
    drop_outstanding(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct dial *dial = handle->data;
    if (dial->state == DIAL_BETWEEN)
        try_next(dial);
    drop_outstanding(dial);
}

/* Stops watching; the socket is free for other uses at once. */
static int take_socket(struct dial *dial)
{
    int fd = dial->fd;
    if (fd >= 0)
        uv_close((uv_handle_t *)&dial->poll, on_poll_closed);
    dial->fd = -1;
    return fd;
}

static void finish(struct dial *dial)
{
    int fd = take_socket(dial);
    if (fd >= 0)
        close(fd);
    if (dial->state == DIAL_LOOKING_UP)
        uv_cancel((uv_req_t *)&dial->lookup);
    dial->state = DIAL_FINISHED;
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
}

static void fail(struct dial *dial)
{
    finish(dial);
    dial->done(dial->owner, -1, dial->error);
}

static void succeed(struct dial *dial)
{
    int fd = take_socket(dial);
    finish(dial);
    dial->done(dial->owner, fd, NULL);
}

static void note_error(struct dial *dial, const char *words)
{
    snprintf(dial->error, sizeof(dial->error), "%s", words);
}

static void note_timeout(struct dial *dial)
{
    uint64_t ms = dial->timeout_ms;
    bool is_whole = ms >= 1000 && ms % 1000 == 0;
    snprintf(dial->error, sizeof(dial->error), "timed out after %llu%s",
             (unsigned long long)(is_whole ? ms / 1000 : ms),
             is_whole ? "s" : "ms");
}

/* The next address is tried when libuv has let go of this one's handle. */
static void end_try(struct dial *dial)
{
    if (dial->next == dial->count) {
        fail(dial);
        return;
    }
    dial->state = DIAL_BETWEEN;
    uv_timer_stop(&dial->timer);
    close(take_socket(dial));
}

static void on_timeout(uv_timer_t *handle)
{
    struct dial *dial = handle->data;
    note_timeout(dial);
    if (dial->state == DIAL_TRYING)
        end_try(dial);
    else
        fail(dial);
}

/* libuv says EBADF of any POLLERR; only the socket knows the real error. */
static int learn_error(int fd, int status)
{
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -errno;
    return error != 0 ? -error : status;
}

static void on_writable(uv_poll_t *handle, int status, int events)
{
    struct dial *dial = handle->data;
    int error = learn_error(dial->fd, status);
    (void)events;
    if (error == 0) {
        succeed(dial);
        return;
    }
    note_error(dial, uv_strerror(error));
    end_try(dial);
}

/* 0: under way. */
static int start_try(struct dial *dial, const struct sockaddr_storage *address)
{
    int fd = socket(address->ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address,
                socket_address_size(address)) != 0 &&
        errno != EINPROGRESS)
        goto failed;
    int result = uv_poll_init(&dial->loop->uv, &dial->poll, fd);
    if (result != 0) {
        close(fd);
        return result;
    }
    dial->poll.data = dial;
    dial->outstanding++;
    dial->fd = fd;
    uv_poll_start(&dial->poll, UV_WRITABLE, on_writable);
    return 0;
failed:
    result = -errno;
    close(fd);
    return result;
}

static void try_next(struct dial *dial)
{
    while (dial->next < dial->count) {
        size_t left = dial->count - dial->next;
        uint64_t now = uv_now(&dial->loop->uv);
        if (now >= dial->deadline_ms) {
            note_timeout(dial);
            break;
        }
        int result = start_try(dial, &dial->addresses[dial->next++]);
        if (result == 0) {
            dial->state = DIAL_TRYING;
            uv_timer_start(&dial->timer, on_timeout,
                           (dial->deadline_ms - now) / left, 0);
            return;
        }
        note_error(dial, uv_strerror(result));
    }
    fail(dial);
}

static void on_known(uv_timer_t *handle)
{
    struct dial *dial = handle->data;
    try_next(dial);
}

static void take_addresses(struct dial *dial, const struct addrinfo *found)
{
    for (; found != NULL && dial->count < ADDRESSES_MAX;
         found = found->ai_next) {
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6)
            continue;
        struct sockaddr_storage *to = &dial->addresses[dial->count++];
        memcpy(to, found->ai_addr, found->ai_addrlen);
        socket_address_set_port(to, dial->port);
    }
}

static const char *lookup_words(int status)
{
    if (status == 0 || status == UV_EAI_NONAME || status == UV_EAI_NODATA)
        return "no such host";
    if (status == UV_EAI_AGAIN)
        return "the host can't be looked up now";
    return uv_strerror(status);
}

static void on_looked_up(uv_getaddrinfo_t *request, int status,
                         struct addrinfo *found)
{
    struct dial *dial = request->data;
    if (dial->state == DIAL_LOOKING_UP) {
        take_addresses(dial, found);
        dial->state = DIAL_BETWEEN;
        note_error(dial, lookup_words(status));
        try_next(dial);
    }
    uv_freeaddrinfo(found);
    drop_outstanding(dial);
}

static int start_lookup(struct dial *dial, struct str host)
{
    char name[HOST_MAX + 1];
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM};
    note_error(dial, "no such host");
    if (host.n == 0 || host.n > HOST_MAX || str_index(host, '\0') >= 0)
        return -1;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    dial->lookup.data = dial;
    if (uv_getaddrinfo(&dial->loop->uv, &dial->lookup, on_looked_up, name, NULL,
                       &hints) != 0)
        return -1;
    dial->outstanding++;
    return 0;
}

static struct dial *new_dial(struct loop *loop, uint64_t timeout_ms,
                             dial_done done, void *owner)
{
    struct dial *dial = calloc(1, sizeof(*dial));
    if (dial == NULL)
        return NULL;
    dial->loop = loop;
    dial->done = done;
    dial->owner = owner;
    dial->fd = -1;
    dial->timeout_ms = timeout_ms;
    dial->deadline_ms = uv_now(&loop->uv) + timeout_ms;
    uv_timer_init(&loop->uv, &dial->timer);
    dial->timer.data = dial;
    dial->outstanding = 1;
    return dial;
}

struct dial *dial_start(struct loop *loop, struct str host, uint16_t port,
                        uint64_t timeout_ms, dial_done done, void *owner)
{
    struct dial *dial = new_dial(loop, timeout_ms, done, owner);
    if (dial == NULL)
        return NULL;
    dial->port = port;
    bool is_numeric =
        socket_address_parse(&dial->addresses[0], host, port) == 0;
    dial->count = is_numeric ? 1 : 0;
    if (!is_numeric && start_lookup(dial, host) == 0) {
        uv_timer_start(&dial->timer, on_timeout, timeout_ms, 0);
    } else {
        dial->state = DIAL_BETWEEN;
        uv_timer_start(&dial->timer, on_known, 0, 0);
    }
    return dial;
}

struct dial *dial_start_unix(struct loop *loop, const char *path,
                             uint64_t timeout_ms, dial_done done, void *owner)
{
    struct dial *dial = new_dial(loop, timeout_ms, done, owner);
    if (dial == NULL)
        return NULL;
    dial->count = socket_address_unix(&dial->addresses[0], path) == 0 ? 1 : 0;
    note_error(dial, "the path of the socket is too long");
    dial->state = DIAL_BETWEEN;
    uv_timer_start(&dial->timer, on_known, 0, 0);
    return dial;
}

void dial_cancel(struct dial *dial)
{
    finish(dial);
}
