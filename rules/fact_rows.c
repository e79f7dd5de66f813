#include "rules/fact_rows.h"

#include <stdlib.h>
#include <string.h>

/* --- making --- */

struct string_map_slot *fact_rows_put(struct fact_rows *rows,
                                      struct arena *arena,
                                      const struct guard_key *key)
{
    struct string_map *map = &rows->keys[key->kind];
    const struct string_map_slot *there = string_map_get(map, key->octets);
    struct string_map_slot *slot = NULL;
    if (there != NULL)
        return string_map_put(map, arena, key->octets);
    struct str copy = arena_str(arena, key->octets);
    if (copy.p != NULL)
        slot = string_map_put(map, arena, copy);
    if (slot != NULL && key->kind != GUARD_PRESENT)
        rows->key_count++;
    return slot;
}

uint32_t fact_rows_get(const struct fact_rows *rows,
                       const struct guard_key *key)
{
    const struct string_map_slot *slot =
        string_map_get(&rows->keys[key->kind], key->octets);
    return slot == NULL ? 0 : slot->number;
}

/* The next key that stands in the map, from slot `*at` on; NULL at the end. */
static const struct string_map_slot *next_key(const struct string_map *map,
                                              size_t *at)
{
    while (*at < map->capacity) {
        const struct string_map_slot *slot = &map->slots[(*at)++];
        if (slot->key != NULL)
            return slot;
    }
    return NULL;
}

static int compare_networks(const void *a, const void *b)
{
    const struct guard_network *x = &((const struct network_row *)a)->network;
    const struct guard_network *y = &((const struct network_row *)b)->network;
    int order = memcmp(x->first, y->first, sizeof x->first);
    return order != 0 ? order : (int)x->prefix - (int)y->prefix;
}

static bool network_holds(const struct guard_network *network,
                          const uint8_t address[16])
{
    unsigned whole = network->prefix / 8, bits = network->prefix % 8;
    if (memcmp(network->first, address, whole) != 0)
        return false;
    return bits == 0 ||
           network->first[whole] >> (8 - bits) == address[whole] >> (8 - bits);
}

/* Behind sorting, those around a network are in front of it. */
static void nest_networks(struct fact_rows *rows)
{
    struct network_row *all = rows->networks;
    for (size_t i = 1; i < rows->network_count; i++) {
        uint32_t around = (uint32_t)i;
        while (around > 0 &&
               !network_holds(&all[around - 1].network, all[i].network.first))
            around = all[around - 1].around;
        all[i].around = around;
    }
}

static int seal_networks(struct fact_rows *rows, struct arena *arena)
{
    const struct string_map *map = &rows->keys[GUARD_NETWORK];
    const struct string_map_slot *slot;
    size_t at = 0;
    rows->networks = arena_array(arena, map->count, sizeof *rows->networks);
    if (rows->networks == NULL)
        return -1;
    while ((slot = next_key(map, &at)) != NULL) {
        struct network_row *row = &rows->networks[rows->network_count++];
        memcpy(&row->network, slot->key, sizeof row->network);
        row->row = slot->number;
    }
    if (rows->network_count > 0)
        qsort(rows->networks, rows->network_count, sizeof *rows->networks,
              compare_networks);
    nest_networks(rows);
    return 0;
}

static int seal_ranges(struct fact_rows *rows, struct arena *arena)
{
    const struct string_map *map = &rows->keys[GUARD_RANGE];
    const struct string_map_slot *slot;
    size_t at = 0;
    rows->ranges = arena_array(arena, map->count, sizeof *rows->ranges);
    if (rows->ranges == NULL)
        return -1;
    while ((slot = next_key(map, &at)) != NULL) {
        struct range_row *row = &rows->ranges[rows->range_count++];
        memcpy(&row->range, slot->key, sizeof row->range);
        row->row = slot->number;
    }
    return 0;
}

static int seal_lists(struct fact_rows *rows, struct arena *arena)
{
    const struct string_map *map = &rows->keys[GUARD_LIST];
    const struct string_map_slot *slot;
    size_t at = 0;
    rows->lists = arena_array(arena, map->count, sizeof *rows->lists);
    if (rows->lists == NULL)
        return -1;
    while ((slot = next_key(map, &at)) != NULL) {
        struct list_row *row = &rows->lists[rows->list_count++];
        memcpy(&row->list, slot->key, sizeof(const struct matcher *));
        row->row = slot->number;
    }
    return 0;
}

