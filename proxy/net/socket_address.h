/* Addresses of sockets, to and from text. */
#ifndef PROXY_NET_SOCKET_ADDRESS_H
#define PROXY_NET_SOCKET_ADDRESS_H

#include "rules/base/str.h"

#include <sys/socket.h>

/* Room for a numeric address of either family and its NUL. */
#define SOCKET_ADDRESS_TEXT 48

/* 0, or -1 when `host` is not a numeric address. */
int socket_address_parse(struct sockaddr_storage *address, struct str host,
                         uint16_t port);
/* 0, or -1 when the path does not fit. */
int socket_address_unix(struct sockaddr_storage *address, const char *path);
socklen_t socket_address_size(const struct sockaddr_storage *address);
/* The numeric host; an IPv4 address that came in on an IPv6 socket is given
 * as IPv4. "" for any other family. */
void socket_address_text(const struct sockaddr_storage *address,
                         char text[SOCKET_ADDRESS_TEXT]);
uint16_t socket_address_port(const struct sockaddr_storage *address);
void socket_address_set_port(struct sockaddr_storage *address, uint16_t port);

#endif
