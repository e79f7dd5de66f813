/* The inside of a candidate policy, for shadow.c, which asks it, and
 * shadow_compare.c, which holds its verdicts against the live ones. */
#ifndef PROXY_SESSION_SHADOW_INTERNAL_H
#define PROXY_SESSION_SHADOW_INTERNAL_H

#include "proxy/session/shadow.h"
#include "proxy/session/transaction.h"

/* What the candidate holds of one transaction. */
struct shadow_mail {
    struct arena arena;
    struct effects effects;
    struct str route; /* of connect … mail */
    struct header_fields fields;
    bool *refused; /* recipients that it refused, by index */
    size_t refused_count, refused_capacity;
    bool is_over; /* it has refused the whole */
};

struct shadow {
    struct arena arena;
    struct facts facts;
    struct effects effects;             /* of connect, helo and auth */
    struct verdict verdict;             /* of the stage under way */
    bool is_asked;                      /* `verdict` waits for the live one */
    const struct shadow_result *result; /* before any MAIL; NULL: none */
    struct shadow_mail *mail;           /* NULL between transactions */
};

#endif
