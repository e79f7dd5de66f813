/* Tokens that the server which made them is asked about. */
#include "proxy/login/back_end.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/secret_file.h"
#include "proxy/login/https_request.h"
#include "proxy/login/introspection.h"
#include "proxy/login/token_answer.h"
#include "proxy/tls/tls_context.h"

#define UNDER_WAY_MAX 64 /* questions a worker */
#define CLAIMS_CAP ((size_t)1024 * 1024)
#define ERROR_ROOM 400

/* Immutable once prepared, but for what renew() exchanges. */
struct shared {
    const struct introspect_settings *settings;
    struct tls_context *tls;
    struct https_server server;
    struct token_wants wants;
    char ca_digest[65];    /* for renew() alone */
    pthread_rwlock_t lock; /* of the authorization */
    size_t authorization_length;
    char authorization[INTROSPECTION_BASIC_ROOM]; /* a secret */
};

struct back_end {
    struct loop *loop;
    struct server_log *log;
    struct shared *shared;
    struct https_client *client;
    size_t under_way;
};

struct question {
    struct back_end *back_end;
    const struct claim *claim;
    login_then *then;
    void *owner;
    struct https_request *request; /* NULL: it is answered without asking */
    struct login_answer answer;    /* and so */
    bool is_cancelled;
    struct loop_later later;
};

static void discard(void *prepared)
{
    struct shared *shared = prepared;
    if (shared == NULL)
        return;
    tls_context_free(shared->tls);
    pthread_rwlock_destroy(&shared->lock);
    explicit_bzero(shared->authorization, sizeof shared->authorization);
    free(shared);
}

/* The first line of the file. NULL, or what is wrong. */
static const char *read_secret(struct shared *shared, struct files *files)
{
    const struct introspect_settings *settings = shared->settings;
    struct str line, rest;
    const char *wrong;
    struct str octets =
        secret_file_read(files, FILE_SECRET, settings->client_secret_file,
                         INTROSPECTION_SECRET_MAX, &wrong);
    if (octets.p == NULL)
        return wrong;
    str_cut_line(octets, &line, &rest);
    if (line.n > 0)
        shared->authorization_length =
            introspection_basic(settings->client_id, line,
                                shared->authorization)
                .n;
    return shared->authorization_length > 0 ? NULL : "its first line is empty";
}

/* Of the CAs that the server was held against. The system's are those of the
 * machine: it is not asked whether they change. */
static void keep_digest(struct shared *shared, struct files *files)
{
    const char *ca = shared->settings->ca;
    const struct file *file;
    if (ca != NULL && files_read(files, FILE_AUTHORITIES, ca, &file) == 0)
        memcpy(shared->ca_digest, file->digest, sizeof shared->ca_digest);
}

static int fill(struct shared *shared, struct files *files, struct diags *diags)
{
    const struct introspect_settings *settings = shared->settings;
    const char *wrong = read_secret(shared, files);
    if (wrong != NULL)
        diags_error(diags, settings->client_secret_mark,
                    "the client secret %s can't be used: %s",
                    settings->client_secret_file, wrong);
    shared->tls = tls_context_new_https(
        settings->ca, settings->ca == NULL ? settings->mark : settings->ca_mark,
        files, diags);
    keep_digest(shared, files);
    shared->server = (struct https_server){
        .host = settings->host,
        .port = settings->port,
        .authority = settings->authority,
        .target = settings->target,
        .tls = shared->tls,
        .timeout_ms = settings->timeout_ms,
    };
    shared->wants = token_wants_of(&settings->token);
    /* Any other claim is another space of names than sub's. */
    if (str_equals(shared->wants.user_claim, STR("username")))
        shared->wants.other_user_claim = STR("sub");
    return wrong == NULL && shared->tls != NULL ? 0 : -1;
}

static int prepare(const struct backend_settings *backend, struct files *files,
                   struct diags *diags, void **prepared)
{
    struct shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL) {
        diags_error(diags, backend->introspect->mark, "out of memory");
        return -1;
    }
    pthread_rwlock_init(&shared->lock, NULL);
    shared->settings = backend->introspect;
    if (fill(shared, files, diags) == 0) {
        *prepared = shared;
        return 0;
    }
    discard(shared);
    return -1;
}

static bool renew(void *prepared, void *prepared_anew, struct server_log *log)
{
    struct shared *shared = prepared, *fresh = prepared_anew;
    size_t n = fresh->authorization_length;
    bool has_changed =
        strcmp(shared->ca_digest, fresh->ca_digest) != 0 ||
        n != shared->authorization_length ||
        memcmp(shared->authorization, fresh->authorization, n) != 0;
    tls_context_renew(shared->tls, fresh->tls);
    fresh->tls = NULL;
    if (!has_changed)
        return false;
    memcpy(shared->ca_digest, fresh->ca_digest, sizeof shared->ca_digest);
    pthread_rwlock_wrlock(&shared->lock);
    memcpy(shared->authorization, fresh->authorization, n);
    shared->authorization_length = n;
    pthread_rwlock_unlock(&shared->lock);
    server_log_write(log, SERVER_INFO,
                     "auth.backends: introspect: the secret or the CAs for %s "
                     "have changed and were read",
                     shared->settings->url.p);
    return true;
}

