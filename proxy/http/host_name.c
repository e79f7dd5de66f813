#include "proxy/http/host_name.h"

#define PORT_DIGITS 5

static bool is_port(struct str text)
{
    if (text.n == 0 || text.n > PORT_DIGITS)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_is_digit(text.p[i]))
            return false;
    return true;
}

/* [2001:db8::1] and [2001:db8::1]:8025. */
static bool is_bracketed_address(struct str field)
{
    struct ip ip;
    ptrdiff_t end = str_index(field, ']');
    if (end < 1)
        return false;
    struct str rest = str_skip(field, (size_t)end + 1);
    return ip_parse(str_span(field.p + 1, (size_t)end - 1), &ip) == 0 &&
           ip.is_v6 &&
           (rest.n == 0 || (rest.p[0] == ':' && is_port(str_skip(rest, 1))));
}

static bool is_name(struct str name, struct str ours)
{
    return ours.n > 0 && str_equals_nocase(name, ours);
}

bool host_name_is_ours(const struct settings *settings, struct str field)
{
    struct ip ip;
    if (field.p == NULL)
        return true;
    if (field.n > 0 && field.p[0] == '[')
        return is_bracketed_address(field);
    ptrdiff_t colon = str_index(field, ':');
    struct str name = colon < 0 ? field : str_head(field, (size_t)colon);
    if (colon >= 0 && !is_port(str_skip(field, (size_t)colon + 1)))
        return false;
    if (ip_parse(name, &ip) == 0 || is_name(name, STR("localhost")) ||
        is_name(name, settings->hostname))
        return true;
    for (size_t i = 0; i < settings->http.name_count; i++)
        if (is_name(name, settings->http.names[i]))
            return true;
    return false;
}
