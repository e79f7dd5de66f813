/* An SMTP server that follows a script, on a loopback socket and a thread of
 * its own, so that the machine under test runs on a real loop. Steps:
 *   "accept"      the next connection
 *   "> text"      sends the text and CRLF
 *   ">+ text"     the same, in one segment with the step behind it
 *   "< text"      reads a line, which must begin with the text
 *   "message"     reads up to the final dot and keeps what came
 *   "read N"      reads N octets
 *   "quiet"       nothing more has come yet
 *   "cut"         closes by RST
 *   "close"       closes in order
 *   "ended"       reads until the other side ends; must bring no octet
 *   "drained"     the same, whatever comes before; no final dot in it */
#ifndef TESTS_UNIT_PROXY_UPSTREAM_SCRIPTED_PEER_H
#define TESTS_UNIT_PROXY_UPSTREAM_SCRIPTED_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_SECONDS 20
#define PEER_BUFFER (512 * 1024)

struct scripted_peer {
    const char *const *steps; /* ends with NULL */
    int listener;
    uint16_t port;
    pthread_t thread;
    int fd;
    char buffer[PEER_BUFFER]; /* read, not yet used */
    size_t length;
    char *message; /* owned: of "message", without the end */
    size_t message_length;
    char held[4096];
    size_t held_length;
    char error[1024]; /* the first thing that went wrong */
};

__attribute__((format(printf, 2, 3))) static void
peer_error(struct scripted_peer *peer, const char *format, ...)
{
    if (peer->error[0] != '\0')
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(peer->error, sizeof(peer->error), format, arguments);
    va_end(arguments);
}

