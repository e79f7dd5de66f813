/* The inside of a stream, for the files of this folder: stream.c (its life
 * and its interface), stream_input.c, stream_output.c, stream_leave.c.
 *
 * A turn of a stream is always the same four steps, whatever began it: take
 * in what can be taken, send what can be sent, tell the owner, who may do
 * anything with the stream in the callback, and read on or not, as there is
 * room now. */
#ifndef PROXY_NET_STREAM_INTERNAL_H
#define PROXY_NET_STREAM_INTERNAL_H

#include "proxy/net/dial.h"
#include "proxy/net/key_link.h"
#include "proxy/net/loop_internal.h"
#include "proxy/net/socket_address.h"
#include "proxy/net/stream.h"
#include "proxy/tls/octet_queue.h"
#include "proxy/tls/tls_engine.h"

#define STREAM_WRITE_MAX (64 * 1024)      /* handed to the kernel at once */
#define STREAM_FLUSH_MS ((uint64_t)10000) /* after stream_close() */
#define STREAM_LINGER_MS ((uint64_t)2000) /* after our FIN, for theirs */

enum stream_state {
    STREAM_CONNECTING, /* a dial is under way; the handle has no socket */
    STREAM_OPEN,       /* clear text, or TLS after the handshake */
    STREAM_SECURING,   /* TLS handshake */
    STREAM_FAILED,     /* nothing moves; waits for its owner to let go */
    STREAM_FLUSHING,   /* the owner let go, the output still leaves */
    STREAM_LINGERING,  /* all sent; waits for the peer's end */
    STREAM_GONE        /* handles are closing, then the memory goes */
};

/* In the order in which they are told. */
enum stream_event {
    EVENT_READY = 1,
    EVENT_BYTES = 2,
    EVENT_DRAINED = 4,
    EVENT_ENDED = 8
};

/* What the kernel had no room for; only while that is so. */
struct stream_writing {
    uv_write_t request;
    struct octet_queue octets;
};

struct stream {
    uv_tcp_t tcp;
    uv_timer_t timer; /* of holding, or of flushing and lingering */
    uv_shutdown_t shutdown;
    unsigned open_handles; /* tcp and timer, until their close callbacks */
    struct loop *loop;
    struct loop_later later; /* a turn at the end of the loop's turn */
    struct loop_leaving leaving;
    const struct stream_events *events;
    void *owner;
    enum stream_state state;
    unsigned untold; /* of enum stream_event */
    enum stream_end end;
    struct dial *dial;         /* while STREAM_CONNECTING */
    struct tls_engine *engine; /* NULL: clear text */
    struct key_wait key;       /* while the handshake waits for a signature */
    struct octet_queue input;
    struct octet_queue output;      /* clear text of the owner */
    size_t clear_octets;            /* head of output that leaves before TLS */
    struct stream_writing *writing; /* NULL: libuv writes nothing */
    bool expects_secrets;
    bool holds_output;
    bool is_paused;
    bool is_reading;
    bool is_input_full; /* until half of it is consumed */
    bool has_peer_ended;
    bool is_above_low; /* on_drained is due when the output falls */
    char *error;       /* owned; NULL: none, or no memory for it */
    char peer_host[SOCKET_ADDRESS_TEXT];
    char local_host[SOCKET_ADDRESS_TEXT];
    uint16_t peer_port, local_port;
};

/* stream.c */
bool stream_has_owner(const struct stream *stream);
/* A turn at the end of the loop's turn. */
void stream_touch(struct stream *stream);
/* The same now; from callbacks of libuv only. */
void stream_turn(struct stream *stream);
/* The peer's end, or a failure. The first one is told. */
void stream_note_end(struct stream *stream, enum stream_end end,
                     const char *words);

/* stream_input.c */
/* Decrypts what there is room for; sees the end of the handshake and of the
 * peer. */
void stream_take_input(struct stream *stream);
/* Starts or stops reading, as state and room ask. */
void stream_update_reading(struct stream *stream);

/* stream_output.c */
void stream_send_output(struct stream *stream);

/* stream_leave.c */
/* Everything has been sent and the owner has let go. */
void stream_linger(struct stream *stream);
/* Closes the handles; the memory follows. */
void stream_vanish(struct stream *stream);
void stream_free_if_gone(struct stream *stream);

#endif
