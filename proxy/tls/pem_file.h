/* PEM files of certificates and keys, read whole. What is wrong is told in a
 * word or two, to be put behind the path. */
#ifndef PROXY_TLS_PEM_FILE_H
#define PROXY_TLS_PEM_FILE_H

#include "config/diag.h"
#include "config/files.h"

#include <openssl/base.h>

struct pem_file {
    struct str octets;      /* those of `files` */
    bool is_open_to_others; /* any permission for users outside the group */
};

/* 0, or -1 with an error at `mark` that names the kind and the path. */
int pem_file_read(struct pem_file *file, struct files *files,
                  enum file_kind kind, const char *path, struct mark mark,
                  struct diags *diags);

/* Calls `take` for each certificate in turn, which then owns it and returns
 * 0, or -1 to give up. How many were taken; -1 when one can't be read or was
 * refused. What stands between them is skipped. */
int pem_file_certificates(const struct pem_file *file,
                          int (*take)(void *owner, X509 *certificate),
                          void *owner);
/* The first private key; NULL when there is none, or it has a passphrase. */
EVP_PKEY *pem_file_key(const struct pem_file *file);

#endif
