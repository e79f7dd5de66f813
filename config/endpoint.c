#include "config/endpoint.h"

#include "rules/address.h"
#include "rules/domain_name.h"

/* The host of a bracketed address must be IPv6; without brackets it must not
 * be, or nobody could tell where the port begins. */
static bool is_host(struct str host, bool is_bracketed)
{
    struct ip ip;
    bool is_ip = ip_parse(host, &ip) == 0;
    bool has_colon = str_index(host, ':') >= 0;
    if (is_bracketed)
        return is_ip && has_colon;
    return !has_colon && (is_ip || domain_is_host(host));
}

int endpoint_parse(struct str text, struct endpoint *out)
{
    ptrdiff_t colon = str_last_index(text, ':');
    uint64_t port = 0;
    if (colon < 1 ||
        str_to_u64(str_skip(text, (size_t)colon + 1), &port) != 0 ||
        port == 0 || port > UINT16_MAX)
        return -1;
    struct str host = str_head(text, (size_t)colon);
    bool is_bracketed =
        host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (is_bracketed)
        host = str_span(host.p + 1, host.n - 2);
    if (!is_host(host, is_bracketed))
        return -1;
    out->text = text;
    out->host = host;
    out->port = (uint16_t)port;
    return 0;
}

bool endpoint_is_numeric(const struct endpoint *endpoint)
{
    struct ip ip;
    return ip_parse(endpoint->host, &ip) == 0;
}
