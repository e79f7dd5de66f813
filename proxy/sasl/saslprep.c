#include "proxy/sasl/saslprep.h"

#include <string.h>

#include <stringprep.h>

#include "rules/base/utf8.h"

/* Nothing of a printable ASCII text is changed by SASLprep. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < 0x20 || text.p[i] > 0x7e)
            return false;
    return true;
}

struct str saslprep(struct str text, enum saslprep_use use, char *to,
                    size_t room)
{
    const struct str none = {NULL, 0};
    /* libidn takes terminated text and trusts it to be UTF-8. */
    if (text.n == 0 || text.n >= room || memchr(text.p, '\0', text.n) != NULL ||
        !utf8_is_valid(text))
        return none;
    memcpy(to, text.p, text.n);
    to[text.n] = '\0';
    if (!is_plain(text) &&
        stringprep(to, room,
                   use == SASLPREP_STORED ? STRINGPREP_NO_UNASSIGNED : 0,
                   stringprep_saslprep) != STRINGPREP_OK)
        return none;
    struct str out = str_from(to);
    return out.n == 0 ? none : out;
}
