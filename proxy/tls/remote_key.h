/* A private key that is somewhere else: a context that shows a certificate
 * without having its key, and what one handshake asks. For this folder. */
#ifndef PROXY_TLS_REMOTE_KEY_H
#define PROXY_TLS_REMOTE_KEY_H

#include "proxy/tls/key_question.h"

#include <stdbool.h>

#include <openssl/base.h>

/* Handshakes under `ssl`, which has a certificate, will ask. */
void remote_key_use(SSL_CTX *ssl);

/* The question of one handshake and what came of it; NULL: none was asked. */
struct remote_key;
void remote_key_free(struct remote_key *key);
/* True once: the question, whose input is valid as long as `key`. */
bool remote_key_asks(struct remote_key *key, struct key_question *question);
/* The signature; empty: there will be none, for which `words` say why. */
void remote_key_answer(struct remote_key *key, struct str signature,
                       const char *words);
/* Why there is no signature; NULL: there is, or may be. */
const char *remote_key_words(const struct remote_key *key);

#endif
