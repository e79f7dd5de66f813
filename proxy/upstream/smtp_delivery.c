/* As long as things go well, answers pass through as they come. Whatever ends
 * the delivery, well or badly, becomes the *standing* outcome: it answers, at
 * the end of the turn, every recipient not yet told and, where one was
 * accepted before, the message. */
#include "proxy/upstream/smtp_delivery.h"

#include "proxy/upstream/smtp_delivery_internal.h"
#include "proxy/upstream/upstreams_internal.h"

#include <assert.h>
#include <stdlib.h>

static struct smtp_delivery *from_base(struct delivery *delivery)
{
    return (struct smtp_delivery *)delivery;
}

void smtp_delivery_stand(struct smtp_delivery *d, const struct outcome *outcome)
{
    outcome_copy_set(&d->standing, outcome);
    d->phase = PHASE_STANDING;
    loop_later(d->loop, &d->later);
}

void smtp_delivery_fault(struct smtp_delivery *d, const struct fault *fault,
                         bool is_uncertain)
{
    struct outcome outcome;
    outcome_of_fault(fault, d->lease.server, &outcome);
    outcome.is_uncertain = is_uncertain;
    smtp_delivery_stand(d, &outcome);
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
    content_sender_release(&d->content);
    free(d);
}

/* Writes what may go now: MAIL and the first RCPT in one piece. */
void smtp_delivery_send_envelope(struct smtp_delivery *d)
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
        d->asked_us = loop_clock_us(d->loop);
        upstream_envelope(upstream, str_span(commands, n), count);
    }
}

/* The envelope goes out, to what the upstream can do for this client. */
static void send_first(struct smtp_delivery *d)
{
    struct upstream *upstream = lease_upstream(&d->lease);
    enum extension lacking = upstream_lacks(upstream, d->extensions);
    if (lacking < EXTENSION_COUNT) {
        struct outcome outcome;
        outcome_of_lacking(lacking, d->lease.server, &outcome);
        smtp_delivery_stand(d, &outcome);
        lease_end(&d->lease);
        return;
    }
    d->phase = PHASE_LENT;
    smtp_delivery_send_envelope(d);
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
    .on_reply = smtp_delivery_on_reply,
    .on_room = smtp_delivery_on_room,
    .on_failed = smtp_delivery_on_failed,
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
    smtp_delivery_fault(d, &d->lease.fault, false);
}

static const struct lease_events lease_events = {
    .on_lent = on_lent,
    .on_refused = on_refused,
};

void smtp_delivery_lease(struct smtp_delivery *d, enum lease_result result)
{
    d->phase = PHASE_LEASING;
    envelope_sender_restart(&d->sender);
    if (result == LEASE_LENT)
        begin(d);
    else if (result == LEASE_REFUSED)
        on_refused(d);
}

static int smtp_rcpt(struct delivery *delivery, struct str mailbox,
                     const struct rcpt_params *params)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(!d->is_data && !d->is_freed);
    if (params->needs_dsn && d->phase == PHASE_LENT &&
        upstream_lacks(lease_upstream(&d->lease), 1U << EXTENSION_DSN) !=
            EXTENSION_COUNT)
        return DELIVERY_LACKS_DSN;
    if (envelope_sender_add(&d->sender, mailbox, params) != 0)
        return -1;
    if (params->needs_dsn)
        d->extensions |= 1U << EXTENSION_DSN;
    if (d->phase == PHASE_EMPTY)
        smtp_delivery_lease(d, lease_start(&d->lease));
    else if (d->phase == PHASE_LENT)
        smtp_delivery_send_envelope(d);
    else if (d->phase == PHASE_STANDING)
        loop_later(d->loop, &d->later);
    return 0;
}

static void smtp_data(struct delivery *delivery)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(!d->is_data && !d->is_freed);
    d->is_data = true;
    if (d->phase == PHASE_LENT)
        content_sender_start(&d->content, lease_upstream(&d->lease));
    else
        loop_later(d->loop, &d->later);
}

static bool takes_content(const struct smtp_delivery *d)
{
    if (d->phase != PHASE_LENT)
        return false;
    enum upstream_state state = upstream_state(lease_upstream(&d->lease));
    return state == UPSTREAM_DATA || state == UPSTREAM_BODY ||
           state == UPSTREAM_CHUNKS;
}

static size_t smtp_body(struct delivery *delivery, struct str octets)
{
    struct smtp_delivery *d = from_base(delivery);
    struct str rest = octets;
    assert(d->is_data && !d->is_finishing);
    if (!takes_content(d))
        return octets.n;
    enum content_sent result =
        content_sender_write(&d->content, lease_upstream(&d->lease), &rest);
    /* Failed: on_end is on its way, and the rest of no use. */
    if (!smtp_delivery_is_sent(d, result) || !takes_content(d))
        return octets.n;
    return octets.n - rest.n;
}

static void smtp_finish(struct delivery *delivery)
{
    struct smtp_delivery *d = from_base(delivery);
    assert(d->is_data && !d->is_finishing);
    d->is_finishing = true;
    d->asked_us = loop_clock_us(d->loop);
    if (takes_content(d))
        (void)smtp_delivery_is_sent(
            d, content_sender_finish(&d->content, lease_upstream(&d->lease)));
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
        .extensions = envelope->params.extensions,
        .later.run = run_later,
    };
    if (envelope_sender_init(&d->sender, envelope) != 0) {
        envelope_sender_release(&d->sender);
        free(d);
        return NULL;
    }
    outcome_copy_init(&d->standing);
    lease_init(&d->lease, upstreams->pools[settings->index], &envelope->client,
               envelope->credentials, &lease_events, d);
    return &d->base;
}
