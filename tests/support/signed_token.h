/* Tokens for tests, signed with the Ed25519 key of RFC 8037 A.1. */
#ifndef TESTS_SUPPORT_SIGNED_TOKEN_H
#define TESTS_SUPPORT_SIGNED_TOKEN_H

#include <stddef.h>

#define SIGNED_TOKEN_ROOM 20000

/* Behind what stands there already. */
void token_append(char *token, const char *text);
/* The same in base64url. */
void token_append_url(char *token, const void *octets, size_t count);

/* Header and payload with a dot between. */
void token_begin(char *token, const char *header, const char *payload);
/* A dot and the signature of what stands there. */
void token_sign(char *token);
void token_make(char *token, const char *header, const char *payload);

#endif
