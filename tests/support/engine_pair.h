/* Two engines, and what carries octets between them. */
#ifndef TESTS_SUPPORT_ENGINE_PAIR_H
#define TESTS_SUPPORT_ENGINE_PAIR_H

#include "proxy/tls/tls_engine.h"

struct engine_pair {
    struct tls_engine *server, *client;
};

/* Both ends, as far as they get with each other. `name` is the server's. */
struct engine_pair engine_pair_new(struct tls_context *server,
                                   struct tls_context *client, const char *name,
                                   size_t step);
void engine_pair_free(struct engine_pair *pair);

/* Carries what `from` has to say over to `to`, `step` octets at a time. */
bool engines_carry(struct tls_engine *from, struct tls_engine *to, size_t step);
void engines_shake_hands(struct tls_engine *server, struct tls_engine *client,
                         size_t step);

#endif
