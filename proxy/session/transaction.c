#include "proxy/session/transaction.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/session/session_log.h"
#include "proxy/session/session_reply.h"

/* Beside the header block (twice: as received and as edited) a transaction
 * holds recipients, facts and what rules wrote. */
#define ARENA_BASE (1024 * 1024)

struct client_identity client_of_session(const struct session *s)
{
    const struct facts *facts = &s->facts;
    return (struct client_identity){
        .address = facts_text(facts, FACT_CLIENT_IP),
        .is_v6 = s->client_ip.is_v6,
        .port = (uint16_t)facts->values[FACT_CLIENT_PORT].number,
        .helo = facts_text(facts, FACT_HELO_NAME),
        .is_extended =
            str_equals(facts_text(facts, FACT_HELO_VERB), STR("EHLO")),
        .login = s->user,
        .server = s->server_ip,
        .server_port = s->server_port,
    };
}

void transaction_forget_client(struct session *s)
{
    if (s->transaction_count == 0 && s->onward.octets == NULL)
        return;
    const struct client_identity client = client_of_session(s);
    upstreams_client_left(s->host->upstreams, &client, str_from(s->id));
}

struct transaction *transaction_new(struct session *s)
{
    const struct caps_settings *caps = &session_settings(s)->caps;
    struct arena arena;
    arena_init_spare(&arena, ARENA_BASE + 4 * (size_t)caps->header_bytes,
                     &s->host->spare);
    struct transaction *t = arena_alloc(&arena, sizeof *t);
    if (t == NULL)
        return NULL;
    t->arena = arena;
    t->session = s;
    t->settings = settings_ref(s->host->policy);
    t->verdict = TRANSACTION_ABORT;
    t->started_us = loop_clock_us(s->host->loop);
    t->started_wall_us = loop_wall_us(s->host->loop);
    effects_init(&t->effects, &t->arena);
    t->effects.route = s->effects.route;
    transaction_id_make(t->id, s->id, ++s->transaction_count);
    t->envelope.id = str_from(t->id);
    t->envelope.client = client_of_session(s);
    s->transaction = t;
    s->is_behind_refused = false;
    return t;
}

bool transaction_is_waiting(const struct transaction *t)
{
    return t->answered_count < t->asked_count;
}

struct reply transaction_keep_reply(struct transaction *t,
                                    const struct reply *reply)
{
    struct reply kept = {reply->code, arena_str(&t->arena, reply->enhanced),
                         arena_str(&t->arena, reply->text)};
    if (kept.enhanced.p == NULL || kept.text.p == NULL)
        kept = (struct reply){reply->code, STR(""), STR("(no memory)")};
    return kept;
}

void transaction_decide_reply(struct transaction *t, enum stage stage,
                              const struct reply *reply, bool is_ours)
{
    t->final = transaction_keep_reply(t, reply);
    t->has_final = true;
    t->is_final_ours = is_ours;
    t->rule = NULL;
    t->stage = stage;
    t->verdict = reply->code < 400   ? TRANSACTION_ACCEPT
                 : reply->code < 500 ? TRANSACTION_DEFER
                                     : TRANSACTION_REJECT;
}

void transaction_decide(struct transaction *t, enum stage stage,
                        const struct verdict *verdict)
{
    struct reply reply = reply_of_verdict(verdict);
    transaction_decide_reply(t, stage, &reply, true);
    t->rule = verdict->kind == VERDICT_FAULT ? NULL : verdict->rule;
}

void transaction_note_asked(struct transaction *t, const struct asked *asked)
{
    struct asked *grown = arena_grow(&t->arena, t->asked, t->question_count,
                                     &t->question_capacity, sizeof *grown);
    if (grown == NULL)
        return;
    t->asked = grown;
    struct asked *kept = &t->asked[t->question_count++];
    *kept = *asked;
    if (asked->action.p != NULL)
        kept->action = arena_str(&t->arena, asked->action);
    if (asked->fault != NULL)
        kept->fault = arena_cstr(&t->arena, str_from(asked->fault));
}

static void give_back(struct transaction *t, struct hold *hold)
{
    struct session_host *host = t->session->host;
    budget_store_give_back(&host->budgets, hold,
                           loop_clock_us(host->loop) / 1000);
}

