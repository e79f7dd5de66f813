/* As long as things go well, answers pass through as they come. Whatever ends
 * the delivery, well or badly, becomes the *standing* outcome: it answers, at
 * the end of the turn, every recipient not yet told and, where one was
 * accepted before, the message. */
#include "proxy/upstream/smtp_delivery.h"

#include "proxy/smtp/dot_writer.h"
#include "proxy/upstream/delivery_internal.h"
#include "proxy/upstream/envelope_sender.h"
#include "proxy/upstream/lease.h"
#include "proxy/upstream/upstreams_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is taken of the message before the upstream says 354. */
#define EARLY_MAX (64 * 1024)
#define CHUNK_OCTETS (8 * 1024)

enum delivery_phase {
    PHASE_EMPTY,   /* no recipient yet */
    PHASE_LEASING, /* waits for a connection */
    PHASE_TELLING, /* has one, which is being told who the client is */
    PHASE_LENT,    /* has one, whose state tells how far things are */
    PHASE_STANDING /* one outcome answers all that is asked from here on */
};

struct smtp_delivery {
    struct delivery base;
    struct loop *loop;
    const struct envelope *envelope;
    const struct delivery_events *events;
    void *owner;
    enum delivery_phase phase;
    struct lease lease;
    struct envelope_sender sender;
    size_t reported;  /* recipients whose answer was told */
    bool is_accepted; /* one of them was */
    bool is_ended;    /* on_end was called */
    struct outcome_copy standing;
    struct dot_writer dots;
    char *early; /* owned: octets of the message before 354 */
    size_t early_length;
    bool is_data;      /* delivery_data() was called */
    bool is_finishing; /* delivery_finish() was called */
    bool wants_room;   /* the caller was told less than it offered */
    bool is_freed;
    struct loop_later later;
};

static struct smtp_delivery *from_base(struct delivery *delivery)
{
    return (struct smtp_delivery *)delivery;
}

static void stand(struct smtp_delivery *d, const struct outcome *outcome)
{
    outcome_copy_set(&d->standing, outcome);
    d->phase = PHASE_STANDING;
    loop_later(d->loop, &d->later);
}

static void stand_on_fault(struct smtp_delivery *d, const struct fault *fault,
                           bool is_uncertain)
{
    struct outcome outcome;
    outcome_of_fault(fault, d->lease.server, &outcome);
    outcome.is_uncertain = is_uncertain;
    stand(d, &outcome);
}

/* The owner may free the delivery in any of these events. */
static void tell_standing(struct smtp_delivery *d)
{
    const struct outcome *outcome = &d->standing.outcome;
    while (!d->is_freed && d->reported < d->sender.count)
        d->events->on_rcpt(d->owner, d->reported++, outcome);
    if (d->is_freed || d->is_ended || !(d->is_data || d->is_accepted))
        return;
    d->is_ended = true;
    d->events->on_end(d->owner, outcome);
}

static void run_later(struct loop_later *later)
{
    struct smtp_delivery *d =
        (struct smtp_delivery *)((char *)later -
                                 offsetof(struct smtp_delivery, later));
    if (!d->is_freed) {
        if (d->phase == PHASE_STANDING)
            tell_standing(d);
        return;
    }
    envelope_sender_release(&d->sender);
    outcome_copy_release(&d->standing);
    free(d->early);
    free(d);
}

/* Writes what may go now: MAIL and the first RCPT in one piece. */
static void send_envelope(struct smtp_delivery *d)
{
    struct upstream *upstream = lease_upstream(&d->lease);
    char commands[8 * ENVELOPE_COMMAND_MAX];
    size_t count;
    for (;;) {
        size_t n =
            envelope_sender_next(&d->sender, upstream_capabilities(upstream),
                                 commands, sizeof(commands), &count);
        if (n == 0)
            return;
        upstream_envelope(upstream, str_span(commands, n), count);
    }
}

static void start_lease(struct smtp_delivery *d, enum lease_result result);

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

static void answer_mail(struct smtp_delivery *d, const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    enum outcome_class class =
        outcome_of_reply(ASKED_MAIL, reply, d->lease.server, &fault, &outcome);
    /* A connection out of the pool that says so has waited too long there:
     * nothing of this transaction was answered, nobody needs to know. */
    if (reply->code == 421 && lease_is_reused(&d->lease)) {
        start_lease(d, lease_renew(&d->lease));
        return;
    }
    envelope_sender_answer(&d->sender, class == OUTCOME_ACCEPTED);
    if (class == OUTCOME_ACCEPTED) {
        send_envelope(d);
        return;
    }
    note_set_up(d, class, &outcome);
    stand(d, &outcome);
    release(d, class);
}

