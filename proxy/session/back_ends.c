#include "proxy/session/back_ends.h"

#include "proxy/session/onward_login.h"
#include "proxy/session/session_internal.h"
#include "proxy/session/transaction.h"

static void answer(struct session *s, const struct login_answer *given)
{
    s->back_ends.on_answer(s, given);
}

/* An upstream tells no more of its users than that. */
static void accept_by_upstream(struct session *s)
{
    struct login_answer given = {.result = LOGIN_OK};
    given.user = login_normalise(&s->arena, s->onward.credentials.user);
    if (given.user.p == NULL)
        given.result = LOGIN_FAILED;
    else if (str_index(given.user, '@') >= 0)
        given.addresses = &given.user;
    given.address_count = given.addresses == NULL ? 0 : 1;
    answer(s, &given);
}

static void ask_next(struct session *s);

static void on_checked(void *owner, enum upstream_check_result result)
{
    struct session *s = owner;
    s->back_ends.check = NULL;
    if (result == UPSTREAM_CHECK_OK) {
        accept_by_upstream(s);
        return;
    }
    if (result == UPSTREAM_CHECK_UNAVAILABLE)
        s->back_ends.was_unavailable = true;
    ask_next(s);
}

static void ask_next(struct session *s)
{
    struct back_ends *asked = &s->back_ends;
    const struct auth_settings *auth = &s->host->settings->auth;
    while (asked->next < auth->backend_count) {
        const struct upstream_settings *upstream =
            auth->backends[asked->next++].upstream;
        if (upstream == NULL)
            continue;
        asked->check =
            upstream_check_start(s->host->upstreams, upstream, &asked->client,
                                 &s->onward.credentials, on_checked, s);
        if (asked->check != NULL)
            return;
        asked->was_unavailable = true;
    }
    answer(s, &(struct login_answer){.result = asked->was_unavailable
                                                   ? LOGIN_UNAVAILABLE
                                                   : LOGIN_FAILED});
}

static void on_users_asked(void *owner, const struct login_answer *given)
{
    struct session *s = owner;
    s->back_ends.query = NULL;
    if (given->result == LOGIN_OK) {
        answer(s, given);
        return;
    }
    s->back_ends.was_unavailable = given->result == LOGIN_UNAVAILABLE;
    ask_next(s);
}

bool back_ends_ask(struct session *s,
                   void (*on_answer)(struct session *s,
                                     const struct login_answer *answer))
{
    struct str name = str_span(s->sasl.name, s->sasl.name_length);
    struct str password = str_span(s->sasl.password, s->sasl.password_length);
    s->back_ends = (struct back_ends){.client = client_of_session(s),
                                      .on_answer = on_answer};
    if (onward_login_keep(s, name, password) != 0)
        return false;
    s->back_ends.query =
        login_ask(s->host->logins, name, password, on_users_asked, s);
    return s->back_ends.query != NULL;
}

void back_ends_cancel(struct session *s)
{
    if (s->back_ends.query != NULL)
        login_cancel(s->back_ends.query);
    if (s->back_ends.check != NULL)
        upstream_check_cancel(s->back_ends.check);
    s->back_ends.query = NULL;
    s->back_ends.check = NULL;
}
