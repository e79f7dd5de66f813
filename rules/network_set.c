/* Two networks either are apart or one holds the other. Without those that
 * lie within others, the one that may hold a value is the last that begins at
 * or before it: one binary search, however many prefix lengths there are. */
#include "rules/network_set.h"

#include <stdlib.h>
#include <string.h>

static uint32_t first_of(const struct ip *ip)
{
    return (uint32_t)ip->octets[0] << 24 | (uint32_t)ip->octets[1] << 16 |
           (uint32_t)ip->octets[2] << 8 | ip->octets[3];
}

static int add_v4(struct network_set *set, struct arena *arena,
                  const struct cidr *network)
{
    struct network_v4 *items = arena_grow(arena, set->v4, set->v4_count,
                                          &set->v4_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    set->v4 = items;
    items[set->v4_count++] = (struct network_v4){
        .first = first_of(&network->network),
        .prefix = (uint8_t)network->prefix,
    };
    return 0;
}

int network_set_add(struct network_set *set, struct arena *arena,
                    const struct cidr *network)
{
    if (!network->network.is_v6)
        return add_v4(set, arena, network);
    struct network_v6 *items = arena_grow(arena, set->v6, set->v6_count,
                                          &set->v6_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    set->v6 = items;
    struct network_v6 *item = &items[set->v6_count++];
    memcpy(item->first, network->network.octets, sizeof item->first);
    item->prefix = (uint8_t)network->prefix;
    return 0;
}

/* --- whether a network holds another --- */

static bool v4_holds(const struct network_v4 *outer,
                     const struct network_v4 *inner)
{
    unsigned rest = 32u - outer->prefix;
    return outer->prefix <= inner->prefix &&
           (rest == 32 || outer->first >> rest == inner->first >> rest);
}

static bool v6_holds(const struct network_v6 *outer,
                     const struct network_v6 *inner)
{
    unsigned whole = outer->prefix / 8, bits = outer->prefix % 8;
    if (outer->prefix > inner->prefix ||
        memcmp(outer->first, inner->first, whole) != 0)
        return false;
    return bits == 0 || outer->first[whole] >> (8 - bits) ==
                            inner->first[whole] >> (8 - bits);
}

/* --- sealing: by first address, the larger network in front --- */

static int compare_v4(const void *a, const void *b)
{
    const struct network_v4 *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (int)x->prefix - (int)y->prefix;
}

static int compare_v6(const void *a, const void *b)
{
    const struct network_v6 *x = a, *y = b;
    int order = memcmp(x->first, y->first, sizeof x->first);
    return order != 0 ? order : (int)x->prefix - (int)y->prefix;
}

void network_set_seal(struct network_set *set)
{
    size_t kept = 0;
    if (set->v4_count > 0)
        qsort(set->v4, set->v4_count, sizeof *set->v4, compare_v4);
    for (size_t i = 0; i < set->v4_count; i++)
        if (kept == 0 || !v4_holds(&set->v4[kept - 1], &set->v4[i]))
            set->v4[kept++] = set->v4[i];
    set->v4_count = kept;
    kept = 0;
    if (set->v6_count > 0)
        qsort(set->v6, set->v6_count, sizeof *set->v6, compare_v6);
    for (size_t i = 0; i < set->v6_count; i++)
        if (kept == 0 || !v6_holds(&set->v6[kept - 1], &set->v6[i]))
            set->v6[kept++] = set->v6[i];
    set->v6_count = kept;
}

/* --- looking up --- */

static bool in_v4(const struct network_set *set, const struct network_v4 *value)
{
    size_t low = 0, high = set->v4_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->v4[middle].first <= value->first)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && v4_holds(&set->v4[low - 1], value);
}

static bool in_v6(const struct network_set *set, const struct network_v6 *value)
{
    size_t low = 0, high = set->v6_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(set->v6[middle].first, value->first, sizeof value->first) <=
            0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && v6_holds(&set->v6[low - 1], value);
}

bool network_set_holds(const struct network_set *set, const struct cidr *value)
{
    uint8_t prefix = (uint8_t)value->prefix;
    if (!value->network.is_v6)
        return in_v4(set,
                     &(struct network_v4){first_of(&value->network), prefix});
    struct network_v6 wanted = {.prefix = prefix};
    memcpy(wanted.first, value->network.octets, sizeof wanted.first);
    return in_v6(set, &wanted);
}
