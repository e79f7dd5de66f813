/* As in fake_login.c, the world is found by a variable of this file. */
#include "tests/dialogue/fake_tokens.h"

#include <stdio.h>

#include "proxy/login/back_end.h"
#include "tests/dialogue/alloc_fault.h"

struct token_query {
    struct token_query *next;
    const struct claim *claim; /* lasts until the answer, as is promised */
    login_then *then;
    void *owner;
};

static struct fake_logins *world;

void fake_tokens_use(struct fake_logins *logins)
{
    world = logins;
}

static void *open_tokens(const struct back_end_means *means,
                         const struct backend_settings *settings, void *shared)
{
    (void)means;
    (void)settings;
    (void)shared;
    return world;
}

static void close_tokens(void *opened)
{
    (void)opened;
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    struct fake_logins *logins = opened;
    if (alloc_fault_strikes())
        return NULL;
    struct token_query *query = plain_alloc(sizeof *query);
    *query = (struct token_query){logins->tokens, claim, then, owner};
    logins->tokens = query;
    return query;
}

static void cancel(void *asked)
{
    struct token_query **at = &world->tokens;
    while (*at != asked)
        at = &(*at)->next;
    *at = (*at)->next;
    plain_free(asked);
}

static struct login_answer judge(const struct fake_logins *logins,
                                 struct str text)
{
    const struct script *script = logins->script;
    if (logins->mode == LOGINS_UNAVAILABLE)
        return (struct login_answer){.result = LOGIN_UNAVAILABLE,
                                     .error = "the script says so"};
    for (size_t i = 0; i < script->token_count; i++)
        if (str_equals(script->tokens[i].text, text))
            return (struct login_answer){
                .result = LOGIN_OK,
                .user = script->tokens[i].user,
                .expires_ms = script->tokens[i].expires_ms,
            };
    return (struct login_answer){.result = LOGIN_FAILED};
}

bool fake_tokens_turn(struct fake_logins *logins)
{
    struct token_query *query = logins->tokens;
    if (!query || logins->mode == LOGINS_HOLD)
        return false;
    struct login_answer answer = judge(logins, query->claim->secret);
    login_then *then = query->then;
    void *owner = query->owner;
    logins->tokens = query->next;
    plain_free(query);
    alloc_fault_enter();
    then(owner, &answer);
    alloc_fault_leave();
    return true;
}

const struct back_end_kind back_end_jwt = {
    .name = "jwt",
    .claims = {[CLAIM_TOKEN] = true},
    .open = open_tokens,
    .close = close_tokens,
    .ask = ask,
    .cancel = cancel,
};
