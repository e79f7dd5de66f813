/* Tokens that prove themselves. The keys are shared by all workers; one of
 * them looks at times whether their file is another one now, off its loop,
 * and its questions wait for that: a key that was taken out lets nobody in
 * any more, and one that was put in does at once. But not for long, for
 * threads that look up names may be hanging before the file's turn. */
#include "proxy/login/back_end.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/jwks_file.h"
#include "proxy/login/token_answer.h"
#include "proxy/net/job.h"
#include "proxy/net/timer.h"
#include "proxy/sasl/jwt.h"
#include "rules/base/stack_wipe.h"

#define LOOK_MS 1000
#define PATIENCE_MS 250
#define CLAIMS_CAP ((size_t)1024 * 1024)
#define WORDS_ROOM 200

struct shared {
    const struct jwt_settings *settings;
    pthread_rwlock_t lock; /* of keys and stamp; held while a token is read */
    struct jwk_set *keys;
    struct file_stamp stamp;
    atomic_uint_fast64_t next_look_ms;
};

struct question {
    struct question *previous, *next;
    struct back_end *back_end;
    const struct claim *claim;
    login_then *then;
    void *owner;
};

/* The file, off the loop. It outlives the back-end, if it must. */
struct reading {
    struct job job;
    struct back_end *back_end; /* NULL: it is gone */
    struct file_stamp stamp;
    struct jwk_set *keys;
    char wrong[WORDS_ROOM];
    char path[];
};

struct back_end {
    struct loop *loop;
    struct server_log *log;
    struct shared *shared;
    struct question *first, *last; /* waiting, in order */
    struct reading *reading;       /* NULL: none is under way */
    bool is_patient;               /* the questions wait for it */
    struct timer *patience;
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

static int prepare(const struct backend_settings *backend, struct diags *diags,
                   void **prepared)
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
    shared->stamp = FILE_STAMP_UNREAD;
    shared->keys =
        jwks_file_read(settings->jwks, &shared->stamp, wrong, sizeof wrong);
    if (shared->keys == NULL) {
        diags_error(diags, settings->mark, "the JWK set %s can't be used: %s",
                    settings->jwks, wrong);
        discard(shared);
        return -1;
    }
    *prepared = shared;
    return 0;
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
    while ((question = back_end->first) != NULL && !back_end->is_patient) {
        unlink_question(question);
        answer_question(question);
    }
}

static void lose_patience(void *owner)
{
    struct back_end *back_end = owner;
    back_end->is_patient = false;
    answer_all(back_end);
}

static void read_file(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    reading->keys = jwks_file_read(reading->path, &reading->stamp,
                                   reading->wrong, sizeof reading->wrong);
}

/* Takes the keys, if there are new ones. */
static void install(struct back_end *back_end, struct reading *reading)
{
    struct shared *shared = back_end->shared;
    pthread_rwlock_wrlock(&shared->lock);
    shared->stamp = reading->stamp;
    if (reading->keys != NULL) {
        struct jwk_set *old = shared->keys;
        shared->keys = reading->keys;
        reading->keys = old;
    }
    pthread_rwlock_unlock(&shared->lock);
}

static void take_keys(struct back_end *back_end, struct reading *reading)
{
    bool is_new = reading->keys != NULL;
    size_t count = is_new ? jwk_set_count(reading->keys) : 0;
    install(back_end, reading);
    if (is_new)
        server_log_write(back_end->log, SERVER_INFO,
                         "auth.backends: jwt: %s has changed and was read: "
                         "%zu keys",
                         reading->path, count);
    else if (reading->wrong[0] != '\0')
        server_log_write(back_end->log, SERVER_ERROR,
                         "auth.backends: jwt: %s has changed and can't be "
                         "used: %s; the keys that were there before are kept",
                         reading->path, reading->wrong);
}

static void on_read(struct job *job)
{
    struct reading *reading = (struct reading *)job;
    struct back_end *back_end = reading->back_end;
    if (back_end != NULL) {
        back_end->reading = NULL;
        back_end->is_patient = false;
        timer_stop(back_end->patience);
        take_keys(back_end, reading);
        answer_all(back_end);
    }
    jwk_set_free(reading->keys);
    free(reading);
}

/* One worker at a time, and not too often. */
static bool should_look(struct shared *shared, uint64_t now_ms)
{
    uint_fast64_t next_ms = atomic_load(&shared->next_look_ms);
    return now_ms >= next_ms &&
           atomic_compare_exchange_strong(&shared->next_look_ms, &next_ms,
                                          now_ms + LOOK_MS);
}

/* Without memory the keys that are there serve. */
static void look(struct back_end *back_end)
{
    struct shared *shared = back_end->shared;
    const char *path = shared->settings->jwks;
    size_t length = strlen(path) + 1;
    struct reading *reading = calloc(1, sizeof *reading + length);
    if (reading == NULL)
        return;
    reading->job = (struct job){.work = read_file, .done = on_read};
    reading->back_end = back_end;
    memcpy(reading->path, path, length);
    pthread_rwlock_rdlock(&shared->lock);
    reading->stamp = shared->stamp;
    pthread_rwlock_unlock(&shared->lock);
    if (job_start(back_end->loop, &reading->job) != 0) {
        free(reading);
        return;
    }
    back_end->reading = reading;
    back_end->is_patient = true;
    timer_start(back_end->patience, PATIENCE_MS);
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
    back_end->patience = timer_new(means->loop, lose_patience, back_end);
    if (back_end->patience != NULL)
        return back_end;
    free(back_end);
    return NULL;
}

static void close_jwt(void *opened)
{
    struct back_end *back_end = opened;
    if (back_end->reading != NULL)
        back_end->reading->back_end = NULL;
    timer_free(back_end->patience);
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
    if (back_end->reading == NULL &&
        should_look(back_end->shared, loop_now_ms(back_end->loop)))
        look(back_end);
    if (!back_end->is_patient)
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
    .discard = discard,
    .open = open_jwt,
    .close = close_jwt,
    .ask = ask,
    .cancel = cancel,
};
