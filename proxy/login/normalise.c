#include "proxy/login/login.h"

#include "proxy/sasl/saslprep.h"

#define NAME_MAX_OCTETS (LOGIN_NAME_ROOM - 1)
/* Compatibility forms grow, by 18 at most. */
#define PREPARED_MAX (NAME_MAX_OCTETS * 20)

struct str login_normalise_to(struct str name, char to[LOGIN_NAME_ROOM])
{
    const struct str none = {NULL, 0};
    char prepared[PREPARED_MAX];
    if (name.n > NAME_MAX_OCTETS)
        return none;
    struct str out = saslprep(name, SASLPREP_STORED, prepared, sizeof prepared);
    if (out.p == NULL || out.n > NAME_MAX_OCTETS)
        return none;
    for (size_t i = 0; i < out.n; i++)
        to[i] = ascii_lower(out.p[i]);
    to[out.n] = '\0';
    return str_span(to, out.n);
}

struct str login_normalise(struct arena *arena, struct str name)
{
    char normal[LOGIN_NAME_ROOM];
    struct str out = login_normalise_to(name, normal);
    return out.p == NULL ? out : arena_str(arena, out);
}

struct str login_name_key(struct str name, char to[LOGIN_NAME_ROOM])
{
    struct str normal = login_normalise_to(name, to);
    return normal.p == NULL ? name : normal;
}
