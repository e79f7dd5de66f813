#include "proxy/session/session.h"

#include <stdlib.h>

#include "proxy/session/auth_outcome.h"
#include "proxy/session/balancer.h"
#include "proxy/session/body_pace.h"
#include "proxy/session/onward_login.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_metrics.h"
#include "proxy/session/session_open.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/shadow.h"
#include "proxy/tls/client_certificate.h"
#include "proxy/session/transaction.h"

/* Names, addresses and notes of one login; EHLO may come again and again. */
#define SESSION_ARENA_MAX (512 * 1024)

static void link_session(struct session *s)
{
    s->next = s->host->sessions;
    if (s->next != NULL)
        s->next->previous = s;
    s->host->sessions = s;
}

static void unlink_session(struct session *s)
{
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        s->host->sessions = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
}

static void reap(struct loop_later *later)
{
    struct session *s =
        (struct session *)((char *)later - offsetof(struct session, reaper));
    struct session_host *host = s->host;
    struct ip client_ip = s->client_ip;
    bool is_counted = !s->is_uncounted;
    session_log_session(s);
    policy_release_session(s);
    shadow_free(s);
    transaction_forget_client(s);
    unlink_session(s);
    timer_free(s->deadline);
    line_reader_release(&s->reader);
    sasl_release(&s->sasl);
    onward_login_forget(s);
    arena_release(&s->arena);
    settings_unref(s->settings);
    free(s);
    host->on_session_freed(host->owner, is_counted ? &client_ip : NULL);
}

const struct settings *session_settings(const struct session *s)
{
    return s->transaction != NULL ? s->transaction->settings : s->settings;
}

/* Routes too lie in the snapshot whose rule named them. */
static bool has_effects(const struct session *s)
{
    const struct effects *effects = &s->effects;
    for (size_t i = 0; i < s->greeting_count; i++)
        if (s->greetings[i].verdict.rule != NULL)
            return true;
    return effects->acted_count > 0 || effects->use_count > 0 ||
           effects->hold_count > 0 || effects->edit_count > 0 ||
           effects->tag_count > 0 || effects->note_count > 0 ||
           effects->added_count > 0 || effects->size_rule != NULL ||
           effects->route.n > 0 || s->connect_route.n > 0 ||
           s->refusal != NULL || s->shadow != NULL;
}

void session_renew_settings(struct session *s)
{
    const struct settings *before = s->settings;
    if (before == s->host->policy || has_effects(s))
        return;
    s->settings = settings_ref(s->host->policy);
    settings_unref(before);
}

void session_finish(struct session *s)
{
    struct transaction *t = s->transaction;
    if (t != NULL) {
        /* The message may have arrived, and nobody waits for the answer. */
        if (t->has_end_waiting)
            transaction_decide_reply(t, STAGE_REPLY, &t->end_reply,
                                     t->is_end_ours);
        else if (s->state == SESSION_FINAL && !t->has_final)
            t->is_uncertain = true;
        transaction_end(s);
    }
    session_enter(s, SESSION_CLOSING);
    session_reap(s);
}

void session_reap(struct session *s)
{
    if (s->state == SESSION_CLOSING && s->lingering == 0)
        loop_later(s->host->loop, &s->reaper);
}

/* The client is gone or going: what it asked for is dropped, except a message
 * whose final dot is with the upstream; that answer is awaited and logged. */
static void let_go(struct session *s)
{
    auth_cancel(s);
    policy_forget(s);
    s->stream = NULL;
    if (s->state != SESSION_FINAL)
        session_finish(s);
}

void session_close(struct session *s, enum session_end end)
{
    if (s->stream == NULL)
        return;
    s->end = end;
    stream_close(s->stream);
    let_go(s);
}

void session_abort(struct session *s, enum session_end end)
{
    if (s->stream == NULL)
        return;
    s->end = end;
    stream_abort(s->stream);
    let_go(s);
}

/* Its own names are authorities' words, where clients are asked for a
 * certificate of one; others never get so far. */
static struct str login_of_certificate(const struct listener_settings *listener,
                                       const struct client_certificate *shown)
{
    switch (listener->client_login) {
    case CLIENT_LOGIN_RFC822:
        return shown->rfc822;
    case CLIENT_LOGIN_DNS:
        return shown->dns;
    case CLIENT_LOGIN_CN:
        return shown->common_name;
    case CLIENT_LOGIN_FINGERPRINT:
        return shown->fingerprint;
    }
    return STR("");
}

/* Without memory for it, it is as if the client had shown none. */
static void learn_client_certificate(struct session *s)
{
    struct client_certificate shown;
    if (stream_tls_client(s->stream, &s->arena, &shown) != 0 ||
        shown.fingerprint.n == 0)
        return;
    facts_set_text(&s->facts, FACT_TLS_CLIENT_FINGERPRINT, shown.fingerprint);
    facts_set_list(&s->facts, FACT_TLS_CLIENT_NAMES, shown.names,
                   shown.name_count);
    s->certificate = login_of_certificate(s->listener, &shown);
}

