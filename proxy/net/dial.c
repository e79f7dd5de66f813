/* Sockets of its own under uv_poll_t rather than uv_tcp_connect(), because a
 * uv_tcp_t can be connected once only and its memory stays until it closes. */
#include "proxy/net/dial.h"

#include "proxy/net/address_order.h"
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
#define HOST_MAX 255   /* RFC 1035 2.3.4 */
#define STAGGER_MS 250 /* RFC 8305 8: the Connection Attempt Delay */

/* One address being tried. */
struct attempt {
    struct dial *dial;
    uv_poll_t poll;
    int fd; /* -1: none */
};

struct dial {
    struct loop *loop;
    dial_done done;
    void *owner;
    bool is_looking_up; /* getaddrinfo() runs */
    bool is_finished;   /* done was called or is not wanted */
    uv_timer_t timer;   /* of all of it */
    uv_timer_t stagger; /* until the next address is tried */
    uv_getaddrinfo_t lookup;
    unsigned outstanding; /* callbacks of libuv that are still to come */
    uint64_t timeout_ms;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    struct attempt attempts[ADDRESSES_MAX];
    size_t count, next;
    size_t open; /* attempts under way */
    uint16_t port;
    int rank; /* of the error */
    char error[120];
};

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
    struct attempt *attempt = handle->data;
    drop_outstanding(attempt->dial);
}

/* Stops watching; the socket is free for other uses at once. */
static int take_socket(struct attempt *attempt)
{
    int fd = attempt->fd;
    uv_close((uv_handle_t *)&attempt->poll, on_poll_closed);
    attempt->fd = -1;
    attempt->dial->open--;
    return fd;
}

static void finish(struct dial *dial)
{
    for (size_t i = 0; i < dial->next; i++)
        if (dial->attempts[i].fd >= 0)
            close(take_socket(&dial->attempts[i]));
    if (dial->is_looking_up)
        uv_cancel((uv_req_t *)&dial->lookup);
    dial->is_finished = true;
    uv_close((uv_handle_t *)&dial->timer, on_timer_closed);
    uv_close((uv_handle_t *)&dial->stagger, on_timer_closed);
}

static void fail(struct dial *dial)
{
    finish(dial);
    dial->done(dial->owner, -1, dial->error);
}

static void succeed(struct attempt *attempt)
{
    struct dial *dial = attempt->dial;
    int fd = take_socket(attempt);
    finish(dial);
    dial->done(dial->owner, fd, NULL);
}

static void note_error(struct dial *dial, const char *words)
{
    snprintf(dial->error, sizeof(dial->error), "%s", words);
}

/* What a host itself said tells more than that there is no way to it, which
 * is common where one family of addresses is not in use. */
static int rank_of(int error)
{
    if (error == -ECONNREFUSED || error == -ECONNRESET)
        return 2;
    return error == -ETIMEDOUT ? 1 : 0;
}

static void note_failure(struct dial *dial, int error)
{
    if (rank_of(error) < dial->rank)
        return;
    dial->rank = rank_of(error);
    note_error(dial, uv_strerror(error));
}

static void on_timeout(uv_timer_t *handle)
{
    struct dial *dial = handle->data;
    uint64_t ms = dial->timeout_ms;
    bool is_whole = ms >= 1000 && ms % 1000 == 0;
    snprintf(dial->error, sizeof(dial->error), "timed out after %llu%s",
             (unsigned long long)(is_whole ? ms / 1000 : ms),
             is_whole ? "s" : "ms");
    fail(dial);
}

static void try_next(struct dial *dial);

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
    struct attempt *attempt = handle->data;
    int error = learn_error(attempt->fd, status);
    (void)events;
    if (error == 0) {
        succeed(attempt);
        return;
    }
    close(take_socket(attempt));
    note_failure(attempt->dial, error);
    try_next(attempt->dial);
}

/* A socket that has begun to connect, or a negative error. */
static int begin_connect(const struct sockaddr_storage *address)
{
    int fd = socket(address->ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address,
                socket_address_size(address)) == 0 ||
        errno == EINPROGRESS)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

/* 0: under way. */
static int start_attempt(struct dial *dial, size_t which)
{
    struct attempt *attempt = &dial->attempts[which];
    int fd = begin_connect(&dial->addresses[which]);
    attempt->dial = dial;
    attempt->fd = -1;
    if (fd < 0)
        return fd;
    int result = uv_poll_init(&dial->loop->uv, &attempt->poll, fd);
    if (result != 0) {
        close(fd);
        return result;
    }
    attempt->poll.data = attempt;
    attempt->fd = fd;
    dial->outstanding++;
    dial->open++;
    uv_poll_start(&attempt->poll, UV_WRITABLE, on_writable);
    return 0;
}

static void on_stagger(uv_timer_t *handle)
{
    try_next(handle->data);
}

/* Begins with the next address that can be begun with; fails when none is
 * left and none is under way. */
static void try_next(struct dial *dial)
{
    while (dial->next < dial->count) {
        int result = start_attempt(dial, dial->next++);
        if (result == 0) {
            uv_timer_start(&dial->stagger, on_stagger, STAGGER_MS, 0);
            return;
        }
        note_failure(dial, result);
    }
    if (dial->open == 0)
        fail(dial);
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
    dial->is_looking_up = false;
    if (!dial->is_finished) {
        dial->count =
            address_order(found, dial->port, dial->addresses, ADDRESSES_MAX);
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
    dial->is_looking_up = true;
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
    dial->timeout_ms = timeout_ms;
    uv_timer_init(&loop->uv, &dial->timer);
    uv_timer_init(&loop->uv, &dial->stagger);
    dial->timer.data = dial;
    dial->stagger.data = dial;
    dial->outstanding = 2;
    uv_timer_start(&dial->timer, on_timeout, timeout_ms, 0);
    return dial;
}

struct dial *dial_start(struct loop *loop, struct str host, uint16_t port,
                        uint64_t timeout_ms, dial_done done, void *owner)
{
    struct dial *dial = new_dial(loop, timeout_ms, done, owner);
    if (dial == NULL)
        return NULL;
    dial->port = port;
    if (socket_address_parse(&dial->addresses[0], host, port) == 0)
        dial->count = 1;
    if (dial->count > 0 || start_lookup(dial, host) != 0)
        uv_timer_start(&dial->stagger, on_stagger, 0, 0);
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
    uv_timer_start(&dial->stagger, on_stagger, 0, 0);
    return dial;
}

void dial_cancel(struct dial *dial)
{
    finish(dial);
}
