/* What a key goes by: the digest of its public part. */
#ifndef PROXY_TLS_KEY_NAME_H
#define PROXY_TLS_KEY_NAME_H

#include "proxy/tls/key_question.h"

#include <openssl/base.h>

/* 0, or -1 when out of memory. */
int key_name_of(const EVP_PKEY *key, uint8_t name[KEY_NAME_OCTETS]);

#endif
