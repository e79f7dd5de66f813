/* Private keys, and what they may sign: the words of a TLS server in a
 * handshake, nothing else. Immutable; any thread may sign. */
#ifndef PROXY_TLS_KEY_SET_H
#define PROXY_TLS_KEY_SET_H

#include "proxy/tls/key_question.h"

struct key_set;
struct tls_context;

struct key_signature {
    char octets[KEY_SIGNATURE_MAX];
    size_t n;
};

/* The keys of a context for listeners that has them, and that nobody renews
 * meanwhile. NULL when out of memory. */
struct key_set *key_set_of(const struct tls_context *context);
void key_set_free(struct key_set *set);

enum key_result {
    KEY_SIGNED,
    KEY_UNKNOWN, /* there is no key of that name */
    KEY_REFUSED  /* its algorithm is another, or a server never signs that */
};

enum key_result key_set_sign(const struct key_set *set,
                             const struct key_question *question,
                             struct key_signature *out);

#endif
