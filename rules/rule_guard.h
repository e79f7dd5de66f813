/* What must be there for a rule to act at all. Of its condition a part may be
 * a guard: unless a fact has one of certain keys - a value, a network, a piece
 * of text - that part does not hold, and neither it nor what is tried before
 * it breaks with a fault. So a rule of which one guard has no key need not be
 * tried. Pure. */
#ifndef RULES_RULE_GUARD_H
#define RULES_RULE_GUARD_H

#include "rules/rule.h"

enum guard_kind {
    GUARD_VALUE,   /* a value, in the form in which it compares */
    GUARD_DOMAIN,  /* the domain of an address */
    GUARD_BELOW,   /* a name lies below; of an address its domain does */
    GUARD_NETWORK, /* struct guard_network: an address lies in it */
    GUARD_RANGE,   /* struct number_range: the number lies in it */
    GUARD_LIST,    /* const struct matcher *: a value is among its entries */
    GUARD_TEXT,    /* a value holds that text, in whatever case */
    GUARD_PRESENT, /* the fact is known; no octets */
    GUARD_KINDS
};

/* IPv4 as the mapped IPv6 it would be. */
struct guard_network {
    uint8_t first[16];
    uint8_t prefix;
};

struct guard_network guard_network_of(const struct cidr *cidr);

struct guard_key {
    enum guard_kind kind;
    const struct fact_ref *fact;
    struct str octets;
};

typedef void on_guard_key(void *owner, const struct guard_key *key);

/* Either a part of the condition or a fact that the rule requires. */
struct guard {
    const struct condition *part;
    const struct fact_ref *required;
};

/* The guards of a rule; starts zeroed. False at the end. */
struct guard_cursor {
    size_t required, part;
};

bool rule_guard_next(const struct rule *rule, struct guard_cursor *cursor,
                     struct guard *out);
/* All its keys, one or more times each, always in the same order. */
void guard_keys(const struct guard *guard, on_guard_key *then, void *owner);

/* A shorter text is no key. */
#define GUARD_TEXT_MIN 3

#endif
