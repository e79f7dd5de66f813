/* The order in which the addresses of a host are tried: RFC 8305 4. Pure. */
#ifndef PROXY_NET_ADDRESS_ORDER_H
#define PROXY_NET_ADDRESS_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

struct addrinfo;

/* Fills `to` with at most `max` addresses of IPv4 and IPv6 out of `found`, in
 * the resolver's order but with the families in turn, that of the first one
 * first; returns how many. */
size_t address_order(const struct addrinfo *found, uint16_t port,
                     struct sockaddr_storage *to, size_t max);

#endif