static void answer_rcpt(struct smtp_delivery *d, const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    enum outcome_class class =
        outcome_of_reply(ASKED_RCPT, reply, d->lease.server, &fault, &outcome);
    note_set_up(d, class, &outcome);
    if (class == OUTCOME_BROKEN) {
        stand(d, &outcome);
        release(d, class);
        return;
    }
    if (class == OUTCOME_ACCEPTED)
        d->is_accepted = true;
    envelope_sender_answer(&d->sender, class == OUTCOME_ACCEPTED);
    send_envelope(d);
    d->events->on_rcpt(d->owner, d->reported++, &outcome);
}

static void fail_content(struct smtp_delivery *d)
{
    struct fault fault;
    fault_set(&fault, FAULT_CONTENT,
              "the message holds a bare CR, a bare LF or a NUL");
    stand_on_fault(d, &fault, false);
    lease_drop(&d->lease);
}

/* Encodes and sends; stops when there is no room, if it is told to. */
static int encode(struct smtp_delivery *d, struct str *octets, bool heeds_room)
{
    struct upstream *upstream = lease_upstream(&d->lease);
    char chunk[CHUNK_OCTETS];
    while (octets->n > 0 && upstream_state(upstream) == UPSTREAM_BODY &&
           (!heeds_room || upstream_has_room(upstream))) {
        size_t written;
        if (dot_writer_write(&d->dots, octets, chunk, sizeof(chunk),
                             &written) != 0) {
            fail_content(d);
            return -1;
        }
        upstream_body(upstream, str_span(chunk, written));
    }
    return 0;
}

static void send_dot(struct smtp_delivery *d)
{
    char end[8];
    size_t written;
    if (dot_writer_finish(&d->dots, end, sizeof(end), &written) != 0)
        fail_content(d);
    else
        upstream_dot(lease_upstream(&d->lease), str_span(end, written));
}

static void tell_room(struct smtp_delivery *d)
{
    if (!d->wants_room)
        return;
    d->wants_room = false;
    d->events->on_room(d->owner);
}

/* 354 came. What was kept is bounded by the stream's output as well. */
static void send_early(struct smtp_delivery *d)
{
    struct str early = str_span(d->early, d->early_length);
    int result = encode(d, &early, false);
    free(d->early);
    d->early = NULL;
    d->early_length = 0;
    if (result != 0)
        return;
    if (d->is_finishing)
        send_dot(d);
    else
        tell_room(d);
}

static void answer_message(struct smtp_delivery *d, enum question_asked asked,
                           const struct reply *reply)
{
    struct fault fault;
    struct outcome outcome;
    enum outcome_class class =
        outcome_of_reply(asked, reply, d->lease.server, &fault, &outcome);
    note_set_up(d, class, &outcome);
    if (class == OUTCOME_ACCEPTED)
        server_health_set_up(lease_health(&d->lease), 0, NULL);
    /* Behind a final dot nobody knows what an answer means that is none. */
    outcome.is_uncertain =
        asked == ASKED_END && class == OUTCOME_BROKEN && reply->code != 421;
    stand(d, &outcome);
    release(d, class);
}

static void on_reply(void *owner, enum upstream_state asked,
                     const struct reply *reply)
{
    struct smtp_delivery *d = owner;
    if (asked == UPSTREAM_ENVELOPE && d->sender.mail == MAIL_SENT)
        answer_mail(d, reply);
    else if (asked == UPSTREAM_ENVELOPE)
        answer_rcpt(d, reply);
    else if (asked == UPSTREAM_DATA && reply->code == 354)
        send_early(d);
    else
        answer_message(d, asked == UPSTREAM_DOT ? ASKED_END : ASKED_DATA,
                       reply);
}

static void on_room(void *owner)
{
    tell_room(owner);
}

static void on_failed(void *owner, enum upstream_state in,
                      const struct fault *fault)
{
    struct smtp_delivery *d = owner;
    bool is_unanswered =
        d->phase == PHASE_TELLING || d->sender.mail == MAIL_SENT;
    bool is_set_up = fault->kind == FAULT_SET_UP;
    if (fault->kind == FAULT_CONTENT) {
        /* No server can be told that. */
        stand_on_fault(d, fault, false);
        lease_drop(&d->lease);
    } else if (is_unanswered && lease_is_reused(&d->lease)) {
        start_lease(d, lease_renew(&d->lease));
    } else if (is_unanswered && !is_set_up) {
        start_lease(d, lease_next_server(&d->lease, fault));
    } else {
        if (is_set_up)
            server_health_set_up(lease_health(&d->lease), fault->code,
                                 fault->words);
        stand_on_fault(d, fault, in == UPSTREAM_DOT);
        lease_drop(&d->lease);
    }
}

/* The envelope goes out, to what the upstream can do for this client. */
static void send_first(struct smtp_delivery *d)
{
    struct upstream *upstream = lease_upstream(&d->lease);
    bool lacks_8bitmime = d->envelope->params.body == BODY_8BITMIME &&
                          !upstream_capabilities(upstream)->has_8bitmime;
    if (lacks_8bitmime) {
        struct outcome outcome;
        outcome_of_lacking_8bitmime(d->lease.server, &outcome);
        stand(d, &outcome);
        lease_end(&d->lease);
        return;
    }
    d->phase = PHASE_LENT;
    send_envelope(d);
}

