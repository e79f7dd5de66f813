/* Questions to one HTTPS server: a POST of a form each, for which there is a
 * time limit. A connection is kept for the next question; one that was closed
 * meanwhile costs no question, which is then put again over a new one.
 * Belongs to one loop. */
#ifndef PROXY_LOGIN_HTTPS_REQUEST_H
#define PROXY_LOGIN_HTTPS_REQUEST_H

#include "proxy/net/loop.h"

struct https_client;  /* a worker's way to the server */
struct https_request; /* one question under way */
struct tls_context;

/* Borrowed, as long as the client. */
struct https_server {
    const char *host; /* a name, or an address without brackets */
    uint16_t port;
    struct str authority; /* host and perhaps port, as in its URL */
    struct str target;    /* path and query, from the slash on */
    struct tls_context *tls;
    uint64_t timeout_ms;
};

/* NULL when out of memory. */
struct https_client *https_client_new(struct loop *loop,
                                      const struct https_server *server);
/* No question is under way any more. */
void https_client_free(struct https_client *client);

/* `error` NULL: the server answered with this status and body; else words for
 * why there is no answer. Valid within the call; the question is gone. */
typedef void https_then(void *owner, unsigned status, struct str body,
                        const char *error);

/* `authorization` is that field's value; both are copied, and the copy wiped.
 * `then` comes from the loop, once. NULL when out of memory. */
struct https_request *https_post(struct https_client *client,
                                 struct str authorization, struct str form,
                                 https_then *then, void *owner);
/* Nobody waits any more: `then` will not be called. */
void https_cancel(struct https_request *request);

#endif
