#include "proxy/net/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include <uv.h>

int socket_address_parse(struct sockaddr_storage *address, struct str host,
                         uint16_t port)
{
    /* An IPv6 address may end in %scope. */
    char text[SOCKET_ADDRESS_TEXT + 32];
    if (host.n == 0 || host.n >= sizeof(text))
        return -1;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    memset(address, 0, sizeof(*address));
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)address) == 0)
        return 0;
    memset(address, 0, sizeof(*address));
    return uv_ip6_addr(text, port, (struct sockaddr_in6 *)address) == 0 ? 0
                                                                        : -1;
}

int socket_address_unix(struct sockaddr_storage *address, const char *path)
{
    struct sockaddr_un *local = (struct sockaddr_un *)address;
    size_t n = strlen(path);
    if (n >= sizeof(local->sun_path))
        return -1;
    memset(address, 0, sizeof(*address));
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, n + 1);
    return 0;
}

socklen_t socket_address_size(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_UNIX)
        return sizeof(struct sockaddr_un);
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

void socket_address_text(const struct sockaddr_storage *address,
                         char text[SOCKET_ADDRESS_TEXT])
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const void *octets = NULL;
    int family = address->ss_family;
    text[0] = '\0';
    if (family == AF_INET)
        octets = &v4->sin_addr;
    if (family == AF_INET6)
        octets = &v6->sin6_addr;
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        octets = v6->sin6_addr.s6_addr + 12;
        family = AF_INET;
    }
    if (octets == NULL ||
        inet_ntop(family, octets, text, SOCKET_ADDRESS_TEXT) == NULL)
        text[0] = '\0';
}

uint16_t socket_address_port(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)address)->sin6_port
                     : ((const struct sockaddr_in *)address)->sin_port);
}

void socket_address_set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)address)->sin_port = htons(port);
}
