/* One world at a time, on one thread: its users are found by a variable of
 * this file, as what is replaced has no other place to keep them. */
#include "tests/dialogue/fake_login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/md5.h>

#include "proxy/login/hash_threads.h"
#include "proxy/login/user_book.h"
#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/fake_tokens.h"

#define USERS_MAX 8

struct hash_query {
    struct hash_query *next;
    char password[256];
    const struct script_user *user; /* NULL: it is a stand-in's */
    hash_then *then;
    void *owner;
};

static struct fake_logins *world;
static struct user known[USERS_MAX];

/* What the users' passwords come to: made once, as it takes its time. */
static struct keys {
    struct str password; /* borrowed from the script */
    struct scram_verifier scram;
    uint8_t cram[CRAM_CONTEXTS];
} keys[USERS_MAX];

static void make_contexts(struct str password, uint8_t out[CRAM_CONTEXTS])
{
    for (size_t half = 0; half < 2; half++) {
        MD5_CTX md5;
        uint8_t block[MD5_CBLOCK] = {0};
        memcpy(block, password.p, password.n);
        for (size_t i = 0; i < sizeof block; i++)
            block[i] ^= half == 0 ? 0x5c : 0x36;
        MD5_Init(&md5);
        MD5_Update(&md5, block, sizeof block);
        for (size_t i = 0; i < CRAM_DIGEST; i++)
            out[half * CRAM_DIGEST + i] =
                (uint8_t)(md5.h[i / 4] >> 8 * (i % 4));
    }
}

static void make_keys(const struct script_user *user, struct keys *made)
{
    if (user->keys == KEYS_HASH || str_equals(made->password, user->password))
        return;
    *made = (struct keys){.password = user->password,
                          .scram = {.salt = "the salt of this",
                                    .salt_length = 16,
                                    .iterations = SCRAM_ITERATIONS_MIN}};
    make_contexts(user->password, made->cram);
    if (scram_verifier_derive(&made->scram, user->password))
        abort();
}

static struct password_hash hash_of(const struct script_user *user, size_t i)
{
    switch (user->keys) {
    case KEYS_SCRAM:
        return (struct password_hash){.kind = PASSWORD_SCRAM,
                                      .scram = &keys[i].scram};
    case KEYS_CRAM:
        return (struct password_hash){.kind = PASSWORD_CRAM_MD5,
                                      .cram = keys[i].cram};
    case KEYS_HASH:
        break;
    }
    return (struct password_hash){.kind = PASSWORD_CRYPT};
}

void fake_login_use(struct fake_logins *logins)
{
    world = logins;
    for (size_t i = 0; i < world->script->user_count; i++) {
        const struct script_user *from = &world->script->users[i];
        make_keys(from, &keys[i]);
        known[i] = (struct user){
            .name = from->name,
            .password = hash_of(from, i),
            .addresses = from->addresses,
            .address_count = from->address_count,
            .groups = from->groups,
            .group_count = from->group_count,
            .may_act_as = from->may_act_as,
            .may_act_as_count = from->may_act_as_count,
        };
    }
    fake_tokens_use(logins);
}

int user_book_read(struct user_book *book, const struct auth_settings *auth,
                   struct files *files, struct diags *diags)
{
    (void)auth;
    (void)files;
    (void)diags;
    book->user_count = world->script->user_count;
    book->holds_scram = book->user_count > 0;
    for (size_t i = 0; i < book->user_count; i++)
        if (known[i].password.kind != PASSWORD_SCRAM)
            book->holds_scram = false;
    return 0;
}

void user_book_release(struct user_book *book)
{
    (void)book;
}

/* A dialogue's users stay. */
void user_book_exchange(struct user_book *book, struct user_book *fresh)
{
    (void)book, (void)fresh;
    abort();
}

const struct user *user_book_find(const struct user_book *book, struct str name)
{
    for (size_t i = 0; i < book->user_count; i++)
        if (str_equals_nocase(known[i].name, name))
            return &known[i];
    return NULL;
}

const struct user *user_book_find_name(const struct user_book *book,
                                       struct str name)
{
    return user_book_find(book, name);
}

const struct user *user_book_stand_in(const struct user_book *book,
                                      struct str name)
{
    static const struct user nobody = {.password = {.kind = PASSWORD_CRYPT}};
    (void)book;
    (void)name;
    return &nobody;
}

const struct user *user_book_choose(const struct user_book *book,
                                    enum password_kind kind, struct str name)
{
    (void)name;
    for (size_t i = 0; i < book->user_count; i++)
        if (known[i].password.kind == kind)
            return &known[i];
    return NULL;
}

struct hash_threads *hash_threads_new(void)
{
    static char place;
    return (struct hash_threads *)(void *)&place;
}

int hash_threads_start(struct hash_threads *threads)
{
    (void)threads;
    return 0;
}

void hash_threads_free(struct hash_threads *threads)
{
    (void)threads;
}

struct hash_client *hash_client_new(struct hash_threads *threads,
                                    struct loop *loop)
{
    (void)loop;
    return (struct hash_client *)(void *)threads;
}

void hash_client_free(struct hash_client *client)
{
    (void)client;
}

static const struct script_user *user_of(const struct password_hash *hash)
{
    size_t i = 0;
    while (&known[i].password != hash)
        i++;
    return &world->script->users[i];
}

struct hash_query *hash_ask(struct hash_client *client,
                            const struct claim *claim,
                            const struct password_hash *hash, bool is_stand_in,
                            hash_then *then, void *owner)
{
    (void)client;
    if (alloc_fault_strikes())
        return NULL;
    struct hash_query *query = plain_alloc(sizeof *query);
    snprintf(query->password, sizeof query->password, "%.*s",
             (int)claim->secret.n, claim->secret.p);
    query->user = is_stand_in ? NULL : user_of(hash);
    query->then = then;
    query->owner = owner;
    query->next = world->queries;
    world->queries = query;
    return query;
}

void hash_cancel(struct hash_query *query)
{
    struct hash_query **at = &world->queries;
    while (*at != query)
        at = &(*at)->next;
    *at = query->next;
    plain_free(query);
}

static bool is_right(const struct hash_query *query)
{
    return query->user &&
           str_equals(query->user->password, str_from(query->password));
}

bool fake_login_turn(struct fake_logins *logins)
{
    struct hash_query *query = logins->queries;
    if (fake_tokens_turn(logins))
        return true;
    if (!query || logins->mode == LOGINS_HOLD)
        return false;
    enum login_result result = logins->mode == LOGINS_UNAVAILABLE
                                   ? LOGIN_UNAVAILABLE
                               : is_right(query) ? LOGIN_OK
                                                 : LOGIN_FAILED;
    logins->queries = query->next;
    alloc_fault_enter();
    query->then(query->owner, result);
    alloc_fault_leave();
    plain_free(query);
    return true;
}
