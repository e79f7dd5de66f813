/* Addresses of hosts and networks. IPv4-mapped IPv6 is unwrapped when read,
 * so that ::ffff:192.0.2.1 and 192.0.2.1 are one. Pure. */
#ifndef RULES_CIDR_H
#define RULES_CIDR_H

#include "rules/base/arena.h"

struct ip {
    bool is_v6;
    uint8_t octets[16]; /* IPv4: the first four */
};

struct cidr {
    struct ip network;
    unsigned prefix; /* bits */
};

/* 0, or -1 when it is not an address (no zone, no brackets). */
int ip_parse(struct str text, struct ip *out);
bool ip_equals(const struct ip *a, const struct ip *b);
/* "192.0.2.0/24", "2001:db8::/32", or one address. Host bits must be zero;
 * -1 when it is neither, -2 when host bits are set. */
int cidr_parse(struct str text, struct cidr *out);
bool cidr_contains(const struct cidr *cidr, const struct ip *ip);
bool cidr_list_contains(const struct cidr *items, size_t count,
                        const struct ip *ip);
/* The /32 of IPv4 or the /64 of IPv6, as text ("192.0.2.1",
 * "2001:db8:0:1::/64"): client.net. p is NULL when the arena is full. */
struct str ip_net_text(struct arena *arena, const struct ip *ip);
struct str ip_text(struct arena *arena, const struct ip *ip);

#endif
