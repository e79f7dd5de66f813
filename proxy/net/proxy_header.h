/* The header by which a balancer says who its client is: HAProxy's PROXY
 * protocol, versions 1 and 2 (its specification of 2020). Read from balancers
 * in front, written to upstreams. Pure. */
#ifndef PROXY_NET_PROXY_HEADER_H
#define PROXY_NET_PROXY_HEADER_H

#include "rules/cidr.h"

/* No header may be longer: the fixed part, two paths of unix sockets and
 * 1 KiB of further values. */
#define PROXY_HEADER_MAX (16 + 216 + 1024)
/* The longest that is written. */
#define PROXY_HEADER_WRITTEN_MAX (16 + 36)

struct proxy_header {
    size_t octets;   /* of the whole header; what follows is the client's */
    bool has_client; /* else the peer speaks for itself (LOCAL, UNKNOWN) */
    struct ip client;
    uint16_t port;
    struct ip server; /* what the client connected to */
    uint16_t server_port;
};

enum proxy_header_result {
    PROXY_HEADER_READY,
    PROXY_HEADER_MORE, /* as far as it goes it is one */
    PROXY_HEADER_BAD
};

/* Reads the header that `octets` begin with; call it again with more from the
 * same beginning. When bad, *why says what is wrong (static). */
enum proxy_header_result proxy_header_read(struct str octets,
                                           struct proxy_header *out,
                                           const char **why);

/* Writes one of version 2 that says the same, `octets` aside; returns its
 * length. Both addresses are given as IPv6 where one of them is. */
size_t proxy_header_write(const struct proxy_header *header,
                          char to[PROXY_HEADER_WRITTEN_MAX]);

#endif
