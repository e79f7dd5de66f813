/* What comes back from a delivery: shown to the reply rules, kept for the log,
 * and told to the client. */
#include "proxy/session/upstream_answers.h"

#include "proxy/session/added_recipients.h"
#include "proxy/session/body_pump.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

static void ask_reply_rules(struct session *s, struct str command,
                            struct recipient *r, const struct outcome *outcome)
{
    struct transaction *t = s->transaction;
    struct facts *facts = &s->facts;
    struct str server = arena_str(&t->arena, outcome->server);
    if (outcome->original.code == 0)
        return;
    struct reply kept = transaction_keep_reply(t, &outcome->original);
    if (r != NULL)
        r->upstream_reply = kept;
    facts_set_text(facts, FACT_REPLY_COMMAND, command);
    facts_set_number(facts, FACT_REPLY_CODE, (uint64_t)kept.code);
    facts_set_text(facts, FACT_REPLY_ENHANCED, kept.enhanced);
    facts_set_text(facts, FACT_REPLY_TEXT, kept.text);
    facts_set_text(facts, FACT_UPSTREAM_NAME, t->upstream->name);
    if (server.p != NULL)
        facts_set_text(facts, FACT_UPSTREAM_SERVER, server);
    if (r != NULL)
        facts_set_text(facts, FACT_REPLY_TO, r->mailbox);
    else
        facts_forget(facts, FACT_REPLY_TO);
    policy_ask_reply(s, r);
}

static void note_outcome(struct transaction *t, const struct outcome *outcome)
{
    t->server = arena_str(&t->arena, outcome->server);
    if (outcome->original.code != 0)
        t->upstream_reply = transaction_keep_reply(t, &outcome->original);
    if (outcome->fault != NULL) {
        struct str fault = arena_str(&t->arena, str_from(outcome->fault));
        t->fault = fault.p;
    }
    t->is_uncertain = outcome->is_uncertain;
    t->upstream_us =
        loop_clock_us(t->session->host->loop) - t->upstream_since_us;
}

static void on_rcpt(void *owner, size_t index, const struct outcome *outcome)
{
    struct session *s = owner;
    struct transaction *t = s->transaction;
    if (index >= t->asked_count) {
        added_recipients_answer(s, index - t->asked_count, outcome);
        session_run(s);
        return;
    }
    size_t at = index;
    while (t->recipients[at].state == RECIPIENT_REFUSED ||
           t->recipients[at].index != index)
        at++;
    struct recipient *r = &t->recipients[at];
    t->answered_count++;
    r->reply = transaction_keep_reply(t, &outcome->reply);
    r->is_ours = !outcome->is_upstreams;
    bool is_accepted = outcome->reply.code < 400;
    r->state = is_accepted ? RECIPIENT_ACCEPTED : RECIPIENT_REFUSED;
    t->accepted_count += is_accepted;
    note_outcome(t, outcome);
    ask_reply_rules(s, STR("RCPT"), r, outcome);
    r->answered_us = r->upstream_reply.code != 0 ? t->stage_us[STAGE_REPLY]
                                                 : loop_clock_us(s->host->loop);
    if (!is_accepted)
        transaction_settle_recipient(t, at);
    transaction_flush_replies(s);
    if (s->stream != NULL) /* the client's time begins with its answer */
        session_touch(s);
    session_run(s);
}

static void on_room(void *owner)
{
    session_run(owner);
}

void upstream_answers_conclude(struct session *s)
{
    struct transaction *t = s->transaction;
    t->has_end_waiting = false;
    transaction_decide_reply(t, STAGE_REPLY, &t->end_reply, t->is_end_ours);
    if (s->state == SESSION_FINAL)
        body_pump_conclude(s);
    else if (s->state == SESSION_BODY || s->state == SESSION_ADDING)
        body_pump_give_up(s);
    else if (s->state == SESSION_CHUNKS) { /* the next chunk is told */
        delivery_free(t->delivery);
        t->delivery = NULL;
    }
    session_run(s);
}

/* The upstream's answer to the message, or its end before that. */
static void on_end(void *owner, const struct outcome *outcome)
{
    struct session *s = owner;
    struct transaction *t = s->transaction;
    note_outcome(t, outcome);
    t->end_reply = transaction_keep_reply(t, &outcome->reply);
    t->is_end_ours = !outcome->is_upstreams;
    ask_reply_rules(s, STR("DATA"), NULL, outcome);
    if (outcome->original.code != 0)
        t->end_answer_us = t->stage_us[STAGE_REPLY];
    t->has_end_waiting =
        s->state == SESSION_FINAL && t->replies_in_question > 0;
    if (!t->has_end_waiting)
        upstream_answers_conclude(s);
}

const struct delivery_events upstream_answers = {
    .on_rcpt = on_rcpt,
    .on_room = on_room,
    .on_end = on_end,
};
