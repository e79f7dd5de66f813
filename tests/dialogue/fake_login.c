#include "tests/dialogue/fake_login.h"

#include <stdio.h>
#include <string.h>

#include "tests/dialogue/alloc_fault.h"

struct login_query {
    struct login_query *next;
    struct login_client *client;
    char name[256], password[256];
    void (*on_answer)(void *owner, const struct login_answer *);
    void *owner;
};

struct logins *logins_new(const struct settings *settings, struct diags *diags)
{
    (void)settings;
    (void)diags;
    return NULL;
}

void logins_free(struct logins *logins)
{
    (void)logins;
}

struct login_client *login_client_new(struct logins *logins, struct loop *loop)
{
    (void)logins;
    (void)loop;
    return NULL;
}

void login_client_free(struct login_client *client)
{
    (void)client;
}

struct login_query *
login_ask(struct login_client *client, struct str name, struct str password,
          void (*on_answer)(void *owner, const struct login_answer *),
          void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    struct login_query *query = plain_alloc(sizeof *query);
    snprintf(query->name, sizeof query->name, "%.*s", (int)name.n, name.p);
    snprintf(query->password, sizeof query->password, "%.*s", (int)password.n,
             password.p);
    query->client = client;
    query->on_answer = on_answer;
    query->owner = owner;
    query->next = client->queries;
    client->queries = query;
    return query;
}

void login_cancel(struct login_query *query)
{
    if (!query)
        return;
    struct login_query **at = &query->client->queries;
    while (*at != query)
        at = &(*at)->next;
    *at = query->next;
    plain_free(query);
}

struct str login_normalise(struct arena *arena, struct str name)
{
    return arena_lower(arena, name);
}

static const struct script_user *find(const struct login_client *client,
                                      const struct login_query *query)
{
    const struct script *script = client->script;
    for (size_t i = 0; i < script->user_count; i++) {
        const struct script_user *user = &script->users[i];
        if (str_equals_nocase(user->name, str_from(query->name)) &&
            str_equals(user->password, str_from(query->password)))
            return user;
    }
    return NULL;
}

bool fake_login_turn(struct login_client *client)
{
    struct login_query *query = client->queries;
    if (!query || client->mode == LOGINS_HOLD)
        return false;
    struct login_answer answer = {.result = LOGIN_FAILED};
    const struct script_user *user = find(client, query);
    if (client->mode == LOGINS_UNAVAILABLE)
        answer.result = LOGIN_UNAVAILABLE;
    else if (user)
        answer = (struct login_answer){LOGIN_OK,        user->name,
                                       user->addresses, user->address_count,
                                       user->groups,    user->group_count};
    client->queries = query->next;
    alloc_fault_enter();
    query->on_answer(query->owner, &answer);
    alloc_fault_leave();
    plain_free(query);
    return true;
}
