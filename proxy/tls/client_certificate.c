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

/* A name with a NUL in it is not what it seems, and so is none: n 0. */
static int keep_name(struct str text, struct arena *arena, struct str *out)
{
    *out = STR("");
    if (text.n == 0 || str_index(text, '\0') >= 0)
        return 0;
    *out = arena_str(arena, text);
    return out->p == NULL ? -1 : 0;
}

static int add_name(const ASN1_STRING *name, struct arena *arena,
                    struct str *names, size_t *count, struct str *first)
{
    int n = ASN1_STRING_length(name);
    struct str kept;
    if (n <= 0 || *count == CLIENT_CERTIFICATE_NAMES_MAX)
        return 0;
    if (keep_name(
            str_span((const char *)ASN1_STRING_get0_data(name), (size_t)n),
            arena, &kept) != 0)
        return -1;
    if (kept.n == 0)
        return 0;
    names[(*count)++] = kept;
    if (first->n == 0)
        *first = kept;
    return 0;
}

static int add_alternatives(const X509 *certificate, struct arena *arena,
                            struct str *names, struct client_certificate *out)
{
    int result = 0;
    GENERAL_NAMES *all =
        X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (size_t i = 0; all != NULL && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        if (result == 0 && name->type == GEN_EMAIL)
            result = add_name(name->d.ia5, arena, names, &out->name_count,
                              &out->rfc822);
        else if (result == 0 && name->type == GEN_DNS)
            result = add_name(name->d.ia5, arena, names, &out->name_count,
                              &out->dns);
    }
    GENERAL_NAMES_free(all);
    return result;
}

static int read_common_name(const X509 *certificate, struct arena *arena,
                            struct str *out)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return 0;
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(
        &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    int result =
        n <= 0 ? 0
               : keep_name(str_span((const char *)utf8, (size_t)n), arena, out);
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
        add_alternatives(certificate, arena, names, out) != 0 ||
        read_common_name(certificate, arena, &out->common_name) != 0)
        return -1;
    if (out->name_count == 0 && out->common_name.n > 0)
        names[out->name_count++] = out->common_name;
    out->names = names;
    return 0;
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
