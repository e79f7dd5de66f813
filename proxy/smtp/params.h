/* ESMTP parameters of MAIL and RCPT (RFC 5321 4.1.2) and the extensions that
 * they belong to: SIZE (1870), BODY (6152), AUTH (4954), SMTPUTF8 (6531),
 * RET, ENVID, NOTIFY and ORCPT (3461), REQUIRETLS (8689), HOLDFOR and
 * HOLDUNTIL (4865), MT-PRIORITY (6710), BY (2852). Pure. */
#ifndef PROXY_SMTP_PARAMS_H
#define PROXY_SMTP_PARAMS_H

#include "proxy/smtp/capability.h"
#include "rules/base/arena.h"

enum body_type { BODY_ABSENT, BODY_7BIT, BODY_8BITMIME };

struct mail_params {
    bool has_size;
    uint64_t size;
    enum body_type body;
    bool is_smtputf8, requires_tls;
    unsigned extensions; /* what it asks for: bits of enum extension */
    /* Values as sent; n 0: not given. */
    struct str ret, envid, hold_for, hold_until, priority, deliver_by;
};

struct rcpt_params {
    struct str notify, orcpt; /* as sent; n 0: not given */
    bool needs_dsn;           /* the client asked: it must not be lost */
};

enum params_error {
    PARAMS_OK = 0,
    PARAMS_SYNTAX = -1, /* 501 5.5.4: grammar, a duplicate, a bad value */
    PARAMS_UNKNOWN = -2 /* 555 5.5.4 */
};

/* AUTH= is checked (xtext, RFC 4954 5) and dropped. On error *what borrows
 * the offending parameter's keyword, cut to 32 octets. Texts of the result
 * borrow from `text`. */
enum params_error mail_params_parse(struct str text, struct mail_params *out,
                                    struct str *what);
enum params_error rcpt_params_parse(struct str text, struct rcpt_params *out,
                                    struct str *what);

/* Copies the texts. 0, or -1: the arena is full. */
int mail_params_keep(struct mail_params *params, struct arena *arena);
int rcpt_params_keep(struct rcpt_params *params, struct arena *arena);

/* How long, and until when, a mail may be held, and how soon it may have to
 * be there, as an offer says. NULL, or the keyword that asks for more. */
const char *mail_params_over_offer(const struct mail_params *params,
                                   const struct capabilities *offer);

/* The parameters as a command has them, each with a space before it, as far
 * as the upstream offers what they belong to; SIZE where it has that. `room`
 * of PARAMS_TEXT_MAX is always enough. Returns the octets. */
#define PARAMS_TEXT_MAX 1024
size_t mail_params_write(const struct mail_params *params,
                         const struct capabilities *offered, char *to,
                         size_t room);
size_t rcpt_params_write(const struct rcpt_params *params,
                         const struct capabilities *offered, char *to,
                         size_t room);

#endif
