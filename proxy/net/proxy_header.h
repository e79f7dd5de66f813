/* The header by which a balancer says who its client is: HAProxy's PROXY
 * protocol, versions 1 and 2 (its specification of 2020). Pure. */
#ifndef PROXY_NET_PROXY_HEADER_H
#define PROXY_NET_PROXY_HEADER_H

#include "rules/cidr.h"

/* No header may be longer: the fixed part, two paths of unix sockets and
 * 1 KiB of further values. */
#define PROXY_HEADER_MAX (16 + 216 + 1024)

struct proxy_header {
    size_t octets;   /* of the whole header; what follows is the client's */
    bool has_client; /* else the peer speaks for itself (LOCAL, UNKNOWN) */
    struct ip client;
    uint16_t port;
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

#endif
