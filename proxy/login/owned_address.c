#include "proxy/login/owned_address.h"

#include "rules/address.h"
#include "rules/glob.h"

enum owned_address owned_address_check(struct str text)
{
    struct address parsed;
    ptrdiff_t at = str_last_index(text, '@');
    if (!glob_has_star(text))
        return address_parse(text, &parsed) == ADDRESS_OK ? OWNED_ADDRESS_FINE
                                                          : OWNED_ADDRESS_NONE;
    if (str_equals(text, STR("*")))
        return OWNED_ADDRESS_FINE;
    if (at <= 0 || (size_t)at + 1 == text.n)
        return OWNED_ADDRESS_NONE;
    return str_has_8bit(str_skip(text, (size_t)at + 1)) ? OWNED_ADDRESS_FOREIGN
                                                        : OWNED_ADDRESS_FINE;
}

struct str owned_address_keep(struct arena *arena, struct str text)
{
    return glob_has_star(text) ? arena_lower(arena, text)
                               : address_canonical(arena, text);
}

int owned_address_of_name(struct arena *arena, struct str name,
                          const struct str **items, size_t *count)
{
    if (str_index(name, '@') < 0 || glob_has_star(name))
        return 0;
    struct str *own = arena_alloc(arena, sizeof *own);
    if (own == NULL)
        return -1;
    *own = address_canonical(arena, name);
    if (own->p == NULL)
        return -1;
    *items = own;
    *count = 1;
    return 0;
}
