#include "rules/list.h"

#include "rules/address.h"

bool list_map(const struct list *list, struct arena *arena, struct str key,
              struct str *out)
{
    struct str folded = address_canonical(arena, key);
    if (folded.p == NULL)
        return false;
    const struct string_map_slot *slot = string_map_get(&list->values, folded);
    if (slot == NULL || slot->value.n == 0)
        return false;
    *out = slot->value;
    return true;
}