static void on_ready(void *owner)
{
    struct session *s = owner;
    facts_set_text(&s->facts, FACT_TLS_VERSION,
                   str_from(stream_tls_version(s->stream)));
    facts_set_text(&s->facts, FACT_TLS_CIPHER,
                   str_from(stream_tls_cipher(s->stream)));
    /* The log reads it when the stream is gone. */
    struct str sni = arena_str(&s->arena, str_from(stream_tls_sni(s->stream)));
    if (sni.p != NULL && sni.n > 0)
        facts_set_text(&s->facts, FACT_TLS_SNI, sni);
    learn_client_certificate(s);
    session_count_handshake(s, true);
    session_enter(s, SESSION_NEW);
    if (s->listener->tls == LISTENER_IMPLICIT)
        session_greet(s);
    session_run(s);
}

/* RFC 2920 3.2: the replies to a group of commands leave together. Those from
 * before the first that waits for the upstream do not go ahead of an answer
 * that comes soon. */
static void on_bytes(void *owner)
{
    struct session *s = owner;
    session_run(s);
    if (s->stream != NULL)
        stream_hold_output(s->stream,
                           s->transaction != NULL &&
                               transaction_is_waiting(s->transaction));
}

static void on_ended(void *owner, enum stream_end end)
{
    struct session *s = owner;
    switch (end) {
    case STREAM_END_EOF:
        s->has_ended = true;
        session_run(s);
        break;
    case STREAM_END_TLS:
        if (!facts_know(&s->facts, FACT_TLS_VERSION))
            session_count_handshake(s, false);
        server_log_write(s->host->log, SERVER_DEBUG, "%s: %s: TLS: %s", s->id,
                         stream_peer_host(s->stream), stream_error(s->stream));
        session_close(s, SESSION_END_TLS); /* the alert should arrive */
        break;
    case STREAM_END_TRUNCATED:
    case STREAM_END_RESET:
    case STREAM_END_CONNECT:
    case STREAM_END_MEMORY:
    case STREAM_END_OWNER:
        session_abort(s, SESSION_END_CLIENT);
        break;
    }
}

static const struct stream_events STREAM_EVENTS = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_drained = on_bytes,
    .on_ended = on_ended,
};

static void on_deadline(void *owner)
{
    struct session *s = owner;
    bool is_late_login = session_login_is_late(s);
    if (s->transaction != NULL && transaction_is_waiting(s->transaction) &&
        !is_late_login) {
        session_touch(s);
        return;
    }
    enum session_cap crossed = session_deadline_cap(s);
    if (crossed != CAP_NONE)
        session_note_cap(s, crossed);
    switch (s->state) {
    case SESSION_PROXY:
        balancer_refuse(s, SESSION_END_TIMEOUT,
                        "timeouts.proxy_header has passed");
        break;
    case SESSION_SECURING:
        session_abort(s, SESSION_END_TIMEOUT);
        break;
    case SESSION_HEADER:
    case SESSION_BODY:
    case SESSION_DRAIN:
        body_pace_tick(s);
        break;
    default:
        session_hang_up(s, SESSION_END_TIMEOUT, "4.4.2",
                        is_late_login ? "No login in time, closing"
                                      : "No command in time, closing");
    }
}

struct session *session_start(struct session_host *host,
                              const struct listener_settings *listener, int fd)
{
    struct session *s = calloc(1, sizeof *s);
    struct timer *deadline =
        s == NULL ? NULL : timer_new(host->loop, on_deadline, s);
    struct stream *stream = stream_accept(host->loop, fd, &STREAM_EVENTS, s);
    /* A client that has gone already has no address any more. */
    if (deadline == NULL || stream == NULL || session_id_make(s->id) != 0 ||
        ip_parse(str_from(stream_peer_host(stream)), &s->client_ip) != 0) {
        if (stream != NULL)
            stream_abort(stream);
        if (deadline != NULL)
            timer_free(deadline);
        free(s);
        return NULL;
    }
    s->host = host;
    s->listener = listener;
    s->settings = settings_ref(host->policy);
    s->deadline = deadline;
    s->stream = stream;
    stream_expect_secrets(stream, listener->auth != AUTH_NONE);
    s->client_port = stream_peer_port(stream);
    if (ip_parse(str_from(stream_local_host(stream)), &s->server_ip) == 0)
        s->server_port = stream_local_port(stream);
    s->state = SESSION_SECURING;
    s->reaper.run = reap;
    s->started_us = loop_clock_us(host->loop);
    s->started_wall_us = loop_wall_us(host->loop);
    arena_init(&s->arena, SESSION_ARENA_MAX);
    line_reader_init(&s->reader);
    s->held = LINE_MORE;
    facts_init(&s->facts);
    effects_init(&s->effects, &s->arena);
    link_session(s);
    metrics_add(host->metrics, METRIC_SESSIONS, 1);
    if (listener_is_balanced(listener, &s->client_ip))
        balancer_await_header(s);
    else
        session_open(s);
    return s;
}

void sessions_stop(struct session_host *host)
{
    host->is_stopping = true;
    struct session *next;
    for (struct session *s = host->sessions; s != NULL; s = next) {
        next = s->next;
        if (s->stream == NULL || s->transaction != NULL)
            continue;
        if (s->state == SESSION_SECURING || s->state == SESSION_PROXY)
            session_abort(s, SESSION_END_STOP);
        else
            session_hang_up(s, SESSION_END_STOP, "4.3.2",
                            "The server is stopping, try again later");
    }
}

void sessions_abort(struct session_host *host)
{
    struct session *next;
    for (struct session *s = host->sessions; s != NULL; s = next) {
        next = s->next;
        session_abort(s, SESSION_END_STOP);
        if (s->state == SESSION_FINAL)
            session_finish(s);
    }
}
