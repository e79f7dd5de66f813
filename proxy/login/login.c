/* The chain: a question goes from one back-end to the next, and always begins
 * at the end of the turn, so that no answer comes from inside. */
#include "proxy/login/login.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/back_end_users.h"
#include "proxy/login/failure_delay.h"
#include "proxy/login/identity.h"
#include "proxy/login/login_cache.h"
#include "proxy/login/user_secrets.h"

#define ANSWER_ARENA_CAP ((size_t)1024 * 1024)
#define CACHED_MAX 16384
#define FAILURES_MAX 65536 /* networks and names that are remembered */
/* A back-end that is away now and then is told of once. */
#define BACK_AGAIN_MS 10000

/* A back-end, as all workers see it. */
struct end {
    const struct back_end_kind *kind;
    const struct backend_settings *settings;
    void *shared;
    atomic_bool is_away;
    atomic_uint_fast64_t away_ms; /* when that was seen last */
};

struct logins {
    const struct auth_settings *auth;
    struct user_book book;
    struct hash_threads *threads;
    struct users_shared users;
    struct login_cache *cache;
    struct failure_delay *failures;
    struct end *ends; /* one an entry of auth.backends */
    size_t end_count;
};

struct login_client {
    struct logins *logins;
    struct back_end_means means;
    void **opened; /* by the back-ends, in their order */
    struct login_query *queries;
};

struct login_query {
    struct login_query *previous, *next; /* of client->queries */
    struct login_client *client;
    struct claim claim; /* its texts are in `octets` */
    login_then *then;
    void *owner;
    size_t next_end; /* the back-end that comes next */
    void *asked;     /* the question that is with the one before; or NULL */
    bool was_unavailable;
    bool is_cancelled;
    struct loop_later later;
    size_t length;
    char octets[];
};

static const struct back_end_kind *const kinds[] = {
    [BACKEND_USERS] = &back_end_users,
    [BACKEND_DOVECOT] = &back_end_dovecot,
    [BACKEND_UPSTREAM] = &back_end_upstream,
    [BACKEND_JWT] = &back_end_jwt,
    [BACKEND_INTROSPECT] = &back_end_introspect,
};

static int prepare_end(struct logins *logins, struct end *end,
                       const struct backend_settings *settings,
                       struct diags *diags)
{
    end->settings = settings;
    end->kind = kinds[settings->kind];
    if (settings->kind == BACKEND_USERS)
        end->shared = &logins->users;
    return end->kind->prepare == NULL
               ? 0
               : end->kind->prepare(settings, diags, &end->shared);
}

static int prepare(struct logins *logins, struct diags *diags)
{
    const struct auth_settings *auth = logins->auth;
    int result = user_book_read(&logins->book, auth, diags);
    logins->users = (struct users_shared){&logins->book, logins->threads};
    for (size_t i = 0; i < auth->backend_count; i++) {
        struct end *end = &logins->ends[logins->end_count];
        /* The users files are one book, asked where the first stands. */
        if (auth->backends[i].kind == BACKEND_USERS && i > 0 &&
            auth->backends[i - 1].kind == BACKEND_USERS)
            continue;
        if (prepare_end(logins, end, &auth->backends[i], diags) != 0)
            result = -1;
        logins->end_count++;
    }
    return result;
}

static int start_threads(struct logins *logins, struct diags *diags)
{
    int error =
        logins->book.user_count == 0 ? 0 : hash_threads_start(logins->threads);
    if (error != 0)
        diags_error(diags, logins->auth->backends[0].mark,
                    "no thread for hashing can be started: %s",
                    strerrordesc_np(error));
    return error == 0 ? 0 : -1;
}

struct logins *logins_new(const struct settings *settings, struct diags *diags)
{
    struct logins *logins = calloc(1, sizeof *logins);
    if (logins != NULL) {
        logins->auth = &settings->auth;
        logins->threads = hash_threads_new();
        logins->cache = login_cache_new(CACHED_MAX);
        logins->failures = failure_delay_new(FAILURES_MAX);
        logins->ends =
            calloc(settings->auth.backend_count + 1, sizeof *logins->ends);
    }
    if (logins == NULL || logins->threads == NULL || logins->cache == NULL ||
        logins->failures == NULL || logins->ends == NULL)
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
    else if (prepare(logins, diags) == 0 && start_threads(logins, diags) == 0)
        return logins;
    logins_free(logins);
    return NULL;
}

void logins_keep_stand_ins(struct logins *logins,
                           const uint8_t secret[KEYED_HASH_SECRET])
{
    memcpy(logins->book.secret, secret, KEYED_HASH_SECRET);
}

