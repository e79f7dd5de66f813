/* Why TLS failed, in words for a log. */
#ifndef PROXY_TLS_ERROR_H
#define PROXY_TLS_ERROR_H

#include <stddef.h>

#include <openssl/base.h>

/* Takes the errors that the last call on `ssl` left for this thread. */
void tls_error_words(const SSL *ssl, char *to, size_t room);

#endif
