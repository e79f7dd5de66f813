#include "tests/support/certificates.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define DAY (24L * 60 * 60)

static void must(bool is_true, const char *what)
{
    if (is_true)
        return;
    fprintf(stderr, "certificates: %s failed\n", what);
    abort();
}

void certificate_folder_init(struct certificate_folder *folder)
{
    snprintf(folder->path, sizeof(folder->path), "/tmp/postern-test-XXXXXX");
    must(mkdtemp(folder->path) != NULL, "mkdtemp");
}

void certificate_folder_release(struct certificate_folder *folder)
{
    DIR *entries = opendir(folder->path);
    must(entries != NULL, "opendir");
    struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
    rmdir(folder->path);
}

char *certificate_path(const struct certificate_folder *folder,
                       const char *file)
{
    size_t room = strlen(folder->path) + strlen(file) + 2;
    char *path = malloc(room);
    must(path != NULL, "malloc");
    snprintf(path, room, "%s/%s", folder->path, file);
    return path;
}

static FILE *create(const struct certificate_folder *folder, const char *stem,
                    const char *suffix)
{
    char name[64];
    snprintf(name, sizeof(name), "%s%s", stem, suffix);
    char *path = certificate_path(folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0, "open");
    free(path);
    FILE *file = fdopen(fd, "w");
    must(file != NULL, "fdopen");
    return file;
}

void certificate_write(const struct certificate_folder *folder,
                       const char *file, const char *text)
{
    FILE *to = create(folder, file, "");
    fputs(text, to);
    fclose(to);
}

static FILE *reopen(const struct certificate_folder *folder, const char *stem,
                    const char *suffix)
{
    char name[64];
    snprintf(name, sizeof(name), "%s%s", stem, suffix);
    char *path = certificate_path(folder, name);
    FILE *file = fopen(path, "r");
    must(file != NULL, "fopen");
    free(path);
    return file;
}

static EVP_PKEY *new_rsa_key(void)
{
    RSA *rsa = RSA_new();
    BIGNUM *exponent = BN_new();
    EVP_PKEY *key = EVP_PKEY_new();
    must(rsa != NULL && exponent != NULL && BN_set_word(exponent, RSA_F4) == 1,
         "RSA");
    must(RSA_generate_key_ex(rsa, 2048, exponent, NULL) == 1, "RSA key");
    must(key != NULL && EVP_PKEY_assign_RSA(key, rsa) == 1, "key");
    BN_free(exponent);
    return key;
}

static EVP_PKEY *new_key(void)
{
    EC_KEY *curve = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    must(curve != NULL && EC_KEY_generate_key(curve) == 1, "EC key");
    EVP_PKEY *key = EVP_PKEY_new();
    must(key != NULL && EVP_PKEY_assign_EC_KEY(key, curve) == 1, "key");
    return key;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension =
        X509V3_EXT_nconf_nid(NULL, &context, nid, (char *)(uintptr_t)value);
    must(extension != NULL, "extension");
    must(X509_add_ext(certificate, extension, -1) == 1, "X509_add_ext");
    X509_EXTENSION_free(extension);
}

static X509 *new_certificate(const struct certificate_wish *wish, EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    uint32_t serial;
    RAND_bytes((uint8_t *)&serial, sizeof(serial));
    must(certificate != NULL, "X509_new");
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate),
                     (long)(serial / 2 + 1));
    X509_gmtime_adj(X509_get_notBefore(certificate), wish->from_days * DAY);
    X509_gmtime_adj(X509_get_notAfter(certificate), wish->until_days * DAY);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
                               MBSTRING_ASC, (const uint8_t *)wish->file, -1,
                               -1, 0);
    if (wish->names != NULL)
        add_extension(certificate, NID_subject_alt_name, wish->names);
    add_extension(certificate, NID_basic_constraints,
                  wish->is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    return certificate;
}

static void sign(const struct certificate_folder *folder,
                 const struct certificate_wish *wish, X509 *certificate,
                 EVP_PKEY *own_key)
{
    X509 *issuer = certificate;
    EVP_PKEY *key = own_key;
    if (wish->issuer != NULL) {
        FILE *from = reopen(folder, wish->issuer, ".pem");
        issuer = PEM_read_X509(from, NULL, NULL, NULL);
        fclose(from);
        from = reopen(folder, wish->issuer, ".key");
        key = PEM_read_PrivateKey(from, NULL, NULL, NULL);
        fclose(from);
        must(issuer != NULL && key != NULL, "issuer");
    }
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    must(X509_sign(certificate, key, EVP_sha256()) > 0, "X509_sign");
    if (wish->issuer != NULL) {
        X509_free(issuer);
        EVP_PKEY_free(key);
    }
}

void certificate_make(const struct certificate_folder *folder,
                      const struct certificate_wish *wish)
{
    EVP_PKEY *key = wish->is_rsa ? new_rsa_key() : new_key();
    X509 *certificate = new_certificate(wish, key);
    sign(folder, wish, certificate, key);
    FILE *to = create(folder, wish->file, ".pem");
    must(PEM_write_X509(to, certificate) == 1, "PEM_write_X509");
    fclose(to);
    to = create(folder, wish->file, ".key");
    must(PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1,
         "PEM_write_PrivateKey");
    fclose(to);
    X509_free(certificate);
    EVP_PKEY_free(key);
}
