#include "tests/bench/load/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "tests/bench/load/fatal.h"

#define MOST_AT_ONCE ((size_t)1 << 30)

static int failure(struct wire *wire, const char *trouble)
{
    wire->trouble = trouble == NULL ? "unknown" : trouble;
    return WIRE_FAILED;
}

static ssize_t plain_result(struct wire *wire, ssize_t result)
{
    if (result >= 0)
        return result;
    if (errno == EAGAIN || errno == EINTR)
        return WIRE_AGAIN;
    return failure(wire, strerrordesc_np(errno));
}

static int tls_failure(struct wire *wire, int error)
{
    uint32_t reason = ERR_peek_error();
    ERR_clear_error();
    if (reason != 0)
        return failure(wire, ERR_reason_error_string(reason));
    return failure(wire, error == 0 ? "closed without a word"
                                    : strerrordesc_np(error));
}

static ssize_t tls_result(struct wire *wire, int result)
{
    if (result > 0)
        return result;
    int error = errno;
    switch (SSL_get_error(wire->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return WIRE_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        wire->wants_to_write = true;
        return WIRE_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return tls_failure(wire, error);
    }
}

static int at_once(size_t size)
{
    return (int)(size < MOST_AT_ONCE ? size : MOST_AT_ONCE);
}

ssize_t wire_read(struct wire *wire, void *to, size_t room)
{
    if (wire->tls == NULL)
        return plain_result(wire, recv(wire->fd, to, room, 0));
    errno = 0;
    return tls_result(wire, SSL_read(wire->tls, to, at_once(room)));
}

ssize_t wire_write(struct wire *wire, const void *from, size_t size)
{
    if (wire->tls == NULL)
        return plain_result(wire, send(wire->fd, from, size, MSG_NOSIGNAL));
    errno = 0;
    ssize_t n = tls_result(wire, SSL_write(wire->tls, from, at_once(size)));
    return n == 0 ? failure(wire, "closed") : n;
}

void wire_secure(struct wire *wire, SSL_CTX *context)
{
    wire->tls = SSL_new(context);
    if (wire->tls == NULL || SSL_set_fd(wire->tls, wire->fd) != 1)
        fatal("out of memory");
    /* What only a handshake needs is not kept for an idle session. */
    SSL_set_shed_handshake_config(wire->tls, 1);
}

int wire_handshake(struct wire *wire)
{
    wire->wants_to_write = false;
    errno = 0;
    int result = (int)tls_result(wire, SSL_do_handshake(wire->tls));
    return result == 0 ? failure(wire, "closed") : result;
}

void wire_watch(struct wire *wire, int epoll, uint32_t events, void *watched)
{
    if (wire->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = watched};
    int how = wire->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(epoll, how, wire->fd, &event) != 0)
        fatal("epoll_ctl: %s", strerrordesc_np(errno));
    wire->events = events;
}

static void set_tcp(const struct wire *wire, int option)
{
    const int on = 1;
    setsockopt(wire->fd, IPPROTO_TCP, option, &on, sizeof on);
}

void wire_set_no_delay(const struct wire *wire)
{
    set_tcp(wire, TCP_NODELAY);
}

void wire_acknowledge(const struct wire *wire)
{
    set_tcp(wire, TCP_QUICKACK);
}

void wire_close(struct wire *wire)
{
    if (wire->tls != NULL) {
        if (!SSL_in_init(wire->tls))
            SSL_shutdown(wire->tls);
        SSL_free(wire->tls);
        ERR_clear_error();
    }
    if (wire->fd >= 0)
        close(wire->fd);
    *wire = (struct wire){.fd = -1};
}
