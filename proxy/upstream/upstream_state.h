/* The states of one connection to an upstream: their names, the legal edges
 * between them, and how long each may last. Pure. */
#ifndef PROXY_UPSTREAM_UPSTREAM_STATE_H
#define PROXY_UPSTREAM_UPSTREAM_STATE_H

#include "config/settings.h"

enum upstream_state {
    UPSTREAM_CONNECTING, /* no connection yet */
    UPSTREAM_BANNER,     /* waits for 220 */
    UPSTREAM_EHLO,       /* said EHLO, in clear text or inside TLS */
    UPSTREAM_HELO,       /* said HELO, after EHLO was refused */
    UPSTREAM_UPGRADE,    /* said STARTTLS */
    UPSTREAM_SECURING,   /* the TLS handshake */
    UPSTREAM_TOKEN,      /* waits for a token to log in with */
    UPSTREAM_AUTH,       /* said AUTH, or a response of its exchange */
    UPSTREAM_XCLIENT,    /* told who the client is; waits for a new 220 */
    UPSTREAM_READY,      /* between transactions: idle, or just lent */
    UPSTREAM_ENVELOPE,   /* MAIL and RCPTs, answered or not */
    UPSTREAM_DATA,       /* said DATA, waits for 354 */
    UPSTREAM_BODY,       /* the message flows; no answer is due */
    UPSTREAM_CHUNKS,     /* the message in chunks, answered or not */
    UPSTREAM_DOT,        /* the final dot or the last chunk is written, its
                          * answer is due */
    UPSTREAM_YIELDING,   /* gives a transaction up, when nothing is due */
    UPSTREAM_RSET,       /* gives a transaction up; waits for 250 */
    UPSTREAM_QUIT,       /* said QUIT, waits for 221 */
    UPSTREAM_CLOSED,     /* over; nothing is sent or read any more */
    UPSTREAM_STATE_COUNT
};

const char *upstream_state_name(enum upstream_state state);
bool upstream_state_may_follow(enum upstream_state from,
                               enum upstream_state to);
/* 0: none. In the envelope it holds while an answer is due. */
uint64_t upstream_state_deadline_ms(enum upstream_state state,
                                    const struct timeouts_settings *timeouts);
/* The configuration's key of that deadline, "timeouts.upstream_mail"; NULL:
 * it has none. */
const char *upstream_state_deadline_key(enum upstream_state state);

#endif
