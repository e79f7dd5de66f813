/* The inside of a delivery over SMTP, for its two files: smtp_delivery.c is
 * what its owner calls, smtp_answers.c what the upstream says. */
#ifndef PROXY_UPSTREAM_SMTP_DELIVERY_INTERNAL_H
#define PROXY_UPSTREAM_SMTP_DELIVERY_INTERNAL_H

#include "proxy/upstream/content_sender.h"
#include "proxy/upstream/delivery_internal.h"
#include "proxy/upstream/envelope_sender.h"
#include "proxy/upstream/lease.h"

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
    size_t reported;     /* recipients whose answer was told */
    unsigned extensions; /* that the mail asks for */
    bool is_accepted;    /* one of them was */
    uint64_t asked_us;   /* when it was last sent what it has to answer */
    bool is_ended;       /* on_end was called */
    struct outcome_copy standing;
    struct content_sender content;
    bool is_data;      /* delivery_data() was called */
    bool is_finishing; /* delivery_finish() was called */
    bool is_freed;
    struct loop_later later;
};

/* From here on this outcome answers all that is asked. */
void smtp_delivery_stand(struct smtp_delivery *d,
                         const struct outcome *outcome);
void smtp_delivery_fault(struct smtp_delivery *d, const struct fault *fault,
                         bool is_uncertain);
/* Writes what may go now: MAIL and the first RCPT in one piece. */
void smtp_delivery_send_envelope(struct smtp_delivery *d);
/* Goes on with what became of asking for a connection. */
void smtp_delivery_lease(struct smtp_delivery *d, enum lease_result result);
/* Whether what was sent of the message went as it should; if not, that stands.
 */
bool smtp_delivery_is_sent(struct smtp_delivery *d, enum content_sent result);

/* Events of the connection. */
void smtp_delivery_on_reply(void *owner, enum upstream_state asked,
                            const struct reply *reply);
void smtp_delivery_on_room(void *owner);
void smtp_delivery_on_failed(void *owner, enum upstream_state in,
                             const struct fault *fault);

#endif
