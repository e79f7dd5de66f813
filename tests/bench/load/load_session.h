/* One place of a run, for one connection at a time: its wire, what is still
 * to be written, where its dialogue stands. When a connection is over the
 * place is free, and the run opens it again at the end of its turn, never
 * within an event: others of the same turn may still be of the old one. */
#ifndef BENCH_LOAD_LOAD_SESSION_H
#define BENCH_LOAD_LOAD_SESSION_H

#include "tests/bench/load/load.h"
#include "tests/bench/load/octets.h"
#include "tests/bench/load/wire.h"

enum load_state {
    STATE_FREE,       /* no connection */
    STATE_CONNECTING, /* TCP */
    STATE_SECURING,   /* the handshake of TLS */
    STATE_GREETING,   /* from here on: which reply comes next */
    STATE_EHLO,
    STATE_STARTTLS,
    STATE_AUTH_NAME,     /* LOGIN asks for the user */
    STATE_AUTH_PASSWORD, /* and for the password */
    STATE_AUTH,          /* the outcome */
    STATE_READY,         /* none: it waits at the barrier */
    STATE_MAIL,
    STATE_RCPT,
    STATE_DATA,
    STATE_BODY, /* the final reply */
    STATE_RSET,
    STATE_QUIT,
    STATE_IDLE, /* none: it is held */
};
#define LOAD_STATES (STATE_IDLE + 1)

struct load_session {
    struct load *load;   /* borrowed */
    SSL_SESSION *ticket; /* outlives the connection; NULL: none */
    struct load_session *next_ended;

    struct wire wire;
    enum load_state state;
    struct octets rest; /* of the input: a line that is not whole */
    struct octets out;  /* is written first, */
    const char *body;   /* then this, borrowed from the maker, */
    size_t body_size;
    char end[MESSAGE_END_ROOM]; /* then this */
    size_t end_size;

    bool offers_pipelining, offers_chunking;
    bool is_mail_taken;
    bool is_next_sent;     /* the next transaction's envelope is under way */
    uint64_t asked, taken; /* recipients that were answered, and accepted */
    uint64_t opened_ns, moved_ns, mail_ns, next_mail_ns;
    uint64_t number, sent, message_id;
};

void load_session_init(struct load_session *session, struct load *load);
void load_session_release(struct load_session *session);

void load_session_open(struct load_session *session);
/* Something moved on its wire. */
void load_session_event(struct load_session *session);
/* Writes what there is as far as it goes; a failure ends the session. */
void load_session_flush(struct load_session *session);
/* The connection is over, as it should be. */
void load_session_end(struct load_session *session);
/* It is over, and why. */
void load_session_fail(struct load_session *session, const char *what,
                       const char *text);

#endif
