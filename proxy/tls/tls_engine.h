/* One TLS connection as a pure machine between two bounded buffers: network
 * octets in, network octets out, clear text in, clear text out. Knows no
 * socket. Testable octet by octet. An idle engine holds empty buffers. */
#ifndef PROXY_TLS_ENGINE_H
#define PROXY_TLS_ENGINE_H

#include "proxy/tls/client_certificate.h"
#include "proxy/tls/key_question.h"
#include "proxy/tls/octet_queue.h"
#include "proxy/tls/tls_binding.h"
#include "proxy/tls/tls_context.h"
#include "proxy/tls/tls_session.h"

#define TLS_ENGINE_INPUT_MAX (32 * 1024)   /* more than the longest record */
#define TLS_ENGINE_OUTPUT_HIGH (64 * 1024) /* write takes nothing above */

struct tls_engine;

enum tls_state {
    TLS_HANDSHAKING,
    TLS_OPEN,
    TLS_PEER_CLOSED, /* close_notify came, and all before it was read */
    TLS_FAILED       /* see tls_engine_error(); flush output (the alert) */
};

/* `name`: client side only, for SNI and verification; else NULL. NULL when
 * out of memory. Borrows the context, which must outlive the engine. */
struct tls_engine *tls_engine_new(struct tls_context *context,
                                  const char *name);
void tls_engine_free(struct tls_engine *engine);
/* As octet_queue_share(); before anything else. */
void tls_engine_share(struct tls_engine *engine, struct spare_blocks *spare);

/* Client side, before the first advance: offers a session that the same server
 * gave under the same context and name. Takes it; NULL is none. The server may
 * do as if it were not there. */
void tls_engine_offer(struct tls_engine *engine,
                      struct ssl_session_st *session);
/* The newest session that may be offered next, to be taken over from the
 * engine; NULL: none, or it was taken before. */
struct ssl_session_st *tls_engine_session(struct tls_engine *engine);
/* Whether the handshake was short for the session that was offered. */
bool tls_engine_is_resumed(const struct tls_engine *engine);

/* Moves as far as it can with what is buffered; call after every feed, and
 * after sent() while handshaking. */
enum tls_state tls_engine_advance(struct tls_engine *engine);

/* Under a context without keys: true once in a handshake, when it waits for a
 * signature. The question's input is valid until it is answered or the engine
 * is freed. answer: the signature; empty: there is none, and `words` say why
 * the handshake fails. Advance then. */
bool tls_engine_asks(struct tls_engine *engine, struct key_question *question);
void tls_engine_answer(struct tls_engine *engine, struct str signature,
                       const char *words);

/* Network side. feed takes up to all of it and returns how many octets it
 * took, room() at most; output is what must go to the network, sent() says
 * how much went. */
size_t tls_engine_feed(struct tls_engine *engine, struct str octets);
size_t tls_engine_room(const struct tls_engine *engine);
/* The same without a copy: the engine reads the octets where they lie, and
 * copies what is left of them when it is told that they go. keep: 0, or -1
 * when that was more than room(), or memory is out. */
void tls_engine_lend(struct tls_engine *engine, struct str octets);
int tls_engine_keep(struct tls_engine *engine);
/* The octets that were fed or lent and not decrypted yet. */
size_t tls_engine_unread(const struct tls_engine *engine);
struct str tls_engine_output(const struct tls_engine *engine);
void tls_engine_sent(struct tls_engine *engine, size_t octets);

/* Clear side. read: up to `room` octets into `to`; 0: none now. pending: how
 * many octets the next read will give, known after advance(). write: how many
 * were taken (bounded output buffer). */
size_t tls_engine_read(struct tls_engine *engine, char *to, size_t room);
size_t tls_engine_pending(const struct tls_engine *engine);
/* While it is set, clear text that was read is wiped from the library's own
 * memory too. Not set at first. */
void tls_engine_expect_secrets(struct tls_engine *engine, bool are_expected);
size_t tls_engine_write(struct tls_engine *engine, struct str octets);
/* Queues close_notify, once. */
void tls_engine_close(struct tls_engine *engine);

/* After TLS_FAILED: words for the log; else "". */
const char *tls_engine_error(const struct tls_engine *engine);
/* "1.2" or "1.3"; the cipher's standard name; the name the client asked for,
 * "" when none. Empty before the handshake is done. */
const char *tls_engine_version(const struct tls_engine *engine);
const char *tls_engine_cipher(const struct tls_engine *engine);
const char *tls_engine_sni(const struct tls_engine *engine);
/* What binds to this channel (RFC 9266). 0, or -1 before the handshake is done
 * and below TLS 1.3, where another handshake may end in the same. */
int tls_engine_binding(const struct tls_engine *engine,
                       uint8_t out[TLS_BINDING_OCTETS]);
/* The certificate that the client showed; see client_certificate.h. */
int tls_engine_client(const struct tls_engine *engine, struct arena *arena,
                      struct client_certificate *out);

#endif
