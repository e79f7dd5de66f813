#include "proxy/tls/own_certificate.h"

#include "proxy/tls/pem_file.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* The first certificate goes with the key, the others are its issuers. */
static int take_certificate(void *owner, X509 *certificate)
{
    SSL_CTX *ssl = owner;
    int is_taken = 0;
    if (SSL_CTX_get0_certificate(ssl) == NULL) {
        is_taken = SSL_CTX_use_certificate(ssl, certificate);
        X509_free(certificate);
    } else {
        is_taken = SSL_CTX_add0_chain_cert(ssl, certificate);
        if (is_taken != 1)
            X509_free(certificate);
    }
    return is_taken == 1 ? 0 : -1;
}

int own_certificate_load_chain(SSL_CTX *ssl,
                               const struct certificate_settings *settings,
                               struct files *files, struct diags *diags)
{
    struct pem_file file;
    if (pem_file_read(&file, files, FILE_CERTIFICATE, settings->chain,
                      settings->chain_mark, diags) != 0)
        return -1;
    int count = pem_file_certificates(&file, take_certificate, ssl);
    if (count == 0)
        diags_error(diags, settings->chain_mark,
                    "certificate %s: holds no certificate in PEM form",
                    settings->chain);
    if (count < 0)
        diags_error(diags, settings->chain_mark,
                    "certificate %s: a certificate in it can't be read",
                    settings->chain);
    return count > 0 ? 0 : -1;
}

static EVP_PKEY *read_key(const struct certificate_settings *settings,
                          struct files *files, struct diags *diags)
{
    struct pem_file file;
    EVP_PKEY *key = NULL;
    if (pem_file_read(&file, files, FILE_KEY, settings->key, settings->key_mark,
                      diags) != 0)
        return NULL;
    if (file.is_open_to_others) {
        diags_error(diags, settings->key_mark,
                    "private key %s: others may read it: chmod 600 %s",
                    settings->key, settings->key);
    } else {
        key = pem_file_key(&file);
        if (key == NULL)
            diags_error(diags, settings->key_mark,
                        "private key %s: holds no private key in PEM form "
                        "(one with a passphrase can't be used)",
                        settings->key);
    }
    return key;
}

static int load_key(SSL_CTX *ssl, const struct certificate_settings *settings,
                    struct files *files, struct diags *diags)
{
    EVP_PKEY *key = read_key(settings, files, diags);
    if (key == NULL)
        return -1;
    bool has_certificate = SSL_CTX_get0_certificate(ssl) != NULL;
    int is_fitting = SSL_CTX_use_PrivateKey(ssl, key) == 1 &&
                     (!has_certificate || SSL_CTX_check_private_key(ssl) == 1);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (is_fitting)
        return 0;
    diags_error(diags, settings->key_mark,
                "private key %s does not belong to certificate %s",
                settings->key, settings->chain);
    return -1;
}

int own_certificate_load(SSL_CTX *ssl,
                         const struct certificate_settings *settings,
                         struct files *files, struct diags *diags)
{
    /* Both are read even if one is wrong: all errors at once. */
    int chain = own_certificate_load_chain(ssl, settings, files, diags);
    int key = load_key(ssl, settings, files, diags);
    return chain == 0 && key == 0 ? 0 : -1;
}
