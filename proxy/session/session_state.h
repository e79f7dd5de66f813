/* The states of a session: one enum, one table of legal edges, one setter
 * that asserts the edge, logs it at debug and arms the deadline. */
#ifndef PROXY_SESSION_SESSION_STATE_H
#define PROXY_SESSION_SESSION_STATE_H

#include <stdbool.h>

#include "proxy/session/session_cap.h"

struct session;

enum session_state {
    SESSION_PROXY,    /* a balancer's header is due */
    SESSION_SECURING, /* a TLS handshake is under way */
    SESSION_NEW,      /* greeted (or newly secured), no EHLO yet */
    SESSION_READY,    /* EHLO given, no transaction */
    SESSION_ENVELOPE, /* MAIL given */
    SESSION_RESPONSE, /* an AUTH challenge is out, its response due */
    SESSION_CHECKING, /* a password is being checked; nothing is read */
    SESSION_HEADER,   /* 354 given, the header block comes */
    SESSION_ADDING,   /* recipients of rules are with the upstream */
    SESSION_BODY,     /* the header block went on, the body streams */
    SESSION_CHUNKS,   /* between two chunks of BDAT: commands are read */
    SESSION_DRAIN,    /* the message is refused; its octets are swallowed */
    SESSION_FINAL,    /* the final dot went on; the upstream's answer is due */
    SESSION_REFUSED,  /* refused at connect: 503 to all but QUIT */
    SESSION_CLOSING,  /* ended; waits to be freed */
    SESSION_STATE_COUNT
};

const char *session_state_name(enum session_state state);

/* The only way to change the state. */
void session_enter(struct session *s, enum session_state state);
/* Restarts the deadline of the state: the client did something. */
void session_touch(struct session *s);
/* A login was due by now, whatever the state. */
bool session_login_is_late(const struct session *s);
/* What the client has crossed when the deadline passes; CAP_NONE where a
 * message comes in, which body_pace_tick() judges. */
enum session_cap session_deadline_cap(const struct session *s);

#endif
