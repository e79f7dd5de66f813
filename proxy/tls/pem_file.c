#include "proxy/tls/pem_file.h"

#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* NULL, or what is wrong with it. */
static const char *check(const struct file *file)
{
    if (file->error != 0)
        return file_error(file);
    if (S_ISDIR(file->mode))
        return "is a folder";
    return file->octets.p == NULL ? "is too large" : NULL;
}

int pem_file_read(struct pem_file *file, struct files *files,
                  enum file_kind kind, const char *path, struct mark mark,
                  struct diags *diags)
{
    const struct file *read;
    const char *wrong = files_read(files, kind, path, &read) == 0
                            ? check(read)
                            : "out of memory";
    *file = (struct pem_file){0};
    if (wrong != NULL) {
        diags_error(diags, mark, "%s %s: %s", file_kind_name(kind), path,
                    wrong);
        return -1;
    }
    file->octets = read->octets;
    file->is_open_to_others = (read->mode & S_IRWXO) != 0;
    return 0;
}

/* There is nobody to ask for a passphrase at start. */
static int no_passphrase(char *to, int room, int is_writing, void *owner)
{
    (void)to;
    (void)room;
    (void)is_writing;
    (void)owner;
    return -1;
}

static bool is_end_of_file(void)
{
    uint32_t error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM &&
           ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

int pem_file_certificates(const struct pem_file *file,
                          int (*take)(void *owner, X509 *certificate),
                          void *owner)
{
    int count = 0;
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(file->octets.p, (int)file->octets.n);
    if (bio == NULL)
        return -1;
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        count++;
        if (take(owner, next) != 0)
            goto refused;
    }
    if (!is_end_of_file())
        goto refused;
    BIO_free(bio);
    ERR_clear_error();
    return count;
refused:
    BIO_free(bio);
    ERR_clear_error();
    return -1;
}

EVP_PKEY *pem_file_key(const struct pem_file *file)
{
    BIO *bio = BIO_new_mem_buf(file->octets.p, (int)file->octets.n);
    if (bio == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}
