#include "proxy/tls/pem_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

_Static_assert(PEM_FILE_MAX <= INT_MAX, "BIO lengths are int");

/* NULL, or what is wrong with it. */
static const char *check_stat(int fd, struct pem_file *file)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return strerror(errno);
    if (S_ISDIR(status.st_mode))
        return "is a folder";
    if (status.st_size > (off_t)PEM_FILE_MAX)
        return "is too large";
    file->is_open_to_others = (status.st_mode & S_IRWXO) != 0;
    return NULL;
}

/* A pipe has no size beforehand, so the end is where read() says it is. */
static const char *read_all(int fd, struct pem_file *file)
{
    file->octets = malloc(PEM_FILE_MAX);
    if (file->octets == NULL)
        return strerror(ENOMEM);
    while (file->size < PEM_FILE_MAX) {
        ssize_t got =
            read(fd, file->octets + file->size, PEM_FILE_MAX - file->size);
        if (got == 0)
            return NULL;
        if (got > 0)
            file->size += (size_t)got;
        else if (errno != EINTR)
            return strerror(errno);
    }
    return "is too large";
}

int pem_file_read(struct pem_file *file, const char *path, const char *what,
                  struct mark mark, struct diags *diags)
{
    *file = (struct pem_file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *wrong = fd < 0 ? strerror(errno) : check_stat(fd, file);
    if (wrong == NULL)
        wrong = read_all(fd, file);
    if (fd >= 0)
        close(fd);
    if (wrong == NULL)
        return 0;
    diags_error(diags, mark, "%s %s: %s", what, path, wrong);
    pem_file_release(file);
    return -1;
}

void pem_file_release(struct pem_file *file)
{
    if (file->octets != NULL)
        OPENSSL_cleanse(file->octets, file->size);
    free(file->octets);
    *file = (struct pem_file){0};
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
    BIO *bio = BIO_new_mem_buf(file->octets, (int)file->size);
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
    BIO *bio = BIO_new_mem_buf(file->octets, (int)file->size);
    if (bio == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}
