/* A byte stream to a peer, plain or TLS: one TCP connection, a bounded input
 * buffer and a bounded output queue. Events come on the loop's thread, never
 * from inside a call of this interface. Pulling: the stream keeps what came
 * in until the owner consumes it.
 *
 * Reading: while the input buffer is full or the stream is paused nothing is
 * read from the socket. Writing: what is written is copied and leaves in as
 * few system calls as possible at the end of the turn (TCP_NODELAY is set).
 * An idle stream holds no buffers. An owner may call anything of this
 * interface inside any event, stream_close() and stream_abort() too. */
#ifndef PROXY_NET_STREAM_H
#define PROXY_NET_STREAM_H

#include "proxy/net/loop.h"
#include "proxy/tls/tls_binding.h"
#include "proxy/tls/tls_session.h"

#define STREAM_INPUT_MAX (128 * 1024)   /* octets kept unread */
#define STREAM_OUTPUT_LOW (32 * 1024)   /* on_drained comes below this */
#define STREAM_OUTPUT_HIGH (128 * 1024) /* the owner should pause above */
#define STREAM_OUTPUT_MAX (1024 * 1024) /* stream_write() fails above */
#define STREAM_HOLD_MS ((uint64_t)10)

struct stream;
struct arena;
struct client_certificate;
struct tls_context;

enum stream_end {
    STREAM_END_EOF,       /* the peer closed in order (TLS: close_notify, or a
                             FIN in clear text) */
    STREAM_END_TRUNCATED, /* TLS without close_notify */
    STREAM_END_RESET,     /* the network failed */
    STREAM_END_TLS,       /* handshake or record failure; see stream_error() */
    STREAM_END_CONNECT,   /* never connected; see stream_error() */
    STREAM_END_MEMORY,
    STREAM_END_OWNER /* stream_close() or stream_abort() was called */
};

/* A callback that the owner does not care for may be NULL. */
struct stream_events {
    /* stream_connect(): connected; or, after stream_secure(), the handshake is
     * done. stream_accept() alone brings none: such a stream is ready. */
    void (*on_ready)(void *owner);
    /* There is input that was not there before; or input that was there when
     * stream_resume() was called. Not while paused. */
    void (*on_bytes)(void *owner);
    /* The output queue fell to STREAM_OUTPUT_LOW or under it, after having
     * been over it. */
    void (*on_drained)(void *owner);
    /* The peer ended (any input is still readable; writing may still work
     * after STREAM_END_EOF, until stream_close()), or the stream failed. Not
     * called for STREAM_END_OWNER. Comes once. An end by EOF or truncation is
     * told after the input before it, so it waits while the stream is paused;
     * a paused stream is not read, so that its end may be noticed late. */
    void (*on_ended)(void *owner, enum stream_end end);
};

/* Takes a connected socket. On failure NULL, and fd is closed. */
struct stream *stream_accept(struct loop *loop, int fd,
                             const struct stream_events *events, void *owner);

/* Starts connecting; on_ready or on_ended(STREAM_END_CONNECT) follows. A host
 * that is not an address is looked up; its addresses are tried in turn. NULL
 * when out of memory. */
struct stream *stream_connect(struct loop *loop, struct str host, uint16_t port,
                              uint64_t timeout_ms,
                              const struct stream_events *events, void *owner);
/* The same to a unix socket by its path. */
struct stream *stream_connect_unix(struct loop *loop, const char *path,
                                   uint64_t timeout_ms,
                                   const struct stream_events *events,
                                   void *owner);

/* Begins TLS. The input must be empty: whoever calls this with octets of the
 * clear text left has a bug or an attacker, and gets -1; so does one whose
 * peer has already ended, and when memory is out. Output queued before goes
 * out in clear text first, what is queued from now on after the handshake.
 * The handshake reads even while paused. `name`: client side, the server's
 * name for SNI and verification; NULL on the server's. on_ready follows, or
 * on_ended(STREAM_END_TLS); the owner sets the time limit. After
 * STREAM_END_TLS the alert is sent, for certain with stream_close() alone. */
