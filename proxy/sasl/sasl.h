/* The server side of an AUTH exchange (RFC 4954): octets of responses in,
 * challenges or a claim out. Pure but for nonces. Base64 is read strictly.
 *
 * A claim is not proven yet where it has a secret: the back-ends judge. After
 * SCRAM and CRAM-MD5 the name is proven against what sasl_take_scram() and
 * sasl_take_cram() were given, after EXTERNAL by the certificate. */
#ifndef PROXY_SASL_SASL_H
#define PROXY_SASL_SASL_H

#include "config/settings.h"
#include "proxy/sasl/cram_md5.h"
#include "proxy/sasl/scram_verifier.h"

#define SASL_NAME_MAX 1024
#define SASL_TOKEN_MAX 8192

enum sasl_next {
    SASL_CHALLENGE, /* send *challenge (already base64) behind 334 */
    SASL_SECRETS,   /* what is kept for `name` is wanted: sasl_take_scram(), or
                       for CRAM-MD5 sasl_take_cram() */
    SASL_CLAIM,     /* name, authzid and secret are there: ask the back-ends */
    SASL_CANCELLED, /* the client sent "*": 501 5.7.0 */
    SASL_MALFORMED, /* 501 5.5.2 */
    SASL_REFUSED,   /* the proof is wrong, or of another channel: 535 5.7.8 */
    SASL_MEMORY     /* 454 4.3.0 */
};

/* What the exchange knows of its connection. */
struct sasl_channel {
    struct str binding;     /* by tls-exporter, 32 octets; n 0: none */
    bool offers_plus;       /* this client was offered SCRAM-SHA-256-PLUS */
    struct str hostname;    /* ours, for CRAM-MD5's challenge */
    struct str certificate; /* the name that the client's certificate proves;
                               n 0: none */
};

/* For the files of this folder. */
enum sasl_phase {
    SASL_PHASE_START,
    SASL_PHASE_RESPONSE, /* a response is awaited */
    SASL_PHASE_SECRETS,  /* what is kept is */
    SASL_PHASE_EXCUSE,   /* whatever comes, the claim was refused */
    SASL_PHASE_DONE
};

/* Texts are owned, terminated, and wiped by sasl_release(). */
struct sasl {
    enum sasl_mechanism mechanism;
    const struct sasl_channel *channel; /* borrowed */
    enum sasl_phase phase;
    unsigned responses; /* so many were taken */
    char *name;         /* as the client wrote it; empty with a token that
                           came without one */
    size_t name_length;
    char *authzid; /* whom it wants to act as; NULL: itself */
    size_t authzid_length;
    char *secret; /* password or token; NULL: the name is proven */
    size_t secret_length;
    void *state; /* the mechanism's own; owned */
    size_t state_size;
};

/* 0, or -1 when the mechanism is not one of ours (in any case). */
int sasl_mechanism_parse(struct str name, enum sasl_mechanism *out);
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);

/* The channel is borrowed as long as the exchange. */
void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism,
               const struct sasl_channel *channel);
/* Wipes and frees; safe to call twice. Whatever ends the exchange but
 * SASL_CLAIM has done so already. */
void sasl_release(struct sasl *sasl);

/* The initial response of the AUTH line ("=" is an empty one), or has_initial
 * false: without. Then one call a line. *challenge is valid until the next
 * call. */
enum sasl_next sasl_begin(struct sasl *sasl, bool has_initial,
                          struct str initial, const char **challenge);
enum sasl_next sasl_respond(struct sasl *sasl, struct str line,
                            const char **challenge);

/* To SASL_SECRETS. For a name that nobody has, the caller makes up keys that
 * look like any other's and that no proof fits. */
enum sasl_next sasl_take_scram(struct sasl *sasl,
                               const struct scram_verifier *verifier,
                               const char **challenge);
enum sasl_next sasl_take_cram(struct sasl *sasl,
                              const uint8_t contexts[CRAM_CONTEXTS]);

/* The back-ends refused the claim. True: the mechanism says so in one more
 * challenge (RFC 7628 3.2.2, XOAUTH2); send it, and whatever comes back gives
 * SASL_REFUSED. False: it has none. May follow sasl_release(), so that the
 * secret need not be kept. */
bool sasl_refuse(struct sasl *sasl, const char **challenge);

#endif