static void *open_introspect(const struct back_end_means *means,
                             const struct backend_settings *settings,
                             void *prepared)
{
    struct shared *shared = prepared;
    struct back_end *back_end = calloc(1, sizeof *back_end);
    (void)settings;
    if (back_end == NULL)
        return NULL;
    back_end->loop = means->loop;
    back_end->log = means->log;
    back_end->shared = shared;
    back_end->client = https_client_new(means->loop, &shared->server);
    if (back_end->client != NULL)
        return back_end;
    free(back_end);
    return NULL;
}

static void close_introspect(void *opened)
{
    struct back_end *back_end = opened;
    https_client_free(back_end->client);
    free(back_end);
}

static void log_refusal(const struct question *question, const char *why)
{
    struct str session = question->claim->session;
    server_log_write(question->back_end->log, SERVER_DEBUG,
                     "%.*s: introspect: the token is refused: %s",
                     (int)session.n, session.p, why);
}

/* What a status other than 200 means for whoever has to mend it. */
static const char *status_words(unsigned status)
{
    if (status == 401 || status == 403)
        return "it does not accept our client_id with the secret of "
               "client_secret_file";
    if (status / 100 == 3)
        return "it redirects elsewhere, and is not followed: write the url "
               "that it really has";
    if (status == 404 || status == 405)
        return "there is no introspection at this url";
    return "it could not answer";
}

static struct login_answer take_body(const struct question *question,
                                     struct str body, struct arena *arena)
{
    const struct back_end *back_end = question->back_end;
    const struct shared *shared = back_end->shared;
    struct token_claims claims;
    enum token_verdict why;
    struct login_answer answer = {.result = LOGIN_FAILED};
    switch (introspection_read(body, &shared->wants,
                               loop_wall_us(back_end->loop) / 1000, arena,
                               &claims, &why)) {
    case INTROSPECTION_GOOD:
        answer = token_answer(&claims, arena);
        answer.cache_ms = shared->settings->cache_ms;
        if (answer.result == LOGIN_FAILED)
            log_refusal(question, "its user can't be the name of a login");
        break;
    case INTROSPECTION_REFUSED:
        log_refusal(question, why == TOKEN_GOOD ? "it is not active"
                                                : token_verdict_words(why));
        break;
    case INTROSPECTION_BROKEN:
        answer.result = LOGIN_UNAVAILABLE;
        answer.error = why == TOKEN_MEMORY
                           ? "out of memory"
                           : "its answer is not what RFC 7662 says: a JSON "
                             "object with \"active\"";
        break;
    }
    return answer;
}

static void on_told(void *owner, unsigned status, struct str body,
                    const char *error)
{
    struct question *question = owner;
    struct login_answer answer = {.result = LOGIN_UNAVAILABLE, .error = error};
    char words[ERROR_ROOM];
    struct arena arena;
    arena_init(&arena, CLAIMS_CAP);
    if (error == NULL && status == 200) {
        answer = take_body(question, body, &arena);
    } else if (error == NULL) {
        snprintf(words, sizeof words, "%s (status %u)", status_words(status),
                 status);
        answer.error = words;
    }
    question->back_end->under_way--;
    question->then(question->owner, &answer);
    arena_release(&arena);
    free(question);
}

static void run_later(struct loop_later *later)
{
    struct question *question =
        (struct question *)((char *)later - offsetof(struct question, later));
    if (!question->is_cancelled)
        question->then(question->owner, &question->answer);
    free(question);
}

static void answer_later(struct question *question, enum login_result result,
                         const char *error)
{
    question->answer = (struct login_answer){.result = result, .error = error};
    question->later.run = run_later;
    loop_later(question->back_end->loop, &question->later);
}

static int post(struct question *question)
{
    struct back_end *back_end = question->back_end;
    struct shared *shared = back_end->shared;
    char form[INTROSPECTION_FORM_ROOM];
    size_t length;
    if (introspection_form(question->claim->secret, form, &length) != 0) {
        log_refusal(question, "it is too long");
        answer_later(question, LOGIN_FAILED, NULL);
        return 0;
    }
    pthread_rwlock_rdlock(&shared->lock); /* it is copied there */
    question->request = https_post(
        back_end->client,
        str_span(shared->authorization, shared->authorization_length),
        str_span(form, length), on_told, question);
    pthread_rwlock_unlock(&shared->lock);
    explicit_bzero(form, sizeof form);
    if (question->request == NULL)
        return -1;
    back_end->under_way++;
    return 0;
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    struct back_end *back_end = opened;
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    question->back_end = back_end;
    question->claim = claim;
    question->then = then;
    question->owner = owner;
    if (back_end->under_way >= UNDER_WAY_MAX) {
        answer_later(question, LOGIN_UNAVAILABLE,
                     "too many questions to it are under way");
        return question;
    }
    if (post(question) == 0)
        return question;
    free(question);
    return NULL;
}

static void cancel(void *asked)
{
    struct question *question = asked;
    if (question->request == NULL) {
        question->is_cancelled = true;
        return;
    }
    question->back_end->under_way--;
    https_cancel(question->request);
    free(question);
}

const struct back_end_kind back_end_introspect = {
    .name = "introspect",
    .claims = {[CLAIM_TOKEN] = true},
    .prepare = prepare,
    .renew = renew,
    .discard = discard,
    .open = open_introspect,
    .close = close_introspect,
    .ask = ask,
    .cancel = cancel,
};
