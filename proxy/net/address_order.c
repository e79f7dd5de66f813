#include "proxy/net/address_order.h"

#include "proxy/net/socket_address.h"

#include <netdb.h>
#include <string.h>

static bool is_internet(const struct addrinfo *info)
{
    return info->ai_family == AF_INET || info->ai_family == AF_INET6;
}

/* The next one of that family, `info` itself or behind it; or NULL. */
static const struct addrinfo *next_of(const struct addrinfo *info, int family)
{
    while (info != NULL && info->ai_family != family)
        info = info->ai_next;
    return info;
}

size_t address_order(const struct addrinfo *found, uint16_t port,
                     struct sockaddr_storage *to, size_t max)
{
    size_t count = 0, turn = 0;
    while (found != NULL && !is_internet(found))
        found = found->ai_next;
    if (found == NULL)
        return 0;
    int other = found->ai_family == AF_INET ? AF_INET6 : AF_INET;
    const struct addrinfo *next[] = {found, next_of(found, other)};
    while (count < max && (next[0] != NULL || next[1] != NULL)) {
        const struct addrinfo **taken = &next[turn];
        turn = 1 - turn;
        if (*taken == NULL)
            continue;
        memcpy(&to[count], (*taken)->ai_addr, (*taken)->ai_addrlen);
        socket_address_set_port(&to[count++], port);
        *taken = next_of((*taken)->ai_next, (*taken)->ai_family);
    }
    return count;
}
