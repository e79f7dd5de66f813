#include "rules/address.h"
#include "rules/build_internal.h"
#include "rules/domain_name.h"
#include "rules/nearest.h"

#define LISTS_MAX 1000

static struct list *find(struct ruleset_builder *builder, struct str name)
{
    struct ruleset *ruleset = builder->ruleset;
    for (size_t i = 0; i < ruleset->list_count; i++)
        if (str_equals(ruleset->lists[i]->name, name))
            return ruleset->lists[i];
    return NULL;
}

struct list *build_find_list(struct ruleset_builder *builder, struct str name)
{
    const char *names[LISTS_MAX];
    struct ruleset *ruleset = builder->ruleset;
    struct list *list = find(builder, name);
    if (list != NULL) {
        list->is_used = true;
        return list;
    }
    for (size_t i = 0; i < ruleset->list_count; i++)
        names[i] = ruleset->lists[i]->name.p;
    const char *nearest = nearest_word(name, names, ruleset->list_count);
    if (nearest != NULL)
        build_fail(builder, "there is no list %.*s, did you mean %s?",
                   PROBLEM_STR(name), nearest);
    else if (str_index(name, '.') >= 0)
        build_fail(builder,
                   "there is no list %.*s; for all addresses of a domain "
                   "write *@%.*s",
                   PROBLEM_STR(name), PROBLEM_STR(name));
    else
        build_fail(builder, "there is no list %.*s", PROBLEM_STR(name));
    return NULL;
}

static bool is_list_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
            name.p[i] != '-' && name.p[i] != '_')
            return false;
    return name.n > 0;
}

static struct list *start(struct ruleset_builder *builder, struct str name,
                          const void *origin)
{
    struct ruleset *ruleset = builder->ruleset;
    builder->item = 0;
    if (!is_list_name(name)) {
        build_fail(builder, "the name of a list has letters, digits, - and _");
        return NULL;
    }
    if (find(builder, name) != NULL) {
        build_fail(builder, "a list named %.*s is already there",
                   PROBLEM_STR(name));
        return NULL;
    }
    if (ruleset->list_count == LISTS_MAX) {
        build_fail(builder, "there are more than %d lists", LISTS_MAX);
        return NULL;
    }
    struct list **lists =
        build_grow(builder, ruleset->lists, ruleset->list_count,
                   &ruleset->list_capacity, sizeof *lists);
    struct list *list = arena_alloc(build_arena(builder), sizeof *list);
    struct str copy = arena_str(build_arena(builder), name);
    if (lists == NULL || list == NULL || copy.p == NULL) {
        build_out_of_memory(builder);
        return NULL;
    }
    *list = (struct list){.name = copy, .origin = origin};
    ruleset->lists = lists;
    lists[ruleset->list_count++] = list;
    return list;
}

/* Looks at every entry once: what no list may hold, and how many there are. */
static int check_entries(struct ruleset_builder *builder, struct list *list,
                         size_t *line)
{
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    while (list_next(&cursor, &entry)) {
        builder->item = entry.index;
        *line = entry.line;
        if (str_index(entry.text, '\0') >= 0 ||
            str_index(entry.value, '\0') >= 0)
            return build_fail(builder, "the list %s a NUL octet",
                              entry.line > 0 ? "file holds" : "holds");
        if (str_starts_with(entry.text, STR("@")))
            return build_fail(builder,
                              "a list cannot hold another one, %.*s; for "
                              "all addresses of a domain write *%.*s",
                              PROBLEM_STR(entry.text), PROBLEM_STR(entry.text));
        list->entry_count++;
        if (entry.value.n > 0)
            list->mapped_count++;
    }
    *line = 0;
    return 0;
}

/* The key now leads to the value that was added last. Of an entry that is
 * there twice the first value stays. */
static int map_key(struct ruleset_builder *builder, struct list *list,
                   struct str key)
{
    struct string_map_slot *slot =
        key.p == NULL
            ? NULL
            : string_map_put(&list->values, build_arena(builder), key);
    if (slot == NULL)
        return build_out_of_memory(builder);
    if (slot->number == 0)
        slot->number = (uint32_t)list->mapped_count;
    return 0;
}

/* What a key beyond ASCII will be asked for, nobody knows yet: a domain, which
 * comes in A-labels, finds it as well as a login. */
static int map_entry(struct ruleset_builder *builder, struct list *list,
                     const struct list_entry *entry)
{
    struct arena *arena = build_arena(builder);
    list->mapped[list->mapped_count++] = entry->value;
    if (map_key(builder, list, build_fold(builder, entry->text)) != 0)
        return -1;
    return str_has_8bit(entry->text) && domain_is_valid(entry->text)
               ? map_key(builder, list, domain_canonical(arena, entry->text))
               : 0;
}

static int map_entries(struct ruleset_builder *builder, struct list *list)
{
    struct arena *arena = build_arena(builder);
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    size_t count = list->mapped_count;
    if (count == 0)
        return 0;
    list->mapped = arena_array(arena, count, sizeof *list->mapped);
    list->mapped_count = 0;
    if (list->mapped == NULL || count > UINT32_MAX ||
        string_map_reserve(&list->values, arena, count) != 0)
        return build_out_of_memory(builder);
    while (list_next(&cursor, &entry))
        if (entry.value.n > 0 && map_entry(builder, list, &entry) != 0)
            return -1;
    return 0;
}

int build_list(struct ruleset_builder *builder, struct str name,
               const struct str *entries, size_t count, const void *origin)
{
    size_t line;
    struct arena *arena = build_arena(builder);
    struct list *list = start(builder, name, origin);
    if (list == NULL)
        return -1;
    list->items = arena_array(arena, count, sizeof *list->items);
    for (size_t i = 0; list->items != NULL && i < count; i++) {
        list->items[i] = arena_str(arena, str_trim(entries[i]));
        if (list->items[i].p == NULL)
            return build_out_of_memory(builder);
    }
    if (list->items == NULL)
        return build_out_of_memory(builder);
    list->item_count = count;
    if (check_entries(builder, list, &line) != 0)
        return -1;
    return map_entries(builder, list);
}

int build_list_file(struct ruleset_builder *builder, struct str name,
                    struct str octets, const void *origin, size_t *line)
{
    struct list *list = start(builder, name, origin);
    *line = 0;
    if (list == NULL)
        return -1;
    if (str_starts_with(octets, STR("\xef\xbb\xbf")))
        octets = str_skip(octets, 3);
    list->octets = arena_str(build_arena(builder), octets);
    if (list->octets.p == NULL)
        return build_out_of_memory(builder);
    if (check_entries(builder, list, line) != 0)
        return -1;
    return map_entries(builder, list);
}

int build_list_dynamic(struct ruleset_builder *builder, struct str name,
                       const void *origin)
{
    struct list *list = start(builder, name, origin);
    if (list == NULL)
        return -1;
    list->is_dynamic = true;
    return 0;
}
