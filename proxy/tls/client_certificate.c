#include "proxy/tls/client_certificate.h"

#include <openssl/digest.h>
#include <openssl/nid.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static int read_fingerprint(const X509 *certificate, struct arena *arena,
                            struct str *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &n) != 1)
        return -1;
    for (unsigned i = 0; i < n; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    *out = arena_str(arena, str_span(hex, (size_t)n * 2));
    return out->p == NULL ? -1 : 0;
}

/* A name with a NUL in it is not what it seems, and so is none. */
static int add_name(const ASN1_STRING *name, struct arena *arena,
                    struct str *names, size_t *count)
{
    int n = ASN1_STRING_length(name);
    struct str text =
        str_span((const char *)ASN1_STRING_get0_data(name), (size_t)n);
    if (n <= 0 || str_index(text, '\0') >= 0 ||
        *count == CLIENT_CERTIFICATE_NAMES_MAX)
        return 0;
    names[*count] = arena_str(arena, text);
    return names[(*count)++].p == NULL ? -1 : 0;
}

static int add_alternatives(const X509 *certificate, struct arena *arena,
                            struct str *names, size_t *count)
{
    int result = 0;
    GENERAL_NAMES *all =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (size_t i = 0; all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (result == 0 && (name->type == GEN_EMAIL || name->type == GEN_DNS))
            result = add_name(name->d.ia5, arena, names, count);
    }
    GENERAL_NAMES_free(all);
    return result;
}

static int add_common_name(const X509 *certificate, struct arena *arena,
                           struct str *names, size_t *count)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return 0;
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    int result = 0;
    if (n > 0) {
        struct str text = str_span((const char *)utf8, (size_t)n);
        names[0] = arena_str(arena, text);
        *count = str_index(text, '\0') >= 0 ? 0 : 1;
        result = names[0].p == NULL ? -1 : 0;
    }
    OPENSSL_free(utf8);
    return result;
}

static int read_all(const X509 *certificate, struct arena *arena,
                    struct client_certificate *out)
{
    struct str *names =
        arena_array(arena, CLIENT_CERTIFICATE_NAMES_MAX, sizeof *names);
    if (names == NULL ||
        read_fingerprint(certificate, arena, &out->fingerprint) != 0 ||
        add_alternatives(certificate, arena, names, &out->name_count) != 0)
        return -1;
    out->names = names;
    return out->name_count > 0
               ? 0
               : add_common_name(certificate, arena, names, &out->name_count);
}

int client_certificate_read(const struct ssl_st *ssl, struct arena *arena,
                            struct client_certificate *out)
{
    *out = (struct client_certificate){0};
    X509 *certificate = SSL_get_peer_certificate(ssl);
    if (certificate == NULL)
        return 0;
    int result = read_all(certificate, arena, out);
    X509_free(certificate);
    if (result != 0)
        *out = (struct client_certificate){0};
    return result;
}
