/* What a client's certificate says of it. */
#ifndef PROXY_TLS_CLIENT_CERTIFICATE_H
#define PROXY_TLS_CLIENT_CERTIFICATE_H

#include "rules/base/arena.h"

struct ssl_st;

/* Names beyond these are left out. */
#define CLIENT_CERTIFICATE_NAMES_MAX 64

struct client_certificate {
    struct str fingerprint;  /* SHA-256 of its DER, 64 hex digits, lower case;
                                n 0: the client showed none */
    const struct str *names; /* rfc822 and DNS names of the subjectAltName in
                                its order; without any, the common name */
    size_t name_count;
    /* The first of its kind; n 0: it has none. */
    struct str rfc822, dns, common_name;
};

/* Everything lies in the arena. 0, or -1 when that is full. */
int client_certificate_read(const struct ssl_st *ssl, struct arena *arena,
                            struct client_certificate *out);

#endif
