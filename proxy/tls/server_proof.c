#include "proxy/tls/server_proof.h"

#include "proxy/tls/client_certificate.h"
#include "proxy/tls/tls_context_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

/* A certificate may hold more names than anybody wants to read. */
#define NAME_SHOWN 40
#define CERTIFICATE_MAX ((size_t)64 * 1024)

static bool is_pinned(const struct tls_context *context, struct str fingerprint)
{
    for (size_t i = 0; i < context->pin_count; i++)
        if (str_equals(str_span(context->pins[i], sizeof context->pins[i]),
                       fingerprint))
            return true;
    return false;
}

static enum ssl_verify_result_t verify_pinned(SSL *ssl, uint8_t *alert)
{
    struct client_certificate shown;
    struct arena arena;
    arena_init(&arena, CERTIFICATE_MAX);
    bool is_right = client_certificate_read(ssl, &arena, &shown) == 0 &&
                    is_pinned(SSL_get_app_data(ssl), shown.fingerprint);
    arena_release(&arena);
    *alert = SSL_AD_BAD_CERTIFICATE;
    return is_right ? ssl_verify_ok : ssl_verify_invalid;
}

int server_proof_pin(struct tls_context *context, SSL_CTX *ssl,
                     const struct upstream_settings *settings)
{
    size_t count = settings->fingerprint_count;
    context->pins = calloc(count, sizeof *context->pins);
    if (context->pins == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        memcpy(context->pins[i], settings->fingerprints[i].p,
               FINGERPRINT_DIGITS);
    context->pin_count = count;
    SSL_CTX_set_custom_verify(ssl, SSL_VERIFY_PEER, verify_pinned);
    return 0;
}

/* What another hand wrote into a certificate is shown without surprises. */
static void add_name(const struct client_certificate *shown, char *to,
                     size_t room)
{
    to[0] = '\0';
    if (shown->name_count == 0)
        return;
    struct str name = str_head(shown->names[0], NAME_SHOWN);
    snprintf(to, room, " (it is for %.*s)", (int)name.n, name.p);
    for (char *p = to; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
}

static void chain_words(const struct tls_context *context, long error,
                        const struct client_certificate *shown, char *to,
                        size_t room)
{
    bool is_name = error == X509_V_ERR_HOSTNAME_MISMATCH ||
                   error == X509_V_ERR_IP_ADDRESS_MISMATCH;
    bool is_date = error == X509_V_ERR_CERT_HAS_EXPIRED ||
                   error == X509_V_ERR_CERT_NOT_YET_VALID;
    char name[NAME_SHOWN + 16] = "";
    const char *key = is_name ? "set tls.name" : "check tls.ca";
    if (context->is_https)
        key = is_name ? "check the host of the url" : "check ca";
    if (is_name)
        add_name(shown, name, sizeof name);
    if (is_date)
        key = "renew it";
    snprintf(to, room,
             "certificate verify failed: %s%s; its fingerprint is %.*s: %s%s",
             X509_verify_cert_error_string(error), name,
             (int)shown->fingerprint.n, shown->fingerprint.p, key,
             context->is_https ? "" : ", or trust it alone by tls.fingerprint");
}

void server_proof_words(const SSL *ssl, char *to, size_t room)
{
    const struct tls_context *context = SSL_get_app_data(ssl);
    struct client_certificate shown;
    struct arena arena;
    arena_init(&arena, CERTIFICATE_MAX);
    /* Without memory the fingerprint is missing. */
    (void)client_certificate_read(ssl, &arena, &shown);
    if (context->pin_count == 0)
        chain_words(context, SSL_get_verify_result(ssl), &shown, to, room);
    else
        snprintf(to, room,
                 "certificate verify failed: its fingerprint is %.*s, not one "
                 "of tls.fingerprint: add it there if the server was given a "
                 "new certificate",
                 (int)shown.fingerprint.n, shown.fingerprint.p);
    arena_release(&arena);
}
