#include "proxy/login/login.h"

#include "proxy/sasl/saslprep.h"

#define NAME_MAX_OCTETS 255
/* Compatibility forms grow, by 18 at most. */
#define PREPARED_MAX (NAME_MAX_OCTETS * 20)

struct str login_normalise(struct arena *arena, struct str name)
{
    const struct str none = {NULL, 0};
    char prepared[PREPARED_MAX];
    if (name.n > NAME_MAX_OCTETS)
        return none;
    struct str out = saslprep(name, SASLPREP_STORED, prepared, sizeof prepared);
    if (out.p == NULL || out.n > NAME_MAX_OCTETS)
        return none;
    return arena_lower(arena, out);
}
