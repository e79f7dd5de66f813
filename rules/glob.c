/* Only the last star is ever returned to: what an earlier one stood for need
 * never grow, since a later start of the rest can only have less text. */
#include "rules/glob.h"

#include "rules/address.h"

bool glob_has_star(struct str text)
{
    return str_index(text, '*') >= 0;
}

bool glob_matches(struct str glob, struct str text)
{
    size_t g = 0, t = 0, star = SIZE_MAX, retry = 0;
    while (t < text.n) {
        if (g < glob.n && glob.p[g] == '*') {
            star = g++;
            retry = t;
        } else if (g < glob.n &&
                   ascii_lower(glob.p[g]) == ascii_lower(text.p[t])) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (g < glob.n && glob.p[g] == '*')
        g++;
    return g == glob.n;
}

bool glob_matches_name(struct str pattern, struct str name)
{
    if (pattern.n > 1 && pattern.p[0] == '.' && !glob_has_star(pattern))
        return str_ends_with_nocase(name, pattern) ||
               str_equals_nocase(name, str_skip(pattern, 1));
    return glob_matches(pattern, name);
}

static bool is_for_domain(struct str pattern)
{
    return str_starts_with(pattern, STR(".")) ||
           str_starts_with(pattern, STR("*."));
}

bool glob_matches_address(struct str pattern, struct str address)
{
    struct address parsed;
    if (address_parse(address, &parsed) != ADDRESS_OK)
        return false;
    ptrdiff_t at = str_last_index(pattern, '@');
    if (at < 0 && is_for_domain(pattern))
        return glob_matches_name(pattern, parsed.domain);
    if (at < 0)
        return glob_matches(pattern, address);
    return glob_matches(str_head(pattern, (size_t)at), parsed.local) &&
           glob_matches_name(str_skip(pattern, (size_t)at + 1), parsed.domain);
}
