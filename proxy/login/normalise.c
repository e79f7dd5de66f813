#include "proxy/login/login.h"

#include <string.h>

#include <stringprep.h>

#include "rules/base/utf8.h"

#define NAME_MAX_OCTETS 255
/* Compatibility forms grow, by 18 at most. */
#define PREPARED_MAX (NAME_MAX_OCTETS * 20)

/* Nothing of a printable ASCII name is changed by SASLprep. */
static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x20 || name.p[i] > 0x7e)
            return false;
    return true;
}

struct str login_normalise(struct arena *arena, struct str name)
{
    const struct str none = {NULL, 0};
    char prepared[PREPARED_MAX];
    if (name.n == 0 || name.n > NAME_MAX_OCTETS)
        return none;
    if (is_plain(name))
        return arena_lower(arena, name);
    /* libidn takes terminated text and trusts it to be UTF-8. */
    if (memchr(name.p, '\0', name.n) != NULL || !utf8_is_valid(name))
        return none;
    memcpy(prepared, name.p, name.n);
    prepared[name.n] = '\0';
    if (stringprep(prepared, sizeof prepared, STRINGPREP_NO_UNASSIGNED,
                   stringprep_saslprep) != STRINGPREP_OK)
        return none;
    struct str out = str_from(prepared);
    if (out.n == 0 || out.n > NAME_MAX_OCTETS)
        return none;
    return arena_lower(arena, out);
}
