/* What is asked of whoever keeps private keys for a process that has none: a
 * signature by the key that a certificate names. A question borrows its input.
 */
#ifndef PROXY_TLS_KEY_QUESTION_H
#define PROXY_TLS_KEY_QUESTION_H

#include "rules/base/str.h"

#define KEY_NAME_OCTETS 32
/* A TLS server signs 147 octets at most under TLS 1.3, and its random numbers
 * and a point of a curve under TLS 1.2. */
#define KEY_INPUT_MAX 512
/* Of an RSA key of 8,192 bits. */
#define KEY_SIGNATURE_MAX 1024

struct key_question {
    /* The SHA-256 of the public key, so that after a renewal a certificate
     * never gets a signature by another's key. */
    uint8_t name[KEY_NAME_OCTETS];
    uint16_t algorithm; /* RFC 8446 4.2.3 */
    struct str input;
};

#endif
