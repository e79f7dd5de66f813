/* A session of the sink: what comes in is taken as the state says, and what
 * is answered leaves when all that came is taken. Owned by its thread, which
 * frees it when it is told that it has ended. */
#ifndef BENCH_LOAD_SINK_SESSION_H
#define BENCH_LOAD_SINK_SESSION_H

#include "tests/bench/load/octets.h"
#include "tests/bench/load/sink.h"
#include "tests/bench/load/sink_dots.h"
#include "tests/bench/load/sink_message.h"
#include "tests/bench/load/wire.h"

enum sink_state {
    SINK_COMMAND,    /* a line comes next */
    SINK_AUTH_NAME,  /* a line: the name that LOGIN asked for */
    SINK_AUTH_LAST,  /* a line: the last response of AUTH */
    SINK_DATA,       /* content, up to its dot */
    SINK_CHUNK,      /* octets of a chunk */
    SINK_LOST_CHUNK, /* octets of a chunk that belongs to nothing */
    SINK_STARTTLS,   /* nothing, before the reply to it is written */
    SINK_HANDSHAKE,  /* TLS's own */
    SINK_CLOSING,    /* nothing: the end, when all is written */
};

struct sink_session {
    struct sink *sink;                    /* borrowed */
    int epoll;                            /* its thread's */
    struct sink_session *previous, *next; /* in its thread's list */
    struct wire wire;
    enum sink_state state;
    bool is_greeted;
    struct octets line; /* that is not whole yet */
    struct octets out;

    bool is_in_mail;    /* MAIL was taken */
    bool is_in_message; /* its content has begun */
    uint64_t recipients;
    struct sink_dots dots;
    struct sink_message message;
    uint64_t chunk_left;
    bool is_last_chunk;
};

/* Takes the connected descriptor; epoll gives the session back for it.
 * False: it has ended already. */
bool sink_session_begin(struct sink_session *session, struct sink *sink,
                        int epoll, int fd, bool is_tls);
void sink_session_release(struct sink_session *session);

/* Something moved; `input` is memory to read into. False: it has ended. */
bool sink_session_event(struct sink_session *session, char *input, size_t room);

/* What a command gives up: RSET, EHLO. */
void sink_session_reset(struct sink_session *session);
/* The message is whole: it is judged, counted and answered. */
void sink_session_end_message(struct sink_session *session);

#endif
