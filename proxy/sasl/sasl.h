/* The server side of an AUTH exchange (RFC 4954): octets of responses in,
 * challenges or credentials out. Pure. Base64 is read strictly. */
#ifndef PROXY_SASL_SASL_H
#define PROXY_SASL_SASL_H

#include "config/settings.h"

enum sasl_next {
    SASL_CHALLENGE,   /* send *challenge (already base64) behind 334 */
    SASL_CREDENTIALS, /* name and password are there: ask the back-ends */
    SASL_CANCELLED,   /* the client sent "*": 501 5.7.0 */
    SASL_MALFORMED,   /* 501 5.5.2 */
    SASL_MISMATCH,    /* authorisation for somebody else: 535 5.7.8 */
    SASL_MEMORY       /* 454 4.3.0 */
};

struct sasl {
    enum sasl_mechanism mechanism;
    int step;
    char *name; /* owned; wiped by sasl_release */
    size_t name_length;
    char *password; /* owned; wiped by sasl_release */
    size_t password_length;
};

/* 0, or -1 when the mechanism is not one of ours (in any case). */
int sasl_mechanism_parse(struct str name, enum sasl_mechanism *out);
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);

void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism);
/* Wipes and frees; safe to call twice. */
void sasl_release(struct sasl *sasl);

/* The initial response of the AUTH line ("=" is an empty one), or has_initial
 * false: without. Then one call a line. *challenge is static. */
enum sasl_next sasl_begin(struct sasl *sasl, bool has_initial,
                          struct str initial, const char **challenge);
enum sasl_next sasl_respond(struct sasl *sasl, struct str line,
                            const char **challenge);

#endif
