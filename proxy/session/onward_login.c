#include "proxy/session/onward_login.h"

#include "proxy/session/session_internal.h"
#include "proxy/session/transaction.h"
#include "rules/fact_values.h"

static bool is_wanted(const struct settings *settings)
{
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (settings->upstreams[i].login.kind == LOGIN_OF_CLIENT)
            return true;
    return false;
}

int onward_login_keep(struct session *s, struct str name, struct str password)
{
    const struct credentials credentials = {
        .user = name, .secret = password, .session = str_from(s->id)};
    onward_login_forget(s);
    if (!is_wanted(s->host->settings))
        return 0;
    return credentials_keep(&s->onward, &credentials);
}

void onward_login_forget(struct session *s)
{
    credentials_release(&s->onward);
}

/* The fact's value; n 0: it has none. */
static struct str value_of(struct session *s, const struct fact_ref *by)
{
    struct fact_reader reader;
    struct fact_values values;
    fact_reader_init(&reader, &s->facts, &s->transaction->arena);
    if (fact_values_read(&reader, by, &values) != 0 || !values.is_known ||
        values.count == 0)
        return STR("");
    return values.items[0];
}

static bool choose_by_fact(struct session *s, struct reply *reply)
{
    struct transaction *t = s->transaction;
    const struct upstream_settings *upstream = t->upstream;
    struct str value = value_of(s, &upstream->login.by);
    credentials_release(&t->login);
    if (upstreams_credentials(s->host->upstreams, upstream, value, &t->login) !=
        0) {
        *reply = (struct reply){451, STR("4.3.0"), STR("Out of memory")};
        return false;
    }
    t->envelope.credentials = &t->login.credentials;
    if (t->login.octets != NULL)
        return true;
    t->envelope.credentials = NULL;
    server_log_write(s->host->log, SERVER_ERROR,
                     "%s: upstream %.*s: the file of login.credentials has no "
                     "line for \"%.*s\"",
                     t->id, (int)upstream->name.n, upstream->name.p,
                     (int)value.n, value.n == 0 ? "" : value.p);
    *reply = (struct reply){451, STR("4.3.5"),
                            STR("The mail server behind this one has no login "
                                "for you, try again later")};
    return false;
}

bool onward_login_choose(struct session *s, struct reply *reply)
{
    struct transaction *t = s->transaction;
    enum login_kind kind = t->upstream->login.kind;
    if (kind == LOGIN_BY_FACT)
        return choose_by_fact(s, reply);
    if (kind != LOGIN_OF_CLIENT)
        return true;
    t->envelope.credentials = &s->onward.credentials;
    if (s->user.n > 0 && s->onward.octets != NULL)
        return true;
    *reply = (struct reply){530, STR("5.7.0"),
                            STR("The mail server behind this one wants your "
                                "login: authenticate first")};
    return false;
}
