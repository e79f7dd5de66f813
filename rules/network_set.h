/* Networks of hosts: of a million the one that holds an address is found as
 * fast as of ten. Added in any order, sealed once, then only read. Memory is
 * the arena's. */
#ifndef RULES_NETWORK_SET_H
#define RULES_NETWORK_SET_H

#include "rules/cidr.h"

struct network_v4 {
    uint32_t first; /* its lowest address, in the host's order */
    uint8_t prefix;
};

struct network_v6 {
    uint8_t first[16];
    uint8_t prefix;
};

struct network_set {
    struct network_v4 *v4;
    size_t v4_count, v4_capacity;
    struct network_v6 *v6;
    size_t v6_count, v6_capacity;
};

/* 0, or -1 when the arena is full. */
int network_set_add(struct network_set *set, struct arena *arena,
                    const struct cidr *network);
/* Call it once, when all are there; only then look up. */
void network_set_seal(struct network_set *set);
/* Whether the whole of `value`, an address or a network, lies within one of
 * the networks. */
bool network_set_holds(const struct network_set *set, const struct cidr *value);

#endif