int stream_secure(struct stream *stream, struct tls_context *context,
                  const char *name);

/* The client's side, right behind stream_secure(): offers a session of the
 * same server to be resumed. Takes it; NULL is none. */
void stream_tls_offer(struct stream *stream, struct ssl_session_st *session);
/* The newest that the server gave, to be taken over; NULL: none. See
 * tls_session.h. */
struct ssl_session_st *stream_tls_session(struct stream *stream);

/* The server's side where TLS begins behind other octets: what is unread is the
 * peer's first words of TLS. */
int stream_secure_unread(struct stream *stream, struct tls_context *context);

/* The unread input; valid until the next consume or return to the loop. */
struct str stream_input(const struct stream *stream);
void stream_consume(struct stream *stream, size_t octets);
/* The same for what may be a secret: wiped at once. */
void stream_wipe(struct stream *stream, size_t octets);
/* While it is set, what is read may be a secret: on its way to the input it is
 * left in no buffer of this thread's, nor of the TLS library's. Costs
 * something, so that it is not for bodies of messages. Not set at first. */
void stream_expect_secrets(struct stream *stream, bool are_expected);
void stream_pause(struct stream *stream);
/* With unread input on_bytes follows at the end of this turn, though nothing
 * new came in. Without effect on a stream that is not paused. */
void stream_resume(struct stream *stream);

/* While it is set, what is written waits for more: up to STREAM_OUTPUT_LOW, or
 * stream_close(), and no longer than STREAM_HOLD_MS from when it was set; then
 * it is not any more. Not set at first. */
void stream_hold_output(struct stream *stream, bool is_held);

/* Sends now what would go at the end of this turn. */
void stream_flush(struct stream *stream);

/* Sends at the end of the turn, or a large piece at once; what can't be sent
 * then is copied. 0, or -1 when the queue would pass its maximum (nothing of
 * it is sent then) or memory is out. What is written after a failure is
 * dropped: on_ended tells of it. */
int stream_write(struct stream *stream, struct str octets);
/* Octets queued and not yet taken by the kernel. */
size_t stream_pending(const struct stream *stream);

/* No events after either; the owner forgets the stream. close: what is queued
 * leaves first (bounded by 10 s), TLS says close_notify, and what the peer
 * still sends is thrown away until its end (bounded by 2 s), so that no RST
 * overtakes the last reply. abort: at once, by RST, so that the peer can't
 * take a cut for an end. The memory goes by itself. */
void stream_close(struct stream *stream);
void stream_abort(struct stream *stream);

/* After on_ended: words for the log ("connection refused",
 * "certificate verify failed: …"); never NULL. */
const char *stream_error(const struct stream *stream);

bool stream_is_secure(const struct stream *stream);
/* Once secured: "1.2" or "1.3"; the cipher's standard name; the SNI name
 * ("" when none). Valid as long as the stream. */
const char *stream_tls_version(const struct stream *stream);
const char *stream_tls_cipher(const struct stream *stream);
const char *stream_tls_sni(const struct stream *stream);
/* What binds to this channel (RFC 9266). 0, or -1 below TLS 1.3. */
int stream_tls_binding(const struct stream *stream,
                       uint8_t out[TLS_BINDING_OCTETS]);
/* The certificate that the client showed; see client_certificate.h. */
int stream_tls_client(const struct stream *stream, struct arena *arena,
                      struct client_certificate *out);

/* Numeric address of the peer and its port; an IPv4 peer of an IPv6 socket is
 * given as IPv4. "" before a stream_connect() is ready, and of a unix socket.
 */
const char *stream_peer_host(const struct stream *stream);
uint16_t stream_peer_port(const struct stream *stream);
const char *stream_local_host(const struct stream *stream);
uint16_t stream_local_port(const struct stream *stream);

#endif
