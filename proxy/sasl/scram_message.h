/* What both sides of SCRAM-SHA-256 (RFC 5802, RFC 7677) share: sizes, the
 * attributes of a message, and how keys are made of a password. Pure but for
 * nonces. */
#ifndef PROXY_SASL_SCRAM_MESSAGE_H
#define PROXY_SASL_SCRAM_MESSAGE_H

#include "rules/base/str.h"

#define SCRAM_KEY_OCTETS 32
#define SCRAM_SALT_MAX 128
#define SCRAM_NONCE_MAX 256
#define SCRAM_NONCE_ROOM 33       /* of one side's, with a NUL */
#define SCRAM_ITERATIONS_MIN 4096 /* RFC 7677 4 */
#define SCRAM_PASSWORD_MAX 8192   /* as prepared */

/* The value of the attribute `letter`, which must come next. A comma behind
 * it is taken off too. */
bool scram_take_attribute(struct str *rest, char letter, struct str *value);

/* One side's part: chance, in base64 and terminated. */
void scram_make_nonce(char to[SCRAM_NONCE_ROOM]);

/* `key` has SCRAM_KEY_OCTETS, and so has `to`. */
void scram_hmac(const uint8_t *key, struct str text, uint8_t *to);

/* RFC 5802 3: ClientKey and ServerKey. Takes its time, by the iterations. The
 * password is prepared already. 0, or -1 when out of memory. */
int scram_derive(struct str password, struct str salt, unsigned iterations,
                 uint8_t client_key[SCRAM_KEY_OCTETS],
                 uint8_t server_key[SCRAM_KEY_OCTETS]);

#endif