static void peer_accept(struct scripted_peer *peer)
{
    struct timeval limit = {.tv_sec = PEER_SECONDS};
    if (peer->fd >= 0)
        close(peer->fd);
    peer->length = 0;
    peer->fd = accept(peer->listener, NULL, NULL);
    if (peer->fd < 0)
        peer_error(peer, "nobody connected: %d", errno);
    else
        setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* Octets read, 0 at the end, -1 on a failure. */
static ssize_t peer_fill(struct scripted_peer *peer)
{
    ssize_t n = recv(peer->fd, peer->buffer + peer->length,
                     sizeof(peer->buffer) - peer->length, 0);
    if (n > 0)
        peer->length += (size_t)n;
    return n;
}

static void peer_take(struct scripted_peer *peer, size_t n)
{
    memmove(peer->buffer, peer->buffer + n, peer->length - n);
    peer->length -= n;
}

static void peer_expect(struct scripted_peer *peer, const char *want)
{
    char *end;
    while ((end = memmem(peer->buffer, peer->length, "\r\n", 2)) == NULL)
        if (peer_fill(peer) <= 0) {
            peer_error(peer, "no line where '%s' was expected", want);
            return;
        }
    size_t n = (size_t)(end - peer->buffer);
    if (n < strlen(want) || memcmp(peer->buffer, want, strlen(want)) != 0)
        peer_error(peer, "'%.*s' where '%s' was expected", (int)n, peer->buffer,
                   want);
    peer_take(peer, n + 2);
}

static void peer_send(struct scripted_peer *peer, const char *text,
                      bool is_held)
{
    int n = snprintf(peer->held + peer->held_length,
                     sizeof(peer->held) - peer->held_length, "%s\r\n", text);
    peer->held_length += (size_t)n;
    if (is_held)
        return;
    if (send(peer->fd, peer->held, peer->held_length, MSG_NOSIGNAL) < 0)
        peer_error(peer, "could not send '%s'", text);
    peer->held_length = 0;
}

static void peer_message(struct scripted_peer *peer)
{
    size_t capacity = 1024 * 1024;
    free(peer->message);
    peer->message = malloc(capacity);
    peer->message_length = 0;
    for (;;) {
        size_t n = peer->length;
        if (peer->message_length + n > capacity) {
            capacity = 2 * capacity + n;
            peer->message = realloc(peer->message, capacity);
        }
        memcpy(peer->message + peer->message_length, peer->buffer, n);
        peer->message_length += n;
        peer->length = 0;
        if (peer->message_length >= 5 &&
            memcmp(peer->message + peer->message_length - 5, "\r\n.\r\n", 5) ==
                0)
            break;
        if (peer_fill(peer) <= 0) {
            peer_error(peer, "the message was cut");
            return;
        }
    }
    peer->message_length -= 3;
}

static void peer_ended(struct scripted_peer *peer, bool may_bring)
{
    ssize_t n;
    while ((n = peer_fill(peer)) > 0)
        if (peer->length > PEER_BUFFER / 2)
            peer_take(peer, peer->length - 16);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        peer_error(peer, "the connection stayed open");
    if (!may_bring && peer->length > 0)
        peer_error(peer, "'%.*s' where the end was expected",
                   (int)(peer->length < 200 ? peer->length : 200),
                   peer->buffer);
    if (peer->length >= 5 &&
        memcmp(peer->buffer + peer->length - 5, "\r\n.\r\n", 5) == 0)
        peer_error(peer, "a final dot came");
}

static void peer_quiet(struct scripted_peer *peer)
{
    char octet;
    if (peer->length > 0 ||
        recv(peer->fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        peer_error(peer, "more came than was due");
}

static void peer_close(struct scripted_peer *peer, bool is_reset)
{
    struct linger cut = {.l_onoff = 1};
    if (is_reset)
        setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof(cut));
    close(peer->fd);
    peer->fd = -1;
}

static void peer_step(struct scripted_peer *peer, const char *step)
{
    if (strcmp(step, "accept") == 0)
        peer_accept(peer);
    else if (step[0] == '>' && step[1] == '+')
        peer_send(peer, step + 3, true);
    else if (step[0] == '>')
        peer_send(peer, step + 2, false);
    else if (step[0] == '<')
        peer_expect(peer, step + 2);
    else if (strcmp(step, "message") == 0)
        peer_message(peer);
    else if (strcmp(step, "quiet") == 0)
        peer_quiet(peer);
    else if (strncmp(step, "read ", 5) == 0)
        while (peer->length < strtoul(step + 5, NULL, 10) &&
               peer_fill(peer) > 0)
            continue;
    else if (strcmp(step, "cut") == 0 || strcmp(step, "close") == 0)
        peer_close(peer, step[1] == 'u');
    else if (strcmp(step, "ended") == 0 || strcmp(step, "drained") == 0)
        peer_ended(peer, step[0] == 'd');
    else
        peer_error(peer, "unknown step '%s'", step);
}

static void *peer_run(void *argument)
{
    struct scripted_peer *peer = argument;
    for (size_t i = 0; peer->steps[i] != NULL && peer->error[0] == '\0'; i++)
        peer_step(peer, peer->steps[i]);
    if (peer->fd >= 0)
        close(peer->fd);
    close(peer->listener);
    return NULL;
}

/* Listens from here on; `steps` are followed on a thread. */
static inline struct scripted_peer *peer_start(const char *const *steps)
{
    struct scripted_peer *peer = calloc(1, sizeof(*peer));
    struct timeval limit = {.tv_sec = PEER_SECONDS};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int small = 16 * 1024;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->steps = steps;
    peer->fd = -1;
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(peer->listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    /* Small, so that a slow reader is felt early. */
    setsockopt(peer->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (bind(peer->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(peer->listener, 8) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    peer->port = ntohs(address.sin_port);
    if (pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
        abort();
    return peer;
}

/* Waits for the end of the script; peer->error is empty if it held. */
static inline void peer_join(struct scripted_peer *peer)
{
    pthread_join(peer->thread, NULL);
}

static inline void peer_free(struct scripted_peer *peer)
{
    free(peer->message);
    free(peer);
}

#endif
