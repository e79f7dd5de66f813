/* What an upstream's answers, and its failures, mean for a delivery. */
#include "proxy/upstream/smtp_delivery_internal.h"

/* The end of this delivery's use of its connection. */
static void release(struct smtp_delivery *d, enum outcome_class class)
{
    if (class == OUTCOME_BROKEN)
        lease_drop(&d->lease);
    else
        lease_end(&d->lease);
}

static void note_set_up(struct smtp_delivery *d, enum outcome_class class,
                        const struct outcome *outcome)
{
    struct server_health *health = lease_health(&d->lease);
    if (class == OUTCOME_SET_UP)
        server_health_set_up(health, outcome->original.code, outcome->fault);
}

/* An answer out of step is not told. Where nothing was told yet, another
 * connection is asked. */
static bool is_in_step(struct smtp_delivery *d, enum question_asked asked,
                       enum outcome_class class, const struct reply *reply)
{
    static const char words[] = "it answered the message before once more";
    struct fault fault;
    if (class != OUTCOME_ACCEPTED ||
        upstream_is_in_step(lease_upstream(&d->lease), asked, reply))
        return true;
    if (d->reported == 0) {
        smtp_delivery_lease(d, lease_doubt(&d->lease, words));
        return false;
    }
    fault_set(&fault, FAULT_PROTOCOL, "%s", words);
    smtp_delivery_fault(d, &fault, false);
    lease_drop(&d->lease);
    return false;
}

static void answer_mail(struct smtp_delivery *d, const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    lease_took(&d->lease, LATENCY_ENVELOPE, d->asked_us);
    enum outcome_class class =
        outcome_of_reply(ASKED_MAIL, reply, d->lease.server, &fault, &outcome);
    /* A connection out of the pool that says so has waited too long there:
     * nothing of this transaction was answered, nobody needs to know. */
    if (reply->code == 421 && lease_is_reused(&d->lease)) {
        smtp_delivery_lease(d, lease_renew(&d->lease));
        return;
    }
    if (!is_in_step(d, ASKED_MAIL, class, reply))
        return;
    envelope_sender_answer(&d->sender, class == OUTCOME_ACCEPTED);
    if (class == OUTCOME_ACCEPTED) {
        smtp_delivery_send_envelope(d);
        return;
    }
    note_set_up(d, class, &outcome);
    smtp_delivery_stand(d, &outcome);
    release(d, class);
}

static void answer_rcpt(struct smtp_delivery *d, const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    lease_took(&d->lease, LATENCY_ENVELOPE, d->asked_us);
    enum outcome_class class =
        outcome_of_reply(ASKED_RCPT, reply, d->lease.server, &fault, &outcome);
    note_set_up(d, class, &outcome);
    if (!is_in_step(d, ASKED_RCPT, class, reply))
        return;
    if (class == OUTCOME_BROKEN) {
        smtp_delivery_stand(d, &outcome);
        release(d, class);
        return;
    }
    if (class == OUTCOME_ACCEPTED)
        d->is_accepted = true;
    envelope_sender_answer(&d->sender, class == OUTCOME_ACCEPTED);
    smtp_delivery_send_envelope(d);
    d->events->on_rcpt(d->owner, d->reported++, &outcome);
}

bool smtp_delivery_is_sent(struct smtp_delivery *d, enum content_sent result)
{
    struct fault fault;
    if (result == CONTENT_SENT_OK)
        return true;
    if (result == CONTENT_SENT_MEMORY)
        fault_set(&fault, FAULT_MEMORY, "no memory for the message");
    else
        fault_set(&fault, FAULT_CONTENT,
                  "the message holds a bare CR, a bare LF or a NUL");
    smtp_delivery_fault(d, &fault, false);
    lease_drop(&d->lease);
    return false;
}

/* More of the message may go out: it was let in, or there is room. */
static void go_on(struct smtp_delivery *d)
{
    enum content_sent result =
        content_sender_go_on(&d->content, lease_upstream(&d->lease));
    if (!smtp_delivery_is_sent(d, result) || !d->content.wants_room)
        return;
    d->content.wants_room = false;
    d->events->on_room(d->owner);
}

static void answer_message(struct smtp_delivery *d, enum question_asked asked,
                           const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    if (d->is_finishing)
        lease_took(&d->lease, LATENCY_END, d->asked_us);
    enum outcome_class class =
        outcome_of_reply(asked, reply, d->lease.server, &fault, &outcome);
    note_set_up(d, class, &outcome);
    if (class == OUTCOME_ACCEPTED) {
        server_health_set_up(lease_health(&d->lease), 0, NULL);
        (void)upstream_is_in_step(lease_upstream(&d->lease), asked, reply);
    }
    /* Behind a final dot nobody knows what an answer means that is none. */
    outcome.is_uncertain =
        asked == ASKED_END && class == OUTCOME_BROKEN && reply->code != 421;
    smtp_delivery_stand(d, &outcome);
    release(d, class);
}

void smtp_delivery_on_reply(void *owner, enum upstream_state asked,
                            const struct reply *reply)
{
    struct smtp_delivery *d = owner;
    if (asked == UPSTREAM_ENVELOPE && !envelope_sender_is_due(&d->sender))
        answer_message(d, ASKED_DATA, reply);
    else if (asked == UPSTREAM_ENVELOPE && d->sender.mail == MAIL_SENT)
        answer_mail(d, reply);
    else if (asked == UPSTREAM_ENVELOPE)
        answer_rcpt(d, reply);
    else if (asked == UPSTREAM_DATA && reply->code == 354)
        go_on(d);
    else if (asked == UPSTREAM_CHUNKS && reply->code == 250)
        go_on(d);
    else if (asked == UPSTREAM_CHUNKS)
        answer_message(d, ASKED_CHUNK, reply);
    else
        answer_message(d, asked == UPSTREAM_DOT ? ASKED_END : ASKED_DATA,
                       reply);
}

void smtp_delivery_on_room(void *owner)
{
    go_on(owner);
}

void smtp_delivery_on_failed(void *owner, enum upstream_state in,
                             const struct fault *fault)
{
    struct smtp_delivery *d = owner;
    bool is_unanswered =
        d->phase == PHASE_TELLING || d->sender.mail == MAIL_SENT;
    bool is_set_up = fault->kind == FAULT_SET_UP;
    /* One that greets and then answers no mail is of no use to the next; but
     * a connection may be forgotten on the way while it is not used. */
    if (fault->kind == FAULT_SILENT && is_unanswered &&
        !lease_is_reused(&d->lease))
        server_health_down(lease_health(&d->lease), fault);
    if (fault->kind == FAULT_CONTENT) {
        /* No server can be told that. */
        smtp_delivery_fault(d, fault, false);
        lease_drop(&d->lease);
    } else if (is_unanswered && lease_is_reused(&d->lease)) {
        smtp_delivery_lease(d, lease_renew(&d->lease));
    } else if (is_unanswered && !is_set_up) {
        smtp_delivery_lease(d, lease_next_server(&d->lease, fault));
    } else {
        if (is_set_up)
            server_health_set_up(lease_health(&d->lease), fault->code,
                                 fault->words);
        smtp_delivery_fault(d, fault, in == UPSTREAM_DOT);
        lease_drop(&d->lease);
    }
}
