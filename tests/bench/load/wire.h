/* A TCP connection that never blocks, in clear text or in TLS, watched by an
 * epoll. The wire owns the descriptor and the TLS; the watched pointer is the
 * caller's. One thread. */
#ifndef BENCH_LOAD_WIRE_H
#define BENCH_LOAD_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/ssl.h>

enum wire_result {
    WIRE_AGAIN = -1,  /* nothing for now: wait for events */
    WIRE_FAILED = -2, /* wire.trouble says why */
};

struct wire {
    int fd;
    SSL *tls; /* NULL: clear text */
    uint32_t events;
    bool wants_to_write; /* TLS does, before it can read on */
    const char *trouble; /* for people; static */
};

/* A count, 0 for the end, or an enum wire_result. */
ssize_t wire_read(struct wire *wire, void *to, size_t room);
/* A count, or an enum wire_result. */
ssize_t wire_write(struct wire *wire, const void *from, size_t size);

/* The handshake comes next; the caller says which end it is. */
void wire_secure(struct wire *wire, SSL_CTX *context);
/* 1 when it is done, or an enum wire_result. */
int wire_handshake(struct wire *wire);

void wire_watch(struct wire *wire, int epoll, uint32_t events, void *watched);
/* Small writes leave at once. */
void wire_set_no_delay(const struct wire *wire);
/* Acknowledge at once. The kernel forgets it: to be said after each read. */
void wire_acknowledge(const struct wire *wire);
/* Also of one that is closed. */
void wire_close(struct wire *wire);

#endif
