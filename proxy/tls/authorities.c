#include "proxy/tls/authorities.h"

#include "proxy/tls/pem_file.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

static int take_authority(void *owner, X509 *certificate)
{
    X509_STORE *store = owner;
    int is_taken = X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
    return is_taken == 1 ? 0 : -1;
}

int authorities_load(SSL_CTX *ssl, struct files *files, const char *path,
                     struct mark mark, struct diags *diags)
{
    struct pem_file file;
    if (pem_file_read(&file, files, FILE_AUTHORITIES, path, mark, diags) != 0)
        return -1;
    int count = pem_file_certificates(&file, take_authority,
                                      SSL_CTX_get_cert_store(ssl));
    if (count == 0)
        diags_error(diags, mark, "CA file %s: holds no certificate in PEM form",
                    path);
    if (count < 0)
        diags_error(diags, mark,
                    "CA file %s: a certificate in it can't be read", path);
    return count > 0 ? 0 : -1;
}
