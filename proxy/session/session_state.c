#include "proxy/session/session_state.h"

#include <assert.h>

#include "proxy/session/session_internal.h"

#define BIT(state) (1u << (state))

#define ANY_END BIT(SESSION_CLOSING)

struct state_row {
    const char *name;
    unsigned next; /* the states that may follow */
};

static const struct state_row STATES[SESSION_STATE_COUNT] = {
    [SESSION_SECURING] = {"securing", BIT(SESSION_NEW) | ANY_END},
    [SESSION_NEW] = {"new", BIT(SESSION_NEW) | BIT(SESSION_READY) |
                                BIT(SESSION_SECURING) | BIT(SESSION_REFUSED) |
                                ANY_END},
    [SESSION_READY] = {"ready", BIT(SESSION_NEW) | BIT(SESSION_READY) |
                                    BIT(SESSION_SECURING) |
                                    BIT(SESSION_RESPONSE) |
                                    BIT(SESSION_CHECKING) |
                                    BIT(SESSION_ENVELOPE) | ANY_END},
    [SESSION_ENVELOPE] = {"envelope", BIT(SESSION_NEW) | BIT(SESSION_READY) |
                                          BIT(SESSION_HEADER) | ANY_END},
    [SESSION_RESPONSE] = {"response", BIT(SESSION_RESPONSE) |
                                          BIT(SESSION_CHECKING) |
                                          BIT(SESSION_READY) | ANY_END},
    [SESSION_CHECKING] = {"checking", BIT(SESSION_READY) | ANY_END},
    [SESSION_HEADER] = {"header",
                        BIT(SESSION_ADDING) | BIT(SESSION_BODY) |
                            BIT(SESSION_DRAIN) | ANY_END},
    [SESSION_ADDING] = {"adding",
                        BIT(SESSION_BODY) | BIT(SESSION_DRAIN) | ANY_END},
    [SESSION_BODY] = {"body", BIT(SESSION_FINAL) | BIT(SESSION_DRAIN) |
                                  BIT(SESSION_READY) | ANY_END},
    [SESSION_DRAIN] = {"drain", BIT(SESSION_READY) | ANY_END},
    [SESSION_FINAL] = {"final", BIT(SESSION_READY) | ANY_END},
    [SESSION_REFUSED] = {"refused", BIT(SESSION_REFUSED) | ANY_END},
    [SESSION_CLOSING] = {"closing", 0},
};

const char *session_state_name(enum session_state state)
{
    return STATES[state].name;
}

/* Milliseconds until the state has lasted too long; 0: the far side of it has
 * deadlines of its own. */
static uint64_t state_timeout(const struct session *s)
{
    const struct timeouts_settings *t = &session_settings(s)->timeouts;
    switch (s->state) {
    case SESSION_SECURING:
        return t->tls_handshake;
    case SESSION_NEW:
    case SESSION_REFUSED:
        return t->first_command;
    case SESSION_READY:
    case SESSION_ENVELOPE:
    case SESSION_RESPONSE:
        return t->command;
    case SESSION_HEADER:
    case SESSION_BODY:
    case SESSION_DRAIN:
        return t->data < 60000 ? t->data : 60000; /* a tick */
    case SESSION_CHECKING:
    case SESSION_ADDING:
    case SESSION_FINAL:
    case SESSION_CLOSING:
    case SESSION_STATE_COUNT:
        break;
    }
    return 0;
}

void session_touch(struct session *s)
{
    uint64_t wait = state_timeout(s);
    uint64_t now = loop_now_ms(s->host->loop);
    /* While we are waited for, the client is not to blame. */
    if (wait == 0 || s->awaited != NULL) {
        timer_stop(s->deadline);
        return;
    }
    if (s->auth_by_ms != 0 && now + wait > s->auth_by_ms)
        wait = s->auth_by_ms > now ? s->auth_by_ms - now : 1;
    timer_start(s->deadline, wait);
}

void session_enter(struct session *s, enum session_state state)
{
    assert(STATES[s->state].next & BIT(state));
    server_log_write(s->host->log, SERVER_DEBUG, "%s: %s", s->id,
                     session_state_name(state));
    s->state = state;
    session_touch(s);
}
