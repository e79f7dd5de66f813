#include "proxy/tls/tls_error.h"

#include "proxy/tls/server_proof.h"
#include "rules/base/str.h"

#include <stdint.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Those that an operator meets; the others are named as the library does. */
static const struct {
    int reason;
    const char *words;
} KNOWN[] = {
    {SSL_R_NO_SHARED_CIPHER, "no shared cipher"},
    {SSL_R_WRONG_VERSION_NUMBER, "wrong version number (clear text?)"},
    {SSL_R_HTTP_REQUEST, "an HTTP request, not TLS"},
    {SSL_R_HTTPS_PROXY_REQUEST, "an HTTP proxy request, not TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "unsupported protocol version"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "no shared application protocol (ALPN)"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "the peer found no common parameters, or lacks a certificate of ours "
     "(handshake failure)"},
    {SSL_R_TLSV1_CERTIFICATE_REQUIRED,
     "the peer wants a certificate of ours (certificate required)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
     "the peer refused the protocol version"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA,
     "the peer does not trust the certificate (unknown CA)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
     "the peer says the certificate has expired"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the peer refused the certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the peer refused the certificate"},
};

static const char *known_words(int reason)
{
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
        if (KNOWN[i].reason == reason)
            return KNOWN[i].words;
    return NULL;
}

/* DECRYPTION_FAILED_OR_BAD_RECORD_MAC reads better in lower case. */
static void add_library_words(uint32_t error, char *to, size_t room)
{
    const char *name = ERR_reason_error_string(error);
    if (name == NULL) {
        snprintf(to, room, "TLS error %u", (unsigned)error);
        return;
    }
    snprintf(to, room, "%s", name);
    for (char *p = to; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : ascii_lower(*p);
}

void tls_error_words(const SSL *ssl, char *to, size_t room)
{
    uint32_t error = ERR_get_error();
    ERR_clear_error();
    bool is_tls = ERR_GET_LIB(error) == ERR_LIB_SSL;
    int reason = ERR_GET_REASON(error);
    const char *words = is_tls ? known_words(reason) : NULL;
    bool is_refused = is_tls && reason == SSL_R_CERTIFICATE_VERIFY_FAILED;
    if (is_refused && !SSL_is_server(ssl))
        server_proof_words(ssl, to, room);
    else if (is_refused)
        snprintf(to, room, "certificate verify failed: %s",
                 X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    else if (words != NULL)
        snprintf(to, room, "%s", words);
    else if (error == 0)
        snprintf(to, room, "TLS failed without a reason");
    else
        add_library_words(error, to, room);
}