void logins_free(struct logins *logins)
{
    if (logins == NULL)
        return;
    hash_threads_free(logins->threads);
    for (size_t i = 0; i < logins->end_count; i++)
        if (logins->ends[i].kind->discard != NULL)
            logins->ends[i].kind->discard(logins->ends[i].shared);
    free(logins->ends);
    login_cache_free(logins->cache);
    failure_delay_free(logins->failures);
    user_book_release(&logins->book);
    free(logins);
}

struct login_client *login_client_new(struct logins *logins,
                                      const struct back_end_means *means)
{
    struct login_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->logins = logins;
    client->means = *means;
    client->opened = calloc(logins->end_count + 1, sizeof *client->opened);
    for (size_t i = 0; client->opened != NULL && i < logins->end_count; i++) {
        const struct end *end = &logins->ends[i];
        client->opened[i] = end->kind->open(means, end->settings, end->shared);
        if (client->opened[i] == NULL) {
            login_client_free(client);
            return NULL;
        }
    }
    if (client->opened != NULL)
        return client;
    free(client);
    return NULL;
}

static void unlink_query(struct login_query *query)
{
    struct login_query **at = query->previous != NULL ? &query->previous->next
                                                      : &query->client->queries;
    *at = query->next;
    if (query->next != NULL)
        query->next->previous = query->previous;
}

/* It is in no list any more. */
static void query_free(struct login_query *query)
{
    explicit_bzero(query->octets, query->length);
    free(query);
}

void login_client_free(struct login_client *client)
{
    if (client == NULL)
        return;
    while (client->queries != NULL)
        login_cancel(client->queries);
    for (size_t i = 0; i < client->logins->end_count; i++)
        if (client->opened[i] != NULL)
            client->logins->ends[i].kind->close(client->opened[i]);
    free(client->opened);
    free(client);
}

/* As the configuration names it. */
static const char *where(const struct end *end)
{
    const struct backend_settings *settings = end->settings;
    switch (settings->kind) {
    case BACKEND_USERS:
        return settings->users;
    case BACKEND_DOVECOT:
        return settings->dovecot;
    case BACKEND_UPSTREAM:
        return settings->upstream->name.p;
    case BACKEND_JWT:
        return settings->jwt->jwks;
    case BACKEND_INTROSPECT:
        return settings->introspect->url.p;
    case BACKEND_NONE:
        break;
    }
    return "";
}

/* The server log hears of each change of its state once, whoever sees it. */
static void note_answer(struct login_client *client, struct end *end,
                        const struct login_answer *answer)
{
    uint64_t now = loop_now_ms(client->means.loop);
    if (answer->result == LOGIN_UNAVAILABLE) {
        atomic_store(&end->away_ms, now);
        if (!atomic_exchange(&end->is_away, true))
            server_log_write(client->means.log, SERVER_ERROR,
                             "auth.backends: %s %s can't be asked: %s; logins "
                             "are answered 454 until it can",
                             end->kind->name, where(end),
                             answer->error == NULL ? "?" : answer->error);
        return;
    }
    /* Each worker has its own idea of now: that of another may lie ahead. */
    if (atomic_load(&end->is_away) &&
        now >= atomic_load(&end->away_ms) + BACK_AGAIN_MS &&
        atomic_exchange(&end->is_away, false))
        server_log_write(client->means.log, SERVER_INFO,
                         "auth.backends: %s %s answers again", end->kind->name,
                         where(end));
}

static void finish(struct login_query *query, const struct login_answer *answer)
{
    login_then *then = query->then;
    void *owner = query->owner;
    unlink_query(query);
    query_free(query);
    then(owner, answer);
}

static uint64_t kept_ms(const struct logins *logins,
                        const struct login_answer *given)
{
    uint64_t ms = given->cache_ms > logins->auth->cache ? given->cache_ms
                                                        : logins->auth->cache;
    return given->expires_ms > 0 && given->expires_ms < ms ? given->expires_ms
                                                           : ms;
}

/* A claim that a back-end accepted, or that has proven itself: that makes it
 * somebody, who may act as whom it wants, or not. */
static void accept(struct login_query *query, const struct login_answer *given)
{
    const struct logins *logins = query->client->logins;
    uint64_t now = loop_now_ms(query->client->means.loop);
    struct login_answer answer;
    struct arena arena;
    arena_init(&arena, ANSWER_ARENA_CAP);
    identity_settle(&logins->book, &query->claim, given, &arena, &answer);
    if (answer.result == LOGIN_OK && query->claim.kind != CLAIM_PROVEN)
        login_cache_keep(logins->cache, &query->claim, &answer, now,
                         kept_ms(logins, given));
    finish(query, &answer);
    arena_release(&arena);
}

