#include "proxy/upstream/upstream_state.h"

/* How long a farewell is waited for, whatever the other time limits are. */
#define QUIT_MS 5000

#define EDGE(state) (1U << (state))

static const struct {
    const char *name;
    unsigned next; /* legal next states, as EDGE() bits */
} states[UPSTREAM_STATE_COUNT] = {
    [UPSTREAM_CONNECTING] = {"connecting",
                             EDGE(UPSTREAM_SECURING) | EDGE(UPSTREAM_BANNER)},
    [UPSTREAM_BANNER] = {"banner", EDGE(UPSTREAM_EHLO)},
    [UPSTREAM_EHLO] = {"EHLO", EDGE(UPSTREAM_HELO) | EDGE(UPSTREAM_UPGRADE) |
                                   EDGE(UPSTREAM_TOKEN) | EDGE(UPSTREAM_AUTH) |
                                   EDGE(UPSTREAM_READY)},
    [UPSTREAM_HELO] = {"HELO", EDGE(UPSTREAM_TOKEN) | EDGE(UPSTREAM_AUTH) |
                                   EDGE(UPSTREAM_READY)},
    [UPSTREAM_UPGRADE] = {"STARTTLS", EDGE(UPSTREAM_SECURING)},
    [UPSTREAM_SECURING] = {"TLS handshake",
                           EDGE(UPSTREAM_BANNER) | EDGE(UPSTREAM_EHLO)},
    [UPSTREAM_TOKEN] = {"the token", EDGE(UPSTREAM_AUTH)},
    [UPSTREAM_AUTH] = {"AUTH", EDGE(UPSTREAM_TOKEN) | EDGE(UPSTREAM_READY)},
    [UPSTREAM_XCLIENT] = {"XCLIENT",
                          EDGE(UPSTREAM_XCLIENT) | EDGE(UPSTREAM_EHLO)},
    [UPSTREAM_READY] = {"ready", EDGE(UPSTREAM_XCLIENT) |
                                     EDGE(UPSTREAM_ENVELOPE) |
                                     EDGE(UPSTREAM_QUIT)},
    [UPSTREAM_ENVELOPE] = {"MAIL and RCPT",
                           EDGE(UPSTREAM_DATA) | EDGE(UPSTREAM_CHUNKS) |
                               EDGE(UPSTREAM_YIELDING) | EDGE(UPSTREAM_RSET)},
    [UPSTREAM_DATA] = {"DATA", EDGE(UPSTREAM_BODY) | EDGE(UPSTREAM_ENVELOPE)},
    [UPSTREAM_BODY] = {"the message", EDGE(UPSTREAM_DOT)},
    [UPSTREAM_CHUNKS] = {"BDAT", EDGE(UPSTREAM_DOT) | EDGE(UPSTREAM_YIELDING) |
                                     EDGE(UPSTREAM_RSET)},
    [UPSTREAM_DOT] = {"the end of data", EDGE(UPSTREAM_READY)},
    [UPSTREAM_YIELDING] = {"before RSET", EDGE(UPSTREAM_RSET)},
    [UPSTREAM_RSET] = {"RSET", EDGE(UPSTREAM_READY)},
    [UPSTREAM_QUIT] = {"QUIT", 0},
    [UPSTREAM_CLOSED] = {"closed", 0},
};

static const char *const deadline_keys[UPSTREAM_STATE_COUNT] = {
    [UPSTREAM_CONNECTING] = "timeouts.upstream_connect",
    [UPSTREAM_BANNER] = "timeouts.upstream_banner",
    [UPSTREAM_EHLO] = "timeouts.upstream_banner",
    [UPSTREAM_HELO] = "timeouts.upstream_banner",
    [UPSTREAM_XCLIENT] = "timeouts.upstream_banner",
    [UPSTREAM_UPGRADE] = "timeouts.upstream_other",
    [UPSTREAM_TOKEN] = "timeouts.upstream_other",
    [UPSTREAM_AUTH] = "timeouts.upstream_other",
    [UPSTREAM_YIELDING] = "timeouts.upstream_other",
    [UPSTREAM_RSET] = "timeouts.upstream_other",
    [UPSTREAM_SECURING] = "timeouts.tls_handshake",
    [UPSTREAM_ENVELOPE] = "timeouts.upstream_mail",
    [UPSTREAM_DATA] = "timeouts.upstream_data",
    [UPSTREAM_BODY] = "timeouts.upstream_end_of_data",
    [UPSTREAM_CHUNKS] = "timeouts.upstream_end_of_data",
    [UPSTREAM_DOT] = "timeouts.upstream_end_of_data",
};

const char *upstream_state_name(enum upstream_state state)
{
    return states[state].name;
}

bool upstream_state_may_follow(enum upstream_state from, enum upstream_state to)
{
    if (from == UPSTREAM_CLOSED)
        return false;
    return to == UPSTREAM_CLOSED || (states[from].next & EDGE(to)) != 0;
}

uint64_t upstream_state_deadline_ms(enum upstream_state state,
                                    const struct timeouts_settings *timeouts)
{
    switch (state) {
    case UPSTREAM_BANNER:
    case UPSTREAM_EHLO:
    case UPSTREAM_HELO:
    case UPSTREAM_XCLIENT:
        return timeouts->upstream_banner;
    case UPSTREAM_UPGRADE:
    case UPSTREAM_TOKEN:
    case UPSTREAM_AUTH:
    case UPSTREAM_YIELDING:
    case UPSTREAM_RSET:
        return timeouts->upstream_other;
    case UPSTREAM_SECURING:
        return timeouts->tls_handshake;
    case UPSTREAM_ENVELOPE:
        return timeouts->upstream_mail;
    case UPSTREAM_DATA:
        return timeouts->upstream_data;
    /* Of a reader that takes nothing at all: RFC 5321 4.5.3.2.5 asks for
     * three minutes at least, and a busy filter may need more. */
    case UPSTREAM_BODY:
    case UPSTREAM_CHUNKS:
    case UPSTREAM_DOT:
        return timeouts->upstream_end_of_data;
    case UPSTREAM_QUIT:
        return QUIT_MS;
    case UPSTREAM_CONNECTING: /* the stream keeps this one */
    case UPSTREAM_READY:      /* and the pool this one */
    case UPSTREAM_CLOSED:
    case UPSTREAM_STATE_COUNT:
        break;
    }
    return 0;
}

const char *upstream_state_deadline_key(enum upstream_state state)
{
    return deadline_keys[state];
}
