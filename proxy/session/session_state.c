#include "proxy/session/session_state.h"

#include <assert.h>

#include "proxy/session/body_pace.h"
#include "proxy/session/session_internal.h"

#define BIT(state) (1u << (state))

#define ANY_END BIT(SESSION_CLOSING)

struct state_row {
    const char *name;
    unsigned next; /* the states that may follow */
};

static const struct state_row STATES[SESSION_STATE_COUNT] = {
    [SESSION_PROXY] = {"proxy",
                       BIT(SESSION_SECURING) | BIT(SESSION_NEW) | ANY_END},
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
    [SESSION_HEADER] = {"header", BIT(SESSION_ADDING) | BIT(SESSION_BODY) |
                                      BIT(SESSION_CHUNKS) | BIT(SESSION_DRAIN) |
                                      ANY_END},
    [SESSION_ADDING] = {"adding",
                        BIT(SESSION_BODY) | BIT(SESSION_DRAIN) | ANY_END},
    [SESSION_BODY] = {"body", BIT(SESSION_FINAL) | BIT(SESSION_CHUNKS) |
                                  BIT(SESSION_DRAIN) | BIT(SESSION_READY) |
                                  ANY_END},
    [SESSION_CHUNKS] = {"chunks", BIT(SESSION_HEADER) | BIT(SESSION_BODY) |
                                      BIT(SESSION_DRAIN) | BIT(SESSION_NEW) |
                                      BIT(SESSION_READY) | ANY_END},
    [SESSION_DRAIN] = {"drain", BIT(SESSION_READY) | ANY_END},
    [SESSION_FINAL] = {"final", BIT(SESSION_READY) | ANY_END},
    [SESSION_REFUSED] = {"refused", BIT(SESSION_REFUSED) | ANY_END},
    [SESSION_CLOSING] = {"closing", 0},
};

/* The key of the deadline of each state that has one. */
static const enum session_cap DEADLINES[SESSION_STATE_COUNT] = {
    [SESSION_PROXY] = CAP_PROXY_HEADER, [SESSION_SECURING] = CAP_TLS_HANDSHAKE,
    [SESSION_NEW] = CAP_FIRST_COMMAND,  [SESSION_REFUSED] = CAP_FIRST_COMMAND,
    [SESSION_READY] = CAP_COMMAND,      [SESSION_ENVELOPE] = CAP_COMMAND,
    [SESSION_RESPONSE] = CAP_COMMAND,   [SESSION_CHUNKS] = CAP_COMMAND,
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
    case SESSION_PROXY:
        return t->proxy_header;
    case SESSION_SECURING:
        return t->tls_handshake;
    case SESSION_NEW:
    case SESSION_REFUSED:
        return t->first_command;
    case SESSION_READY:
    case SESSION_ENVELOPE:
    case SESSION_RESPONSE:
    case SESSION_CHUNKS:
        return t->command;
    case SESSION_HEADER:
    case SESSION_BODY:
    case SESSION_DRAIN:
        return body_pace_wait_ms(s);
    case SESSION_CHECKING:
    case SESSION_ADDING:
    case SESSION_FINAL:
    case SESSION_CLOSING:
    case SESSION_STATE_COUNT:
        break;
    }
    return 0;
}

bool session_login_is_late(const struct session *s)
{
    return s->auth_by_ms != 0 && loop_now_ms(s->host->loop) >= s->auth_by_ms;
}

enum session_cap session_deadline_cap(const struct session *s)
{
    if (session_login_is_late(s))
        return s->is_hurried ? CAP_UNTIL_AUTH_CROWDED : CAP_UNTIL_AUTH;
    return DEADLINES[s->state];
}

void session_touch(struct session *s)
{
    if (s->transaction != NULL)
        body_pace_touch(s);
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

/* Wherever lines are read, also behind a login: a client may be wrong about
 * where it is. */
static bool may_hear_secrets(const struct session *s)
{
    static const unsigned content = BIT(SESSION_HEADER) | BIT(SESSION_ADDING) |
                                    BIT(SESSION_BODY) | BIT(SESSION_DRAIN);
    return s->listener->auth != AUTH_NONE && (BIT(s->state) & content) == 0;
}

void session_enter(struct session *s, enum session_state state)
{
    assert(STATES[s->state].next & BIT(state));
    server_log_write(s->host->log, SERVER_DEBUG, "%s: %s", s->id,
                     session_state_name(state));
    s->state = state;
    if (s->stream != NULL)
        stream_expect_secrets(s->stream, may_hear_secrets(s));
    session_touch(s);
}
