/* The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC
 * 7677), the latter bound to TLS by tls-exporter (RFC 9266). Three messages
 * come in by turns; nothing may follow one that was not taken. Pure but for
 * the nonce. */
#ifndef PROXY_SASL_SCRAM_SERVER_H
#define PROXY_SASL_SCRAM_SERVER_H

#include "proxy/sasl/scram_verifier.h"

/* The client's first message: two names and a nonce; its last one says the
 * beginning of the first again, in base64. */
#define SCRAM_SERVER_FIRST_MAX 4096
#define SCRAM_SERVER_FINAL_MAX 8192
/* Of a message of the server's, with a NUL. */
#define SCRAM_SERVER_REPLY 512
#define SCRAM_SERVER_NAME_MAX 1024

enum scram_server_result {
    SCRAM_SERVER_TAKEN,
    SCRAM_SERVER_MALFORMED,
    SCRAM_SERVER_REFUSED /* the proof is wrong, or the channel is another one */
};

enum scram_server_step {
    SCRAM_SERVER_FIRST,  /* the client's first message is awaited */
    SCRAM_SERVER_KEYS,   /* the verifier is */
    SCRAM_SERVER_FINAL,  /* the client's final message is */
    SCRAM_SERVER_PROVEN, /* both have proven themselves */
    SCRAM_SERVER_FAILED
};

struct scram_server {
    enum scram_server_step step;
    bool is_plus;
    bool offers_plus;
    struct str binding; /* borrowed: what tls-exporter gives */
    /* The client's and ours in one. Of ours, what is there beforehand is a
     * test vector's. */
    char server_nonce[SCRAM_NONCE_ROOM];
    char nonce[SCRAM_NONCE_MAX];
    char name[SCRAM_SERVER_NAME_MAX + 1];
    size_t name_length;
    char authzid[SCRAM_SERVER_NAME_MAX + 1];
    size_t authzid_length;
    struct scram_verifier verifier;
    size_t header_length; /* of the GS2 header that `spoken` begins with */
    /* The GS2 header, and then the messages as the signatures cover them. */
    char spoken[SCRAM_SERVER_FIRST_MAX + SCRAM_SERVER_REPLY +
                SCRAM_SERVER_FINAL_MAX];
    size_t spoken_length;
};

/* Zeroed before, but for a preset nonce. `is_plus`: -PLUS was chosen;
 * `offers_plus`: it was on offer. */
void scram_server_init(struct scram_server *scram, bool is_plus,
                       bool offers_plus, struct str binding);
/* Leaves name and authzid (which may be empty) as the client wrote them. */
enum scram_server_result scram_server_first(struct scram_server *scram,
                                            struct str message);
/* Keeps the verifier, and gives the server's first message. */
struct str scram_server_challenge(struct scram_server *scram,
                                  const struct scram_verifier *verifier,
                                  char to[SCRAM_SERVER_REPLY]);
/* With SCRAM_SERVER_TAKEN the server's final message is in *final. */
enum scram_server_result scram_server_final(struct scram_server *scram,
                                            struct str message,
                                            char to[SCRAM_SERVER_REPLY],
                                            struct str *final);

#endif
