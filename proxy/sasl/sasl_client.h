/* The client's side of an AUTH exchange (RFC 4954), towards an upstream:
 * challenges in, responses out, both in base64. Pure but for SCRAM's nonce. */
#ifndef PROXY_SASL_SASL_CLIENT_H
#define PROXY_SASL_SASL_CLIENT_H

#include "config/settings.h"
#include "proxy/sasl/base64.h"
#include "proxy/sasl/scram_client.h"

/* Of a token or a password; the AUTH line must hold it (RFC 4954 4). */
#define SASL_SECRET_MAX 8192

/* Who logs in where. Borrowed. */
struct sasl_login {
    enum login_mechanism mechanism;
    struct str user;
    struct str secret; /* the password, or the token */
    struct str host;   /* of the server */
    uint16_t port;
    struct scram_keys *keys; /* kept from one login to the next; zeroed first */
};

enum sasl_client_next {
    SASL_CLIENT_RESPOND, /* *response goes out; p NULL: no initial response */
    SASL_CLIENT_CANCEL   /* "*" goes out; error says why */
};

struct sasl_client {
    struct sasl_login login;
    unsigned step;
    bool has_ended; /* the server may accept now */
    const char *error;
    struct scram_client scram;
    char response[BASE64_TEXT_MAX + 1];
};

const char *sasl_client_mechanism_name(enum login_mechanism mechanism);

/* NULL when out of memory. */
struct sasl_client *sasl_client_new(const struct sasl_login *login);
/* Wipes. NULL is fine. */
void sasl_client_free(struct sasl_client *client);

/* For the AUTH line itself. *response is valid until the next call. */
enum sasl_client_next sasl_client_begin(struct sasl_client *client,
                                        struct str *response);
/* To the text of a 334. */
enum sasl_client_next sasl_client_respond(struct sasl_client *client,
                                          struct str challenge,
                                          struct str *response);
/* Whether a 235 may be believed: all was said, and where the mechanism lets
 * the server prove itself it did. */
bool sasl_client_has_ended(const struct sasl_client *client);

#endif
