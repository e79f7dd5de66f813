/* The chain: a question goes from one back-end to the next, and always begins
 * at the end of the turn, so that no answer comes from inside. */
#include "proxy/login/login.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/identity.h"
#include "proxy/login/logins.h"
#include "proxy/login/user_secrets.h"

#define ANSWER_ARENA_CAP ((size_t)1024 * 1024)

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
    uint64_t edition;   /* of the users files, when it was begun */
    login_then *then;
    void *owner;
    size_t next_asked; /* the back-end that comes next */
    void *asked;       /* the question that is with the one before; or NULL */
    bool was_unavailable;
    bool is_cancelled;
    struct loop_later later;
    size_t length;
    char octets[];
};

struct login_client *login_client_new(struct logins *logins,
                                      const struct back_end_means *means)
{
    struct login_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->logins = logins;
    client->means = *means;
    const struct back_ends *all = &logins->back_ends;
    client->opened = calloc(all->count + 1, sizeof *client->opened);
    for (size_t i = 0; client->opened != NULL && i < all->count; i++) {
        const struct back_end_entry *one = &all->items[i];
        client->opened[i] = one->kind->open(means, one->settings, one->shared);
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
    const struct back_ends *all = &client->logins->back_ends;
    for (size_t i = 0; i < all->count; i++)
        if (client->opened[i] != NULL)
            all->items[i].kind->close(client->opened[i]);
    free(client->opened);
    free(client);
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
    identity_settle(book_keeper_lend(logins->keeper), &query->claim, given,
                    &arena, &answer);
    book_keeper_give_back(logins->keeper);
    if (answer.result == LOGIN_OK && query->claim.kind != CLAIM_PROVEN)
        login_cache_keep(logins->cache,
                         &(struct judged){&query->claim, query->edition},
                         &answer, now, kept_ms(logins, given));
    finish(query, &answer);
    arena_release(&arena);
}

static void ask_next(struct login_query *query);

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct login_query *query = owner;
    struct login_client *client = query->client;
    query->asked = NULL;
    back_ends_note(&client->logins->back_ends.items[query->next_asked - 1],
                   answer, client->means.log, loop_now_ms(client->means.loop));
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
    while (query->next_asked < logins->back_ends.count) {
        size_t i = query->next_asked++;
        const struct back_end_kind *kind = logins->back_ends.items[i].kind;
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
    query->edition = book_keeper_edition(client->logins->keeper);
    const struct judged judged = {&query->claim, query->edition};
    if (query->claim.kind == CLAIM_PROVEN) {
        answer.user = login_normalise(&arena, query->claim.name);
        accept(query, &answer);
    } else if (login_cache_find(client->logins->cache, &judged,
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
    client->logins->back_ends.items[query->next_asked - 1].kind->cancel(
        query->asked);
    query_free(query);
}

bool login_takes(const struct login_client *client, enum claim_kind kind)
{
    return back_ends_take(&client->logins->back_ends, kind);
}

bool login_all_hold_scram(const struct login_client *client)
{
    return back_ends_are_users(&client->logins->back_ends) &&
           book_keeper_holds_scram(client->logins->keeper);
}

void login_scram_verifier(const struct login_client *client, struct str name,
                          struct scram_verifier *out)
{
    struct book_keeper *keeper = client->logins->keeper;
    user_secrets_scram(book_keeper_lend(keeper), name, out);
    book_keeper_give_back(keeper);
}

void login_cram_contexts(const struct login_client *client, struct str name,
                         uint8_t out[CRAM_CONTEXTS])
{
    struct book_keeper *keeper = client->logins->keeper;
    user_secrets_cram(book_keeper_lend(keeper), name, out);
    book_keeper_give_back(keeper);
}

uint64_t login_note_failure(struct login_client *client, struct str net,
                            struct str name, bool is_known)
{
    const struct logins *logins = client->logins;
    char normal[LOGIN_NAME_ROOM];
    struct str tried = is_known ? STR("") : login_name_key(name, normal);
    return failure_delay_note(logins->failures, net, tried,
                              loop_now_ms(client->means.loop),
                              logins->auth->delay);
}
