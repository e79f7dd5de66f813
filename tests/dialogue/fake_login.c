/* One world at a time, on one thread: its users are found by a variable of
 * this file, as what is replaced has no other place to keep them. */
#include "tests/dialogue/fake_login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/login/hash_threads.h"
#include "proxy/login/user_book.h"
#include "tests/dialogue/alloc_fault.h"

#define USERS_MAX 8

struct hash_query {
    struct hash_query *next;
    char password[256];
    const struct user *user;
    bool is_stand_in;
    hash_then *then;
    void *owner;
};

static struct fake_logins *world;
static struct user known[USERS_MAX];

void fake_login_use(struct fake_logins *logins)
{
    world = logins;
    for (size_t i = 0; i < world->script->user_count; i++) {
        const struct script_user *from = &world->script->users[i];
        known[i] = (struct user){
            .name = from->name,
            .password = {.kind = PASSWORD_CRYPT},
            .addresses = from->addresses,
            .address_count = from->address_count,
            .groups = from->groups,
            .group_count = from->group_count,
        };
    }
}

int user_book_read(struct user_book *book, const struct auth_settings *auth,
                   struct diags *diags)
{
    (void)auth;
    (void)diags;
    book->user_count = world->script->user_count;
    return 0;
}

void user_book_release(struct user_book *book)
{
    (void)book;
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
    static const struct user nobody;
    (void)book;
    (void)name;
    return &nobody;
}

const struct user *user_book_choose(const struct user_book *book,
                                    enum password_kind kind, struct str name)
{
    (void)book;
    (void)kind;
    (void)name;
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

struct hash_query *hash_ask(struct hash_client *client,
                            const struct claim *claim, const struct user *user,
                            bool is_stand_in, hash_then *then, void *owner)
{
    (void)client;
    if (alloc_fault_strikes())
        return NULL;
    struct hash_query *query = plain_alloc(sizeof *query);
    snprintf(query->password, sizeof query->password, "%.*s",
             (int)claim->secret.n, claim->secret.p);
    query->user = user;
    query->is_stand_in = is_stand_in;
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
    size_t i = query->is_stand_in ? 0 : (size_t)(query->user - known);
    return !query->is_stand_in && str_equals(world->script->users[i].password,
                                             str_from(query->password));
}

bool fake_login_turn(struct fake_logins *logins)
{
    struct hash_query *query = logins->queries;
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
