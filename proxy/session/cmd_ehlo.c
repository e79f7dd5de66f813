/* EHLO and HELO: a new start, and what Postern can do met with what the
 * upstream can (design section 7). */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proxy/session/auth_offer.h"
#include "proxy/session/command_table.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "proxy/smtp/helo_name.h"

/* What the upstreams that this session's mail may go to have in common. */
static void meet_upstreams(const struct session *s, struct capabilities *offer)
{
    const struct settings *settings = s->host->policy;
    upstreams_capabilities(s->host->upstreams, s->listener->upstream, offer);
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *other = &settings->upstreams[i];
        struct capabilities theirs;
        if (!other->is_routed || !other->is_advertised)
            continue;
        upstreams_capabilities(s->host->upstreams, other, &theirs);
        capabilities_intersect(offer, &theirs);
    }
}

/* Kept for the session: what was promised once holds to its end, but for what
 * TLS brings. The newest policy says where its mail may go. */
static void learn_offer(struct session *s)
{
    const struct settings *settings = s->host->policy;
    struct capabilities *offer = &s->offered;
    if (s->has_offered && s->offered_secure == stream_is_secure(s->stream))
        return;
    meet_upstreams(s, offer);
    if (offer->size == 0 || offer->size > settings->caps.message)
        offer->size = settings->caps.message;
    if (offer->rcpt_max == 0 || offer->rcpt_max > settings->caps.recipients)
        offer->rcpt_max = settings->caps.recipients;
    if (ruleset_routes_by_recipient(settings->rules) &&
        settings->split == SPLIT_DEFER)
        offer->rcpt_domain_max = 1;
    /* RFC 8689 4.2.1: not in clear text. */
    if (!stream_is_secure(s->stream))
        offer->has_requiretls = false;
    s->has_offered = true;
    s->offered_secure = stream_is_secure(s->stream);
}

/* The lines of an answer to EHLO. */
struct offer_text {
    char octets[2048];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct offer_text *text,
                                                      const char *format, ...)
{
    size_t room = sizeof text->octets - text->used;
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text->octets + text->used, room, format, arguments);
    va_end(arguments);
    /* A host name and numbers: far less than there is room for. */
    assert(n >= 0 && (size_t)n < room);
    text->used += (size_t)n;
}

static void add_auth(struct offer_text *text, const struct session *s)
{
    unsigned offered = auth_offers(s);
    if (offered == 0)
        return;
    add(text, "\nAUTH");
    for (enum sasl_mechanism m = 0; m < SASL_MECHANISMS; m++)
        if ((offered & 1U << m) != 0)
            add(text, " %s", sasl_mechanism_name(m));
}

/* What the upstreams have in common; the numbers are theirs too. */
static void add_extensions(struct offer_text *text,
                           const struct capabilities *offer)
{
    for (enum extension i = 0; i < EXTENSION_COUNT; i++) {
        if (!capabilities_have(offer, i))
            continue;
        struct str keyword = extension_keyword(i);
        add(text, "\n%.*s", (int)keyword.n, keyword.p);
        if (i == EXTENSION_FUTURERELEASE)
            add(text, " %llu%s%s", (unsigned long long)offer->hold_seconds,
                offer->hold_until[0] != '\0' ? " " : "", offer->hold_until);
        if (i == EXTENSION_MT_PRIORITY && offer->priority_policy[0] != '\0')
            add(text, " %s", offer->priority_policy);
        if (i == EXTENSION_DELIVERBY && offer->deliverby_seconds > 0)
            add(text, " %llu", (unsigned long long)offer->deliverby_seconds);
    }
}

static void add_limits(struct offer_text *text,
                       const struct capabilities *offer)
{
    add(text, "\nLIMITS RCPTMAX=%llu", (unsigned long long)offer->rcpt_max);
    if (offer->rcpt_domain_max > 0)
        add(text, " RCPTDOMAINMAX=%llu",
            (unsigned long long)offer->rcpt_domain_max);
}

static void reply_ehlo(struct session *s)
{
    const struct settings *settings = session_settings(s);
    struct offer_text text = {.used = 0};
    add(&text, "%.*s\nPIPELINING\nSIZE %llu", (int)settings->hostname.n,
        settings->hostname.p, (unsigned long long)s->offered.size);
    if (s->listener->tls == LISTENER_STARTTLS && !stream_is_secure(s->stream))
        add(&text, "\nSTARTTLS");
    add_auth(&text, s);
    add(&text, "\nENHANCEDSTATUSCODES\nCHUNKING");
    add_extensions(&text, &s->offered);
    add_limits(&text, &s->offered);
    struct reply reply = {250, STR(""), str_span(text.octets, text.used)};
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
    s->is_behind_refused = false;
    if (s->transaction != NULL)
        transaction_end(s);
    struct str name = arena_str(&s->arena, command->argument);
    if (name.p == NULL) {
        session_note_cap(s, CAP_MEMORY);
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
