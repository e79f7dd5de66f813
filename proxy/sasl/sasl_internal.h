/* What sasl.c and the mechanisms share: each is a table of functions. */
#ifndef PROXY_SASL_SASL_INTERNAL_H
#define PROXY_SASL_SASL_INTERNAL_H

#include "proxy/sasl/sasl.h"

struct sasl_kind {
    const char *name;
    /* A static first challenge in base64, for a client that begins without a
     * response. */
    const char *question;
    /* Makes the first challenge; whoever brings a response is refused then.
     * NULL: the question serves. */
    enum sasl_next (*ask)(struct sasl *sasl, const char **challenge);
    /* A response, decoded; sasl->responses came before it. */
    enum sasl_next (*take)(struct sasl *sasl, struct str response,
                           const char **challenge);
    /* To SASL_SECRETS; NULL: the mechanism never asks. */
    enum sasl_next (*take_scram)(struct sasl *sasl,
                                 const struct scram_verifier *verifier,
                                 const char **challenge);
    enum sasl_next (*take_cram)(struct sasl *sasl,
                                const uint8_t contexts[CRAM_CONTEXTS]);
    /* The challenge that says no, in base64; NULL: none. */
    const char *excuse;
};

extern const struct sasl_kind sasl_kind_plain;
extern const struct sasl_kind sasl_kind_login;
extern const struct sasl_kind sasl_kind_scram;
extern const struct sasl_kind sasl_kind_scram_plus;
extern const struct sasl_kind sasl_kind_oauthbearer;
extern const struct sasl_kind sasl_kind_xoauth2;
extern const struct sasl_kind sasl_kind_external;
extern const struct sasl_kind sasl_kind_cram_md5;

/* Each gives SASL_CLAIM when the text is fit and was kept. */
enum sasl_next sasl_keep_name(struct sasl *sasl, struct str name);
/* An empty one, or the name itself, is none. */
enum sasl_next sasl_keep_authzid(struct sasl *sasl, struct str authzid);
/* Of any octets. */
enum sasl_next sasl_keep_secret(struct sasl *sasl, struct str secret);

bool sasl_is_name(struct str name);

/* Zeroed; freed and wiped with the exchange. NULL: out of memory. */
void *sasl_make_state(struct sasl *sasl, size_t size);

#endif