static int seal_grams(struct fact_rows *rows, struct arena *arena)
{
    const struct string_map *map = &rows->keys[GUARD_TEXT];
    const struct string_map_slot *slot;
    size_t at = 0;
    if (map->count == 0)
        return 0;
    if (gram_table_reserve(&rows->grams, arena, map->count) != 0)
        return -1;
    while ((slot = next_key(map, &at)) != NULL)
        if (slot->number != 0)
            gram_table_put(&rows->grams, gram_of(slot->key), slot->number);
    return 0;
}

int fact_rows_seal(struct fact_rows *rows, struct arena *arena)
{
    return seal_networks(rows, arena) == 0 && seal_ranges(rows, arena) == 0 &&
                   seal_lists(rows, arena) == 0 && seal_grams(rows, arena) == 0
               ? 0
               : -1;
}

/* --- looking up --- */

struct search {
    const struct fact_rows *rows;
    on_row *then;
    void *owner;
};

static void look_for(const struct search *search, enum guard_kind kind,
                     struct str octets)
{
    const struct string_map_slot *slot =
        string_map_get(&search->rows->keys[kind], octets);
    if (slot != NULL)
        search->then(search->owner, slot->number);
}

static void look_for_names(const struct search *search, struct str name)
{
    if (search->rows->keys[GUARD_BELOW].count == 0)
        return;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '.')
            look_for(search, GUARD_BELOW, str_skip(name, i + 1));
}

static void look_for_text(const struct search *search, struct str canonical)
{
    ptrdiff_t at = -1;
    look_for(search, GUARD_VALUE, canonical);
    if (search->rows->type == FACT_TYPE_ADDRESS) {
        at = str_last_index(canonical, '@');
        if (at < 0)
            return;
        look_for(search, GUARD_DOMAIN, str_skip(canonical, (size_t)at + 1));
    }
    look_for_names(search, str_skip(canonical, (size_t)(at + 1)));
}

/* How many networks begin at or before the address. */
static size_t count_up_to(const struct fact_rows *rows,
                          const uint8_t address[16])
{
    size_t low = 0, high = rows->network_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(rows->networks[middle].network.first, address, 16) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void look_for_network(const struct search *search, struct str text)
{
    const struct fact_rows *rows = search->rows;
    struct cidr value;
    if (rows->network_count == 0 || cidr_parse(text, &value) != 0)
        return;
    struct guard_network wanted = guard_network_of(&value);
    size_t i = count_up_to(rows, wanted.first);
    while (i > 0) {
        const struct network_row *row = &rows->networks[i - 1];
        if (network_holds(&row->network, wanted.first))
            search->then(search->owner, row->row);
        i = row->around;
    }
}

static void look_for_number(const struct search *search, uint64_t number)
{
    for (size_t i = 0; i < search->rows->range_count; i++) {
        const struct range_row *row = &search->rows->ranges[i];
        if (number >= row->range.low && number <= row->range.high)
            search->then(search->owner, row->row);
    }
}

static void look_for_lists(const struct search *search,
                           const struct fact_values *values, size_t index)
{
    for (size_t i = 0; i < search->rows->list_count; i++)
        if (matcher_holds(search->rows->lists[i].list, values, index))
            search->then(search->owner, search->rows->lists[i].row);
}

/* Patterns look at the text as it stands, and break if it is too long; globs
 * at what it compares as. */
static void look_for_grams(const struct search *search,
                           const struct fact_values *values, size_t index)
{
    const struct gram_table *grams = &search->rows->grams;
    struct str item = values->items[index];
    struct str canonical = values->canonical[index];
    if (grams->capacity == 0)
        return;
    if (item.n > REGEX_SUBJECT_MAX) {
        gram_table_all(grams, search->then, search->owner);
        return;
    }
    gram_table_find(grams, item, search->then, search->owner);
    if (!str_equals_nocase(item, canonical))
        gram_table_find(grams, canonical, search->then, search->owner);
}

int fact_rows_find(const struct fact_rows *rows, struct fact_reader *reader,
                   on_row *then, void *owner)
{
    const struct search search = {rows, then, owner};
    struct fact_values values;
    if (!fact_is_known(reader->facts, &rows->ref))
        return 0;
    look_for(&search, GUARD_PRESENT, STR(""));
    if (rows->key_count == 0)
        return 0;
    if (fact_values_read(reader, &rows->ref, &values) != 0)
        return -1;
    for (size_t i = 0; i < values.count; i++) {
        if (rows->type == FACT_TYPE_NUMBER)
            look_for_number(&search, values.number);
        else if (rows->type == FACT_TYPE_IP)
            look_for_network(&search, values.items[i]);
        else
            look_for_text(&search, values.canonical[i]);
        look_for_lists(&search, &values, i);
        look_for_grams(&search, &values, i);
    }
    return 0;
}
