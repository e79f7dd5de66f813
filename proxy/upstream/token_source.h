/* Where the OAuth 2 tokens for an upstream come from: a file, as it is by
 * then, or a program whose answer is kept for as long as it
 * says. One a pool; belongs to one loop. */
#ifndef PROXY_UPSTREAM_TOKEN_SOURCE_H
#define PROXY_UPSTREAM_TOKEN_SOURCE_H

#include "config/settings.h"
#include "proxy/net/loop.h"
#include "proxy/net/program.h"
#include "proxy/upstream/credential_book.h"

struct token_source;

/* Embedded in who waits. */
struct token_wait {
    struct token_wait *next;
    /* `token` is valid within the call; p NULL: `error` has words. */
    void (*on_token)(void *owner, struct str token, const char *error);
    void *owner;
    bool is_waiting;
};

/* Settings and book are borrowed; `runner` is who runs the program. NULL when
 * out of memory. */
struct token_source *token_source_new(struct loop *loop,
                                      const struct upstream_settings *upstream,
                                      const struct program_runner *runner,
                                      struct credential_book *book);
/* Nobody may wait any more. NULL is fine. */
void token_source_free(struct token_source *source);

/* on_token comes later, once. */
void token_source_ask(struct token_source *source, struct token_wait *wait);
void token_source_forget(struct token_source *source, struct token_wait *wait);
/* A server refused this token: it is not given out again. True: it was one
 * that was kept, so that a new one may do better. */
bool token_source_refuse(struct token_source *source, struct str token);

#endif
