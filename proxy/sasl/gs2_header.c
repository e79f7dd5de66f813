#include "proxy/sasl/gs2_header.h"

#include <string.h>

/* RFC 5801 4: cb-name. */
static bool is_binding_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
            name.p[i] != '.' && name.p[i] != '-')
            return false;
    return name.n > 0;
}

static bool read_flag(struct str flag, struct gs2_header *out)
{
    out->binding = GS2_NONE;
    if (str_equals(flag, STR("n")))
        return true;
    out->binding = GS2_UNOFFERED;
    if (str_equals(flag, STR("y")))
        return true;
    out->binding = GS2_BOUND;
    out->binding_name = str_skip(flag, 2);
    return str_starts_with(flag, STR("p=")) &&
           is_binding_name(out->binding_name);
}

bool gs2_header_read(struct str message, struct gs2_header *out)
{
    struct str flag, authzid, rest;
    *out = (struct gs2_header){.authzid = STR("")};
    if (!str_cut(message, ',', &flag, &rest) || !read_flag(flag, out) ||
        !str_cut(rest, ',', &authzid, &rest))
        return false;
    out->length = message.n - rest.n;
    if (authzid.n == 0)
        return true;
    out->authzid = str_skip(authzid, 2);
    return authzid.n > 2 && str_starts_with(authzid, STR("a="));
}

bool saslname_read(struct str text, char *to, size_t room, size_t *length)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        char octet = text.p[i];
        struct str escape = str_head(str_skip(text, i), 3);
        if (octet == '=') {
            if (!str_equals(escape, STR("=2C")) &&
                !str_equals(escape, STR("=3D")))
                return false;
            octet = escape.p[2] == 'C' ? ',' : '=';
            i += 2;
        }
        if (octet == ',' && escape.p[0] == ',')
            return false;
        if (n + 1 >= room)
            return false;
        to[n++] = octet;
    }
    to[n] = '\0';
    *length = n;
    return true;
}
