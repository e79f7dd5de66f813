/* What a server gave its client to be known again by: sessions of TLS 1.2,
 * tickets of TLS 1.3. Those of one server, under one context and name, are
 * kept together by whoever connects to it; BoringSSL offers none that is too
 * old. For one thread. */
#ifndef PROXY_TLS_SESSION_H
#define PROXY_TLS_SESSION_H

#include <stddef.h>

struct ssl_session_st;

/* As many connections as begin at about the same time. */
#define TLS_SESSIONS_MAX 4

/* Zeroed before the first use. */
struct tls_sessions {
    struct ssl_session_st *kept[TLS_SESSIONS_MAX]; /* the newest last */
    size_t count;
};

/* Takes the session; NULL is none. The oldest gives way. */
void tls_sessions_keep(struct tls_sessions *sessions,
                       struct ssl_session_st *session);
/* The newest, to be offered once or released; NULL: there is none. One of
 * TLS 1.3 so serves once alone (RFC 8446 C.4), one of TLS 1.2 comes back from
 * the engine. */
struct ssl_session_st *tls_sessions_take(struct tls_sessions *sessions);
void tls_sessions_release(struct tls_sessions *sessions);

/* NULL is fine. */
void tls_session_free(struct ssl_session_st *session);

#endif