void transaction_settle_recipient(struct transaction *t, size_t index)
{
    for (size_t i = 0; i < t->effects.hold_count; i++) {
        struct hold *hold = &t->effects.holds[i];
        if (hold->scope == HOLD_RECIPIENT && hold->recipient == index)
            give_back(t, hold);
    }
    shadow_settle_recipient(t->session, index);
}

/* What a message took is given back unless the upstream accepted it; an
 * uncertain outcome commits (design 3.2). Recipients that were refused have
 * been settled before. */
static void settle(struct transaction *t)
{
    struct session_host *host = t->session->host;
    bool commits = t->verdict == TRANSACTION_ACCEPT || t->is_uncertain;
    for (size_t i = 0; i < t->effects.hold_count; i++) {
        struct hold *hold = &t->effects.holds[i];
        if (commits && hold->scope != HOLD_SESSION)
            budget_store_commit(&host->budgets, hold, t->ended_us / 1000);
        else
            give_back(t, hold);
    }
}

/* Nothing was decided for the whole: the recipients' replies tell. */
static void decide_by_recipients(struct transaction *t)
{
    const struct recipient *worst = NULL;
    if (t->has_final || t->recipient_count == 0 || t->accepted_count > 0 ||
        t->recipients[t->recipient_count - 1].state == RECIPIENT_VETTED ||
        transaction_is_waiting(t))
        return;
    for (size_t i = 0; i < t->recipient_count; i++) {
        const struct recipient *r = &t->recipients[i];
        if (worst == NULL || r->reply.code > worst->reply.code)
            worst = r;
    }
    transaction_decide_reply(t, worst->is_ours ? STAGE_RCPT : STAGE_REPLY,
                             &worst->reply, worst->is_ours);
    t->rule = worst->rule;
}

static void dispose(struct transaction *t)
{
    settings_unref(t->settings);
    struct arena arena = t->arena; /* in which it lies itself */
    arena_release(&arena);
}

void transaction_end(struct session *s)
{
    struct transaction *t = s->transaction;
    assert(s->awaited == NULL);
    delivery_free(t->delivery);
    decide_by_recipients(t);
    t->ended_us = loop_clock_us(s->host->loop);
    settle(t);
    session_log_transaction(s);
    shadow_end_transaction(s);
    facts_forget_from(&s->facts, STAGE_MAIL);
    s->transaction = NULL;
    session_drop_held(s);
    if (t->has_header_reader)
        header_reader_release(&t->header);
    credentials_release(&t->login);
    free(t->unsent);
    free(t->behind);
    t->has_ended = true;
    if (t->replies_in_question == 0)
        dispose(t);
    else
        s->lingering++;
}

bool transaction_reply_judged(struct transaction *t)
{
    struct session *s = t->session;
    if (--t->replies_in_question > 0)
        return false;
    if (!t->has_ended)
        return t->has_end_waiting;
    dispose(t);
    s->lingering--;
    session_reap(s);
    return false;
}

static void send_reply(struct session *s, const struct reply *reply,
                       bool is_ours)
{
    if (is_ours)
        session_reply_ours(s, reply);
    else
        session_reply_upstream(s, reply);
}

void transaction_reply_final(struct session *s)
{
    send_reply(s, &s->transaction->final, s->transaction->is_final_ours);
}

void transaction_flush_replies(struct session *s)
{
    struct transaction *t = s->transaction;
    while (s->stream != NULL && t->replied_count < t->recipient_count) {
        const struct recipient *r = &t->recipients[t->replied_count];
        if (r->state == RECIPIENT_ASKED || r->state == RECIPIENT_VETTED)
            return;
        t->replied_count++;
        bool is_closing = r->is_closing;
        send_reply(s, &r->reply, r->is_ours);
        if (is_closing)
            session_close(s, SESSION_END_POLICY);
    }
    while (s->stream != NULL && t->refused_over_cap > 0) {
        t->refused_over_cap--;
        session_reply(s, 452, "4.5.3", "Too many recipients");
    }
}

const struct upstream_settings *
transaction_find_upstream(const struct session *s, struct str route)
{
    const struct settings *settings = s->host->settings;
    for (size_t i = 0; route.n > 0 && i < settings->upstream_count; i++)
        if (str_equals(settings->upstreams[i].name, route))
            return &settings->upstreams[i];
    return s->listener->upstream;
}
