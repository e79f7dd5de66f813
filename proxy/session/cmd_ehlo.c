/* EHLO and HELO: a new start, and what Postern can do met with what the
 * upstream can (design section 7). */
#include <stdio.h>

#include "proxy/session/command_table.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "proxy/smtp/params.h"

/* Kept for the session: what was promised once holds to its end. The newest
 * policy says where its mail may go. */
static void learn_offer(struct session *s)
{
    const struct settings *settings = s->host->policy;
    struct capabilities *offer = &s->offered;
    if (s->has_offered)
        return;
    upstreams_capabilities(s->host->upstreams, s->listener->upstream, offer);
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *other = &settings->upstreams[i];
        struct capabilities theirs;
        if (!other->is_routed || !other->is_advertised)
            continue;
        upstreams_capabilities(s->host->upstreams, other, &theirs);
        capabilities_intersect(offer, &theirs);
    }
    if (offer->size == 0 || offer->size > settings->caps.message)
        offer->size = settings->caps.message;
    s->has_offered = true;
}

static bool offers_auth(const struct session *s)
{
    return s->listener->auth != AUTH_NONE && stream_is_secure(s->stream);
}

static void reply_ehlo(struct session *s)
{
    const struct settings *settings = session_settings(s);
    bool offers_tls =
        s->listener->tls == LISTENER_STARTTLS && !stream_is_secure(s->stream);
    char text[1024];
    int n =
        snprintf(text, sizeof text,
                 "%.*s\nPIPELINING\nSIZE %llu%s%s%s%s%s"
                 "\nENHANCEDSTATUSCODES",
                 (int)settings->hostname.n, settings->hostname.p,
                 (unsigned long long)s->offered.size,
                 offers_tls ? "\nSTARTTLS" : "", offers_auth(s) ? "\nAUTH" : "",
                 offers_auth(s) && settings->auth.plain ? " PLAIN" : "",
                 offers_auth(s) && settings->auth.login ? " LOGIN" : "",
                 s->offered.has_8bitmime ? "\n8BITMIME" : "");
    struct reply reply = {250, STR(""), str_span(text, n < 0 ? 0 : (size_t)n)};
    session_reply_upstream(s, &reply);
}

static void reply_helo(struct session *s)
{
    struct reply reply = {250, STR(""), session_settings(s)->hostname};
    session_reply_upstream(s, &reply);
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    session_note_greeting(s, verdict);
    if (verdict->kind != VERDICT_PASS) {
        session_enter(s, SESSION_NEW);
        session_reply_verdict(s, verdict);
        if (verdict->kind == VERDICT_CLOSE)
            session_close(s, SESSION_END_POLICY);
        return;
    }
    learn_offer(s);
    session_enter(s, SESSION_READY);
    if (str_equals(facts_text(&s->facts, FACT_HELO_VERB), STR("EHLO")))
        reply_ehlo(s);
    else
        reply_helo(s);
}

/* RFC 5321 4.1.4: EHLO resets as RSET does. */
void cmd_ehlo(struct session *s, const struct command *command)
{
    if (!helo_name_is_valid(command->argument)) {
        session_bad_command(s, 501, "5.5.4",
                            "Give a host name or an address literal");
        return;
    }
    if (s->transaction != NULL)
        transaction_end(s);
    struct str name = arena_str(&s->arena, command->argument);
    if (name.p == NULL) {
        session_hang_up(s, SESSION_END_CAP, "4.3.0", "Too many greetings");
        return;
    }
    facts_set_text(&s->facts, FACT_HELO_NAME, name);
    facts_set_text(&s->facts, FACT_HELO_VERB,
                   str_from(verb_name(command->verb)));
    /* A route that rules chose for an earlier greeting, perhaps one in clear
     * text, does not outlive it. */
    s->effects.route = s->connect_route;
    session_renew_settings(s);
    policy_ask_session(s, STAGE_HELO, on_vetted);
}
