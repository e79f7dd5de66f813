/* A question to a policy server, as Postfix's policy delegation protocol has
 * it (SMTPD_POLICY_README): lines "name=value" and an empty line. Pure. */
#ifndef PROXY_ASK_POLICY_REQUEST_H
#define PROXY_ASK_POLICY_REQUEST_H

#include "rules/base/str.h"

/* Enough for every value at its longest. */
#define POLICY_REQUEST_MAX (16 * 1024)

/* Borrowed; n 0: not known, sent empty. */
struct policy_request {
    const char *protocol_state; /* MAIL, RCPT, DATA, END-OF-MESSAGE */
    bool is_extended;           /* the client said EHLO */
    struct str helo_name;
    struct str sender;
    struct str recipient;
    uint64_t recipient_count;
    struct str client_address;
    uint64_t client_port;
    struct str instance;
    struct str sasl_method;
    struct str sasl_username;
    uint64_t size;
    struct str encryption_protocol; /* "1.3" */
    struct str encryption_cipher;
    struct str server_address;
    uint64_t server_port;
    struct str policy_context;
};

/* Returns the octets written, or 0: no room. A control character of a value
 * becomes '?': it could end the line and begin another. */
size_t policy_request_write(const struct policy_request *request, char *to,
                            size_t room);

#endif
