/* Tokens that prove themselves. The keys are shared by all workers, and
 * exchanged when their file has changed. */
#include "proxy/login/back_end.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/jwks_file.h"
#include "proxy/login/token_answer.h"
#include "proxy/sasl/jwt.h"
#include "rules/base/stack_wipe.h"

#define CLAIMS_CAP ((size_t)1024 * 1024)
#define WORDS_ROOM 200

struct shared {
    const struct jwt_settings *settings;
    pthread_rwlock_t lock; /* of keys; held while a token is read */
    struct jwk_set *keys;
    char digest[65]; /* of their file; for renew() alone */
};

struct question {
    struct question *previous, *next;
    struct back_end *back_end;
    const struct claim *claim;
    login_then *then;
    void *owner;
};

struct back_end {
    struct loop *loop;
    struct server_log *log;
    struct shared *shared;
    struct question *first, *last; /* waiting, in order */
    bool is_closed;
    struct loop_later later;
};

static void discard(void *prepared)
{
    struct shared *shared = prepared;
    if (shared == NULL)
        return;
    jwk_set_free(shared->keys);
    pthread_rwlock_destroy(&shared->lock);
    free(shared);
}

static int prepare(const struct backend_settings *backend, struct files *files,
                   struct diags *diags, void **prepared)
{
    const struct jwt_settings *settings = backend->jwt;
    char wrong[WORDS_ROOM];
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL) {
        diags_error(diags, settings->mark, "out of memory");
        return -1;
    }
    pthread_rwlock_init(&shared->lock, NULL);
    shared->settings = settings;
    shared->keys = jwks_file_read(files, settings->jwks, shared->digest, wrong,
                                  sizeof wrong);
    if (shared->keys == NULL) {
        diags_error(diags, settings->mark, "the JWK set %s can't be used: %s",
                    settings->jwks, wrong);
        discard(shared);
        return -1;
    }
    *prepared = shared;
    return 0;
}

static bool renew(void *prepared, void *prepared_anew, struct server_log *log)
{
    struct shared *shared = prepared, *fresh = prepared_anew;
    struct jwk_set *before = shared->keys;
    if (strcmp(shared->digest, fresh->digest) == 0)
        return false;
    pthread_rwlock_wrlock(&shared->lock);
    shared->keys = fresh->keys;
    pthread_rwlock_unlock(&shared->lock);
    fresh->keys = before;
    memcpy(shared->digest, fresh->digest, sizeof shared->digest);
    server_log_write(log, SERVER_INFO,
                     "auth.backends: jwt: %s has changed and was read: "
                     "%zu keys",
                     shared->settings->jwks, jwk_set_count(shared->keys));
    return true;
}

static void unlink_question(struct question *question)
{
    struct back_end *back_end = question->back_end;
    if (question->previous != NULL)
        question->previous->next = question->next;
    else
        back_end->first = question->next;
    if (question->next != NULL)
        question->next->previous = question->previous;
    else
        back_end->last = question->previous;
}

static enum token_verdict check(const struct back_end *back_end,
                                struct str token, struct arena *arena,
                                struct token_claims *claims)
{
    struct shared *shared = back_end->shared;
    struct token_wants wants = token_wants_of(&shared->settings->token);
    wants.needs_expiry = true;
    uint64_t now_ms = loop_wall_us(back_end->loop) / 1000;
    pthread_rwlock_rdlock(&shared->lock);
    enum token_verdict verdict =
        jwt_check(token, shared->keys, &wants, now_ms, arena, claims);
    pthread_rwlock_unlock(&shared->lock);
    stack_wipe();
    return verdict;
}

static void answer_question(struct question *question)
{
    const struct back_end *back_end = question->back_end;
    const struct claim *claim = question->claim;
    struct login_answer answer = {.result = LOGIN_FAILED};
    struct token_claims claims;
    struct arena arena;
    arena_init(&arena, CLAIMS_CAP);
    enum token_verdict verdict =
        check(back_end, claim->secret, &arena, &claims);
    if (verdict == TOKEN_GOOD)
        answer = token_answer(&claims, &arena);
    if (verdict == TOKEN_MEMORY)
        answer = (struct login_answer){.result = LOGIN_UNAVAILABLE,
                                       .error = "out of memory"};
    if (answer.result == LOGIN_FAILED)
        server_log_write(
            back_end->log, SERVER_DEBUG, "%.*s: jwt: the token is refused: %s",
            (int)claim->session.n, claim->session.p,
            verdict == TOKEN_GOOD ? "its user can't be the name of a login"
                                  : token_verdict_words(verdict));
    question->then(question->owner, &answer);
    arena_release(&arena);
    free(question);
}

static void answer_all(struct back_end *back_end)
{
    struct question *question;
    while ((question = back_end->first) != NULL) {
        unlink_question(question);
        answer_question(question);
    }
}

static void run_later(struct loop_later *later)
{
    struct back_end *back_end =
        (struct back_end *)((char *)later - offsetof(struct back_end, later));
    if (back_end->is_closed)
        free(back_end);
    else
        answer_all(back_end);
}

static void *open_jwt(const struct back_end_means *means,
                      const struct backend_settings *settings, void *shared)
{
    struct back_end *back_end = calloc(1, sizeof *back_end);
    (void)settings;
    if (back_end == NULL)
        return NULL;
    back_end->loop = means->loop;
    back_end->log = means->log;
    back_end->shared = shared;
    back_end->later.run = run_later;
    return back_end;
}

static void close_jwt(void *opened)
{
    struct back_end *back_end = opened;
    back_end->is_closed = true;
    loop_later(back_end->loop, &back_end->later);
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    struct back_end *back_end = opened;
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    *question =
        (struct question){back_end->last, NULL, back_end, claim, then, owner};
    if (back_end->last != NULL)
        back_end->last->next = question;
    else
        back_end->first = question;
    back_end->last = question;
    loop_later(back_end->loop, &back_end->later);
    return question;
}

static void cancel(void *asked)
{
    unlink_question(asked);
    free(asked);
}

const struct back_end_kind back_end_jwt = {
    .name = "jwt",
    .claims = {[CLAIM_TOKEN] = true},
    .prepare = prepare,
    .renew = renew,
    .discard = discard,
    .open = open_jwt,
    .close = close_jwt,
    .ask = ask,
    .cancel = cancel,
};
