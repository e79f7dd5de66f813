#include "proxy/tls/tls_session.h"

#include <string.h>

#include <openssl/ssl.h>

void tls_sessions_keep(struct tls_sessions *sessions,
                       struct ssl_session_st *session)
{
    if (session == NULL)
        return;
    if (sessions->count == TLS_SESSIONS_MAX) {
        tls_session_free(sessions->kept[0]);
        sessions->count--;
        memmove(sessions->kept, sessions->kept + 1,
                sessions->count * sizeof *sessions->kept);
    }
    sessions->kept[sessions->count++] = session;
}

struct ssl_session_st *tls_sessions_take(struct tls_sessions *sessions)
{
    return sessions->count == 0 ? NULL : sessions->kept[--sessions->count];
}

void tls_sessions_release(struct tls_sessions *sessions)
{
    while (sessions->count > 0)
        tls_session_free(tls_sessions_take(sessions));
}

void tls_session_free(struct ssl_session_st *session)
{
    SSL_SESSION_free(session);
}
