/* The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel
 * binding: the password is never sent, and the server must prove that it knows
 * it too. Pure but for the nonce. */
#ifndef PROXY_SASL_SCRAM_CLIENT_H
#define PROXY_SASL_SCRAM_CLIENT_H

#include "proxy/sasl/scram_message.h"

#define SCRAM_NAME_MAX 255
/* More would hold up the loop: a server with more is refused. */
#define SCRAM_ITERATIONS_MAX 200000
#define SCRAM_MESSAGE_MAX 1536

/* What a password, a salt and a count come to. Deriving takes its time, so
 * that who logs in again keeps them: in memory only, wiped by its owner. */
struct scram_keys {
    size_t salt_length; /* 0: none yet */
    char salt[SCRAM_SALT_MAX];
    unsigned iterations;
    uint8_t client[SCRAM_KEY_OCTETS];
    uint8_t server[SCRAM_KEY_OCTETS];
};

enum scram_step { SCRAM_FIRST, SCRAM_FINAL, SCRAM_PROVEN };

struct scram_client {
    enum scram_step step;
    struct str password;     /* borrowed */
    struct scram_keys *keys; /* borrowed; used again where they fit */
    char nonce[SCRAM_NONCE_MAX];
    /* The messages so far, as the signatures cover them. */
    char spoken[3 * SCRAM_MESSAGE_MAX];
    size_t spoken_length;
    uint8_t server_signature[SCRAM_KEY_OCTETS];
};

/* The first message, in `to` of SCRAM_MESSAGE_MAX octets. p is NULL when the
 * name can't be prepared or is too long. */
struct str scram_client_first(struct scram_client *scram, struct str name,
                              struct str password, struct scram_keys *keys,
                              char *to);
/* The final message, to the server's first. p is NULL with words in *error. */
struct str scram_client_final(struct scram_client *scram,
                              struct str server_first, char *to,
                              const char **error);
/* Whether the server's final message proves that it knows the password. If
 * not, *error has words. */
bool scram_client_verify(struct scram_client *scram, struct str server_final,
                         const char **error);

#endif
