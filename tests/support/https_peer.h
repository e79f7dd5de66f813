/* An HTTPS server on a test's own loop that answers by a script, and the
 * certificates of both ends. A test fails when ten seconds pass. */
#ifndef TESTS_SUPPORT_HTTPS_PEER_H
#define TESTS_SUPPORT_HTTPS_PEER_H

#include "proxy/net/loop.h"
#include "proxy/tls/tls_context.h"
#include "tests/support/certificates.h"

#define HTTPS_GUESTS_MAX 80

struct https_peer;

struct https_guest {
    struct https_peer *peer;
    struct stream *stream; /* NULL: closed */
    char heard[4096];      /* the last request */
    size_t length;
};

struct https_peer {
    struct loop *loop;
    uint16_t port;
    struct listen *listen;
    struct timer *watchdog;
    /* What a request ends with. */
    const char *end_of_request;
    /* What the n-th is answered; NULL: not at all. */
    const char *answers[4];
    size_t answered;
    bool closes;   /* behind each answer */
    bool is_clear; /* speaks at once, without TLS */
    struct https_guest guests[HTTPS_GUESTS_MAX];
    size_t guest_count;
    struct tls_context *tls;
    struct certificate_folder folder;
    char *trusted; /* the CA to know it by */
    char *other;   /* another CA */
};

/* For 127.0.0.1. */
void https_peer_init(struct https_peer *peer);
void https_peer_release(struct https_peer *peer);
/* Nobody listens any more. */
void https_peer_deafen(struct https_peer *peer);

#endif
