#include "proxy/session/session_open.h"

#include <stdio.h>

#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"

void session_greet(struct session *s)
{
    const struct listener_settings *listener = s->listener;
    const struct settings *settings = session_settings(s);
    struct str banner =
        listener->banner.n > 0 ? listener->banner : STR("ESMTP ready");
    struct verdict *refused = s->refusal;
    if (refused != NULL) {
        struct reply reply = reply_of_verdict(refused);
        session_enter(s, SESSION_REFUSED);
        session_replyf(s, 554, "5.7.1", "%.*s", (int)reply.text.n,
                       reply.text.p);
        return;
    }
    char text[512];
    int n = snprintf(text, sizeof text, "%.*s %.*s", (int)settings->hostname.n,
                     settings->hostname.p, (int)banner.n, banner.p);
    struct reply reply = {220, STR(""), str_span(text, n < 0 ? 0 : (size_t)n)};
    session_touch(s);
    session_reply_upstream(s, &reply);
}

/* A fact without octets would be taken for another client, or for none. */
bool session_learn_client(struct session *s)
{
    const struct listener_settings *listener = s->listener;
    struct str ip = ip_text(&s->arena, &s->client_ip);
    struct str net = ip_net_text(&s->arena, &s->client_ip);
    s->is_trusted = cidr_list_contains(listener->trusted,
                                       listener->trusted_count, &s->client_ip);
    facts_set_text(&s->facts, FACT_CLIENT_IP, ip);
    facts_set_text(&s->facts, FACT_CLIENT_NET, net);
    facts_set_number(&s->facts, FACT_CLIENT_PORT, s->client_port);
    facts_set_text(&s->facts, FACT_LISTENER, listener->name);
    return ip.p != NULL && net.p != NULL;
}

bool session_needs_login(const struct session *s)
{
    return s->listener->auth == AUTH_REQUIRED ||
           (s->listener->auth == AUTH_OPTIONAL && !s->is_trusted);
}

static bool needs_trust(const struct listener_settings *listener)
{
    return listener->auth == AUTH_NONE || listener->tls == LISTENER_CLEAR;
}

struct tls_context *session_tls(const struct session *s)
{
    return s->host->tls[s->listener - s->host->settings->listeners];
}

static void begin_tls(struct session *s)
{
    if (s->refusal != NULL) {
        session_abort(s, SESSION_END_POLICY);
        return;
    }
    int result = s->is_behind_header
                     ? stream_secure_unread(s->stream, session_tls(s))
                     : stream_secure(s->stream, session_tls(s), NULL);
    if (result != 0) {
        session_abort(s, SESSION_END_FAULT);
        return;
    }
    stream_resume(s->stream);
    session_touch(s);
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    s->connect_route = s->effects.route;
    if (verdict->kind != VERDICT_PASS) {
        s->refusal = arena_alloc(&s->arena, sizeof *s->refusal);
        if (s->refusal == NULL) {
            session_abort(s, SESSION_END_FAULT);
            return;
        }
        *s->refusal = *verdict;
    }
    if (s->listener->tls == LISTENER_IMPLICIT) {
        begin_tls(s);
    } else if (verdict->kind == VERDICT_CLOSE) {
        session_reply_verdict(s, verdict);
        session_close(s, SESSION_END_POLICY);
    } else {
        session_greet(s);
    }
}

/* Before an octet is said: may this client be here at all? */
static void vet_client(struct session *s)
{
    static const struct verdict STRANGER = {
        .kind = VERDICT_REJECT,
        .code = 554,
        .enhanced = STR_INIT("5.7.1"),
        .text = STR_INIT("This address is not trusted here"),
    };
    if (needs_trust(s->listener) && !s->is_trusted)
        on_vetted(s, &STRANGER);
    else
        policy_ask_session(s, STAGE_CONNECT, on_vetted);
    /* What comes meanwhile is TLS's to read. */
    if (s->awaited != NULL && s->listener->tls == LISTENER_IMPLICIT)
        stream_pause(s->stream);
}

void session_open(struct session *s)
{
    if (!session_learn_client(s)) {
        session_abort(s, SESSION_END_FAULT);
        return;
    }
    const struct timeouts_settings *timeouts = &session_settings(s)->timeouts;
    uint64_t until_auth = timeouts->until_auth;
    s->is_hurried = until_auth > timeouts->until_auth_crowded &&
                    s->host->is_crowded(s->host->owner);
    if (s->is_hurried)
        until_auth = timeouts->until_auth_crowded;
    if (session_needs_login(s) && until_auth > 0)
        s->auth_by_ms = loop_now_ms(s->host->loop) + until_auth;
    s->state =
        s->listener->tls == LISTENER_IMPLICIT ? SESSION_SECURING : SESSION_NEW;
    vet_client(s);
}
