/* AUTH towards the upstream (RFC 4954), right behind the EHLO that offers it.
 * A login that is refused is a fault of the set-up; a token that was used
 * before may have run out, so that it is renewed, once. */
#include "proxy/upstream/upstream_internal.h"

#include "rules/base/stack_wipe.h"

#include <string.h>

/* The safest first: with SCRAM the server never learns the password. */
static const enum login_mechanism preferred[] = {
    MECHANISM_SCRAM_SHA_256, MECHANISM_PLAIN,   MECHANISM_LOGIN,
    MECHANISM_OAUTHBEARER,   MECHANISM_XOAUTH2,
};

static bool wants_login(const struct upstream *upstream)
{
    const struct upstream_target *target = &upstream->target;
    return (target->credentials != NULL || target->tokens != NULL) &&
           !upstream->is_logged_in;
}

void upstream_log_in(struct upstream *upstream)
{
    if (!wants_login(upstream))
        upstream_become_ready(upstream);
    else
        upstream_enter(upstream, upstream->target.tokens != NULL
                                     ? UPSTREAM_TOKEN
                                     : UPSTREAM_AUTH);
}

void upstream_end_login(struct upstream *upstream)
{
    if (upstream->target.tokens != NULL)
        token_source_forget(upstream->target.tokens, &upstream->token_wait);
    credentials_release(&upstream->login);
    sasl_client_free(upstream->sasl);
    upstream->sasl = NULL;
}

static int keep_login(struct upstream *upstream,
                      const struct credentials *credentials)
{
    credentials_release(&upstream->login);
    if (credentials_keep(&upstream->login, credentials) == 0)
        return 0;
    upstream_fail(upstream, FAULT_MEMORY, "no memory to log in");
    return -1;
}

static void on_token(void *owner, struct str token, const char *error)
{
    struct upstream *upstream = owner;
    const struct credentials credentials = {
        .user = upstream->target.upstream->login.user,
        .secret = token,
        .session = STR(""),
    };
    if (token.p == NULL)
        upstream_fail(upstream, FAULT_SET_UP, "%s: %s",
                      upstream->target.upstream->login.token_command != NULL
                          ? "token_command"
                          : "token_file",
                      error);
    else if (keep_login(upstream, &credentials) == 0)
        upstream_enter(upstream, UPSTREAM_AUTH);
}

void upstream_ask_token(struct upstream *upstream)
{
    upstream->token_wait.on_token = on_token;
    upstream->token_wait.owner = upstream;
    token_source_ask(upstream->target.tokens, &upstream->token_wait);
}

/* Which mechanism to use; false: none, which fails. */
static bool choose(struct upstream *upstream, enum login_mechanism *out)
{
    unsigned allowed = upstream->target.upstream->login.mechanisms;
    for (size_t i = 0; i < sizeof preferred / sizeof *preferred; i++) {
        *out = preferred[i];
        struct str name = str_from(sasl_client_mechanism_name(*out));
        if ((allowed & 1U << *out) != 0 &&
            capabilities_offer_mechanism(&upstream->capabilities, name))
            return true;
    }
    upstream_fail(upstream, FAULT_SET_UP, "%s",
                  upstream->capabilities.has_auth
                      ? "it offers no mechanism that login may use; see "
                        "login.mechanism"
                      : "it is not offered; does the server want TLS first, "
                        "or no login at all?");
    upstream->fault.code = 250;
    return false;
}

static void send_line(struct upstream *upstream, struct str before,
                      struct str text)
{
    char line[BASE64_TEXT_MAX + 64];
    int n = snprintf(line, sizeof line, "%.*s%s%.*s\r\n", (int)before.n,
                     before.p, before.n > 0 && text.p != NULL ? " " : "",
                     (int)text.n, text.p == NULL ? "" : text.p);
    if (n > 0 && (size_t)n < sizeof line)
        upstream_send(upstream, str_span(line, (size_t)n), 1);
    else
        upstream_fail(upstream, FAULT_SET_UP, "the login is too long");
    explicit_bzero(line, sizeof line);
}

static void go_on(struct upstream *upstream, enum sasl_client_next next,
                  struct str before, struct str response)
{
    stack_wipe();
    if (next == SASL_CLIENT_RESPOND)
        send_line(upstream, before, response);
    else
        upstream_fail(upstream, FAULT_PROTOCOL, "%s", upstream->sasl->error);
}

void upstream_send_auth(struct upstream *upstream)
{
    const struct upstream_target *target = &upstream->target;
    struct sasl_login login = {
        .host = target->server->host,
        .port = target->server->port,
        .keys = target->keys,
    };
    char verb[64];
    struct str response;
    if (!choose(upstream, &login.mechanism) ||
        (target->credentials != NULL &&
         keep_login(upstream, target->credentials) != 0))
        return;
    login.user = upstream->login.credentials.user;
    login.secret = upstream->login.credentials.secret;
    sasl_client_free(upstream->sasl);
    upstream->sasl = sasl_client_new(&login);
    if (upstream->sasl == NULL) {
        upstream_fail(upstream, FAULT_MEMORY, "no memory to log in");
        return;
    }
    snprintf(verb, sizeof verb, "AUTH %s",
             sasl_client_mechanism_name(login.mechanism));
    enum sasl_client_next next = sasl_client_begin(upstream->sasl, &response);
    /* RFC 4954 4: an initial response that is empty is written "=". */
    if (next == SASL_CLIENT_RESPOND && response.p != NULL && response.n == 0)
        response = STR("=");
    go_on(upstream, next, str_from(verb), response);
}

static void fail_refused(struct upstream *upstream, const struct reply *reply)
{
    struct token_source *tokens = upstream->target.tokens;
    /* They may be those of a password that was changed meanwhile. */
    explicit_bzero(upstream->target.keys, sizeof *upstream->target.keys);
    int length = (int)(reply->text.n < 160 ? reply->text.n : 160);
    if (tokens != NULL &&
        token_source_refuse(tokens, upstream->login.credentials.secret)) {
        upstream_enter(upstream, UPSTREAM_TOKEN);
        return;
    }
    upstream_fail(upstream, FAULT_SET_UP,
                  "%s as %.*s was refused with %d %.*s: is the login right?",
                  sasl_client_mechanism_name(upstream->sasl->login.mechanism),
                  (int)upstream->login.credentials.user.n,
                  upstream->login.credentials.user.p, reply->code, length,
                  length == 0 ? "" : reply->text.p);
    upstream->fault.code = reply->code;
}

void upstream_answer_auth(struct upstream *upstream, const struct reply *reply)
{
    struct str response;
    if (reply->code == 334) {
        enum sasl_client_next next =
            sasl_client_respond(upstream->sasl, reply->text, &response);
        upstream_arm(upstream);
        go_on(upstream, next, STR(""), response);
    } else if (reply->code == 235 && sasl_client_has_ended(upstream->sasl)) {
        upstream_end_login(upstream);
        upstream->is_logged_in = true;
        upstream_become_ready(upstream);
    } else if (reply->code == 235) {
        upstream_fail(upstream, FAULT_PROTOCOL,
                      "it accepted the login before its end");
    } else if (reply->code >= 500 && reply->code <= 599) {
        fail_refused(upstream, reply);
    } else if (reply->code >= 400) {
        /* Not now: another server may. */
        upstream_fail(upstream, FAULT_GREETING, "%d %.*s", reply->code,
                      (int)reply->text.n, reply->text.p);
    } else {
        upstream_fail(upstream, FAULT_PROTOCOL, "%d is no answer to it",
                      reply->code);
    }
}
