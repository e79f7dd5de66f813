/* What a server keeps of a password for SCRAM-SHA-256: neither the password,
 * nor enough to log in with. In the text of RFC 5803, or in Dovecot's:
 *
 *     SCRAM-SHA-256$4096:SALT$STORED:SERVER
 *     {SCRAM-SHA-256}4096,SALT,STORED,SERVER
 *
 * Pure. */
#ifndef PROXY_SASL_SCRAM_VERIFIER_H
#define PROXY_SASL_SCRAM_VERIFIER_H

#include "proxy/sasl/scram_message.h"

/* More would hold up the threads that check PLAIN's passwords. */
#define SCRAM_VERIFIER_ITERATIONS_MAX 1000000
#define SCRAM_VERIFIER_TEXT 320 /* of the longest, with a NUL */
#define SCRAM_VERIFIER_SCHEME "{SCRAM-SHA-256}"

/* A value. Wiped by its owner. */
struct scram_verifier {
    size_t salt_length;
    uint8_t salt[SCRAM_SALT_MAX];
    unsigned iterations;
    uint8_t stored_key[SCRAM_KEY_OCTETS];
    uint8_t server_key[SCRAM_KEY_OCTETS];
};

/* Either text; each form may have the other's beginning. NULL, or what is
 * wrong with it, in words that begin "the password". */
const char *scram_verifier_read(struct str text, struct scram_verifier *out);
/* Dovecot's text, which has no colon that would end a users file's field. */
void scram_verifier_write(const struct scram_verifier *verifier,
                          char to[SCRAM_VERIFIER_TEXT]);

/* Takes salt and iterations from the verifier, and sets its keys. Slow by
 * design. 0, or -1 when the password can't be prepared (RFC 4013). */
int scram_verifier_derive(struct scram_verifier *verifier, struct str password);
/* Whether the password gives these keys: at the same cost for one that can't
 * be prepared, and in a time that tells nothing of how near it is. */
bool scram_verifier_fits(const struct scram_verifier *verifier,
                         struct str password);

#endif