static void ask_next(struct login_query *query);

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct login_query *query = owner;
    struct login_client *client = query->client;
    query->asked = NULL;
    note_answer(client, &client->logins->ends[query->next_end - 1], answer);
    if (answer->result == LOGIN_OK) {
        accept(query, answer);
        return;
    }
    if (answer->result == LOGIN_UNAVAILABLE)
        query->was_unavailable = true;
    ask_next(query);
}

static void ask_next(struct login_query *query)
{
    const struct login_client *client = query->client;
    const struct logins *logins = client->logins;
    while (query->next_end < logins->end_count) {
        size_t i = query->next_end++;
        const struct back_end_kind *kind = logins->ends[i].kind;
        if (!kind->claims[query->claim.kind])
            continue;
        query->asked =
            kind->ask(client->opened[i], &query->claim, on_answer, query);
        if (query->asked != NULL)
            return;
        query->was_unavailable = true;
    }
    finish(query, &(struct login_answer){.result = query->was_unavailable
                                                       ? LOGIN_UNAVAILABLE
                                                       : LOGIN_FAILED});
}

static void begin(struct login_query *query)
{
    struct login_client *client = query->client;
    struct login_answer answer = {.result = LOGIN_OK};
    struct arena arena;
    arena_init(&arena, ANSWER_ARENA_CAP);
    if (query->claim.kind == CLAIM_PROVEN) {
        answer.user = login_normalise(&arena, query->claim.name);
        accept(query, &answer);
    } else if (login_cache_find(client->logins->cache, &query->claim,
                                loop_now_ms(client->means.loop), &arena,
                                &answer)) {
        finish(query, &answer);
    } else {
        ask_next(query);
    }
    arena_release(&arena);
}

static void run_later(struct loop_later *later)
{
    struct login_query *query =
        (struct login_query *)((char *)later -
                               offsetof(struct login_query, later));
    if (query->is_cancelled)
        query_free(query);
    else
        begin(query);
}

/* A terminated copy. */
static struct str keep(struct login_query *query, struct str text)
{
    char *to = query->octets + query->length;
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    query->length += text.n + 1;
    return str_span(to, text.n);
}

struct login_query *login_ask(struct login_client *client,
                              const struct claim *claim, login_then *then,
                              void *owner)
{
    size_t room = claim->name.n + claim->authzid.n + claim->secret.n +
                  claim->session.n + claim->net.n + 5;
    struct login_query *query = calloc(1, sizeof *query + room);
    if (query == NULL)
        return NULL;
    query->client = client;
    query->claim = *claim;
    query->claim.name = keep(query, claim->name);
    query->claim.authzid = keep(query, claim->authzid);
    query->claim.secret = keep(query, claim->secret);
    query->claim.session = keep(query, claim->session);
    query->claim.net = keep(query, claim->net);
    query->then = then;
    query->owner = owner;
    query->later.run = run_later;
    query->next = client->queries;
    if (query->next != NULL)
        query->next->previous = query;
    client->queries = query;
    loop_later(client->means.loop, &query->later);
    return query;
}

void login_cancel(struct login_query *query)
{
    struct login_client *client = query->client;
    query->is_cancelled = true;
    unlink_query(query);
    if (query->later.is_queued)
        return;
    assert(query->asked != NULL);
    client->logins->ends[query->next_end - 1].kind->cancel(query->asked);
    query_free(query);
}

bool login_takes(const struct login_client *client, enum claim_kind kind)
{
    const struct logins *logins = client->logins;
    for (size_t i = 0; i < logins->end_count; i++)
        if (logins->ends[i].kind->claims[kind])
            return true;
    return false;
}

bool login_all_hold_scram(const struct login_client *client)
{
    const struct logins *logins = client->logins;
    for (size_t i = 0; i < logins->end_count; i++)
        if (logins->ends[i].kind->claims[CLAIM_PASSWORD] &&
            logins->ends[i].kind != &back_end_users)
            return false;
    return logins->book.holds_scram;
}

void login_scram_verifier(const struct login_client *client, struct str name,
                          struct scram_verifier *out)
{
    user_secrets_scram(&client->logins->book, name, out);
}

void login_cram_contexts(const struct login_client *client, struct str name,
                         uint8_t out[CRAM_CONTEXTS])
{
    user_secrets_cram(&client->logins->book, name, out);
}

uint64_t login_note_failure(struct login_client *client, struct str net,
                            struct str name, bool is_known)
{
    const struct logins *logins = client->logins;
    struct str tried = STR("");
    struct arena arena;
    arena_init(&arena, ANSWER_ARENA_CAP);
    if (!is_known && name.n > 0) {
        tried = login_normalise(&arena, name);
        if (tried.p == NULL)
            tried = name;
    }
    uint64_t ms = failure_delay_note(logins->failures, net, tried,
                                     loop_now_ms(client->means.loop),
                                     logins->auth->delay);
    arena_release(&arena);
    return ms;
}
