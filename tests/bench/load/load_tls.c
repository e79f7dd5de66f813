#include "tests/bench/load/load_tls.h"

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/load_session.h"

/* The last one that came is the one to be resumed. */
static int on_ticket(SSL *tls, SSL_SESSION *ticket)
{
    struct load_session *session = SSL_get_app_data(tls);
    SSL_SESSION_free(session->ticket);
    session->ticket = ticket;
    return 1; /* taken */
}

SSL_CTX *load_tls_new(const struct load_options *options)
{
    if (options->mode == MODE_PLAIN)
        return NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls == NULL)
        fatal("out of memory");
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_max_proto_version(
        tls, options->tls_max == TLS_MAX_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
    if (options->ciphers != NULL &&
        !SSL_CTX_set_strict_cipher_list(tls, options->ciphers))
        fatal("--ciphers: not to be had: %s", options->ciphers);
    if (options->groups != NULL &&
        !SSL_CTX_set1_curves_list(tls, options->groups))
        fatal("--groups: not to be had: %s", options->groups);
    if (options->resumes) {
        SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT |
                                                SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(tls, on_ticket);
    }
    return tls;
}

void load_tls_secure(struct load_session *session)
{
    const struct load_options *options = session->load->options;
    wire_secure(&session->wire, session->load->tls);
    SSL *tls = session->wire.tls;
    SSL_set_app_data(tls, session);
    SSL_set_connect_state(tls);
    if (options->server_name != NULL &&
        !SSL_set_tlsext_host_name(tls, options->server_name))
        fatal("--sni: no name: %s", options->server_name);
    if (session->ticket != NULL)
        SSL_set_session(tls, session->ticket);
}
