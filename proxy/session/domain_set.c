#include "proxy/session/domain_set.h"

#include "rules/domain_name.h"

int domain_set_add(struct domain_set *set, struct arena *arena,
                   struct str mailbox)
{
    ptrdiff_t at = str_last_index(mailbox, '@');
    if (at < 0)
        return 0;
    struct str domain =
        domain_canonical(arena, str_skip(mailbox, (size_t)at + 1));
    if (domain.p == NULL)
        return -1;
    for (size_t i = 0; i < set->count; i++)
        if (str_equals(set->items[i], domain))
            return 0;
    struct str *grown = arena_grow(arena, set->items, set->count,
                                   &set->capacity, sizeof *grown);
    if (grown == NULL)
        return -1;
    set->items = grown;
    set->items[set->count++] = domain;
    return 0;
}
