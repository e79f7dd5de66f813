/* The distinct domains of mailboxes, in the order of their first coming: the
 * facts rcpt.domains and data.domains. All memory is the arena's. */
#ifndef PROXY_SESSION_DOMAIN_SET_H
#define PROXY_SESSION_DOMAIN_SET_H

#include "rules/base/arena.h"

struct domain_set {
    struct str *items; /* lower case */
    size_t count, capacity;
};

/* A mailbox without a domain adds nothing. 0, or -1 when the arena is full. */
int domain_set_add(struct domain_set *set, struct arena *arena,
                   struct str mailbox);

#endif
