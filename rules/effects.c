#include "rules/effects.h"

#include "rules/address.h"

void effects_init(struct effects *effects, struct arena *arena)
{
    *effects = (struct effects){.arena = arena, .size_max = UINT64_MAX};
}

int effects_add_acted(struct effects *effects, const struct acted *acted)
{
    struct acted *items =
        arena_grow(effects->arena, effects->acted, effects->acted_count,
                   &effects->acted_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->acted = items;
    items[effects->acted_count++] = *acted;
    return 0;
}

int effects_add_use(struct effects *effects, const struct limit_use *use)
{
    struct limit_use *items =
        arena_grow(effects->arena, effects->uses, effects->use_count,
                   &effects->use_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->uses = items;
    items[effects->use_count++] = *use;
    return 0;
}

int effects_add_hold(struct effects *effects, const struct hold *hold)
{
    struct hold *items =
        arena_grow(effects->arena, effects->holds, effects->hold_count,
                   &effects->hold_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->holds = items;
    items[effects->hold_count++] = *hold;
    return 0;
}

int effects_add_edit(struct effects *effects, const struct header_edit *edit)
{
    struct header_edit *items =
        arena_grow(effects->arena, effects->edits, effects->edit_count,
                   &effects->edit_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->edits = items;
    items[effects->edit_count++] = *edit;
    return 0;
}

int effects_add_list_change(struct effects *effects,
                            const struct list_change *change)
{
    struct list_change *items = arena_grow(
        effects->arena, effects->list_changes, effects->list_change_count,
        &effects->list_change_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->list_changes = items;
    items[effects->list_change_count++] = *change;
    return 0;
}

static int add_text(struct arena *arena, struct str text, struct str **items,
                    size_t *count, size_t *capacity)
{
    struct str *moved =
        arena_grow(arena, *items, *count, capacity, sizeof *moved);
    if (moved == NULL)
        return -1;
    *items = moved;
    moved[(*count)++] = text;
    return 0;
}

int effects_add_tag(struct effects *effects, struct str tag)
{
    return add_text(effects->arena, tag, &effects->tags, &effects->tag_count,
                    &effects->tag_capacity);
}

int effects_add_note(struct effects *effects, struct str note)
{
    return add_text(effects->arena, note, &effects->notes, &effects->note_count,
                    &effects->note_capacity);
}

int effects_add_recipient(struct effects *effects,
                          const struct added_recipient *added)
{
    struct str wanted = address_canonical(effects->arena, added->address);
    if (wanted.p == NULL)
        return -1;
    for (size_t i = 0; i < effects->added_count; i++) {
        struct added_recipient *there = &effects->added[i];
        struct str address = address_canonical(effects->arena, there->address);
        if (address.p == NULL)
            return -1;
        if (!str_equals(address, wanted))
            continue;
        there->is_required = there->is_required || added->is_required;
        return 0;
    }
    if (effects->added_count == EFFECTS_ADDED_MAX)
        return -2;
    struct added_recipient *items =
        arena_grow(effects->arena, effects->added, effects->added_count,
                   &effects->added_capacity, sizeof *items);
    if (items == NULL)
        return -1;
    effects->added = items;
    items[effects->added_count++] = *added;
    return 0;
}

void effects_add_delay(struct effects *effects, uint64_t ms)
{
    uint64_t room = EFFECTS_DELAY_MS_MAX - effects->delay_ms;
    effects->delay_ms += ms < room ? ms : room;
}