/* It was told who the client is. */
static void on_ready(void *owner)
{
    struct smtp_delivery *d = owner;
    assert(d->phase == PHASE_TELLING);
    send_first(d);
}

static const struct upstream_events upstream_events = {
    .on_ready = on_ready,
    .on_reply = on_reply,
    .on_room = on_room,
    .on_failed = on_failed,
};

static void begin(struct smtp_delivery *d)
{
    struct upstream *upstream = lease_upstream(&d->lease);
    upstream_hand(upstream, &upstream_events, d);
    if (upstream_tell_client(upstream, &d->envelope->client))
        d->phase = PHASE_TELLING;
    else
        send_first(d);
}

static void on_lent(void *owner)
{
    begin(owner);
}

static void on_refused(void *owner)
{
    struct smtp_delivery *d = owner;
    stand_on_fault(d, &d->lease.fault, false);
}

static const struct lease_events lease_events = {
    .on_lent = on_lent,
    .on_refused = on_refused,
};

static void start_lease(struct smtp_delivery *d, enum lease_result result)
{
    d->phase = PHASE_LEASING;
    envelope_sender_restart(&d->sender);
    if (result == LEASE_LENT)
        begin(d);
    else if (result == LEASE_REFUSED)
        on_refused(d);
}

static int smtp_rcpt(struct delivery *delivery, struct str mailbox,
                     enum rcpt_notify notify)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(!d->is_data && !d->is_freed);
    if (envelope_sender_add(&d->sender, mailbox, notify) != 0)
        return -1;
    if (d->phase == PHASE_EMPTY)
        start_lease(d, lease_start(&d->lease));
    else if (d->phase == PHASE_LENT)
        send_envelope(d);
    else if (d->phase == PHASE_STANDING)
        loop_later(d->loop, &d->later);
    return 0;
}

static void smtp_data(struct delivery *delivery)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(!d->is_data && !d->is_freed);
    d->is_data = true;
    dot_writer_init(&d->dots);
    if (d->phase == PHASE_LENT)
        upstream_data(lease_upstream(&d->lease));
    else
        loop_later(d->loop, &d->later);
}

static size_t keep_early(struct smtp_delivery *d, struct str octets)
{
    if (d->early == NULL)
        d->early = malloc(EARLY_MAX);
    if (d->early == NULL) {
        struct fault fault;
        fault_set(&fault, FAULT_MEMORY, "no memory for the message");
        stand_on_fault(d, &fault, false);
        lease_drop(&d->lease);
        return octets.n;
    }
    struct str taken = str_head(octets, EARLY_MAX - d->early_length);
    if (taken.n > 0)
        memcpy(d->early + d->early_length, taken.p, taken.n);
    d->early_length += taken.n;
    d->wants_room = taken.n < octets.n;
    return taken.n;
}

static size_t smtp_body(struct delivery *delivery, struct str octets)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(d->is_data && !d->is_finishing);
    if (d->phase != PHASE_LENT)
        return octets.n;
    struct upstream *upstream = lease_upstream(&d->lease);
    if (upstream_state(upstream) == UPSTREAM_DATA)
        return keep_early(d, octets);
    struct str rest = octets;
    if (encode(d, &rest, true) != 0)
        return octets.n;
    /* Failed: on_end is on its way, and the rest of no use. */
    if (upstream_state(upstream) != UPSTREAM_BODY)
        return octets.n;
    d->wants_room = rest.n > 0;
    return octets.n - rest.n;
}

static void smtp_finish(struct delivery *delivery)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(d->is_data && !d->is_finishing);
    d->is_finishing = true;
    if (d->phase == PHASE_LENT &&
        upstream_state(lease_upstream(&d->lease)) == UPSTREAM_BODY)
        send_dot(d);
}

static void smtp_free(struct delivery *delivery)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(!d->is_freed);
    d->is_freed = true;
    lease_end(&d->lease);
    loop_later(d->loop, &d->later);
}

static const struct delivery_class smtp_class = {
    .rcpt = smtp_rcpt,
    .data = smtp_data,
    .body = smtp_body,
    .finish = smtp_finish,
    .free = smtp_free,
};

struct delivery *smtp_delivery_new(struct upstreams *upstreams,
                                   const struct upstream_settings *settings,
                                   const struct envelope *envelope,
                                   const struct delivery_events *events,
                                   void *owner)
{
    struct smtp_delivery *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    *d = (struct smtp_delivery){
        .base.class = &smtp_class,
        .loop = upstreams->loop,
        .envelope = envelope,
        .events = events,
        .owner = owner,
        .later.run = run_later,
    };
    if (envelope_sender_init(&d->sender, envelope) != 0) {
        envelope_sender_release(&d->sender);
        free(d);
        return NULL;
    }
    outcome_copy_init(&d->standing);
    lease_init(&d->lease, upstreams->pools[settings->index], &envelope->client,
               &lease_events, d);
    return &d->base;
}
