#include "tests/support/engine_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

bool engines_carry(struct tls_engine *from, struct tls_engine *to, size_t step)
{
    bool has_moved = false;
    for (;;) {
        struct str piece = str_head(tls_engine_output(from), step);
        size_t taken = tls_engine_feed(to, piece);
        tls_engine_sent(from, taken);
        tls_engine_advance(to);
        if (taken == 0)
            return has_moved;
        has_moved = true;
    }
}

void engines_shake_hands(struct tls_engine *server, struct tls_engine *client,
                         size_t step)
{
    tls_engine_advance(client);
    while (engines_carry(client, server, step) ||
           engines_carry(server, client, step))
        ;
}

struct engine_pair engine_pair_new(struct tls_context *server,
                                   struct tls_context *client, const char *name,
                                   size_t step)
{
    struct engine_pair pair = {tls_engine_new(server, NULL),
                               tls_engine_new(client, name)};
    assert_non_null(pair.server);
    assert_non_null(pair.client);
    engines_shake_hands(pair.server, pair.client, step);
    return pair;
}

void engine_pair_free(struct engine_pair *pair)
{
    tls_engine_free(pair->server);
    tls_engine_free(pair->client);
}
