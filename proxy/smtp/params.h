/* ESMTP parameters of MAIL and RCPT (RFC 5321 4.1.2, 1870, 6152). Pure. */
#ifndef PROXY_SMTP_PARAMS_H
#define PROXY_SMTP_PARAMS_H

#include "rules/base/str.h"

enum body_type { BODY_ABSENT, BODY_7BIT, BODY_8BITMIME };

struct mail_params {
    bool has_size;
    uint64_t size;
    enum body_type body;
};

enum params_error {
    PARAMS_OK = 0,
    PARAMS_SYNTAX = -1, /* 501 5.5.4: grammar, a duplicate, a bad value */
    PARAMS_UNKNOWN = -2 /* 555 5.5.4 */
};

/* AUTH= is checked (xtext, RFC 4954 5) and dropped. On error *what borrows
 * the offending parameter's keyword, cut to 32 octets. */
enum params_error mail_params_parse(struct str text, struct mail_params *out,
                                    struct str *what);
/* No parameter of RCPT is known yet: an empty text passes. */
enum params_error rcpt_params_parse(struct str text, struct str *what);

/* The domain or address literal of EHLO and HELO (RFC 5321 4.1.1.1); also
 * what clients without a name send: an underscore, a bare address. */
bool helo_name_is_valid(struct str name);

#endif
