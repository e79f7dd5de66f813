#include "rules/address.h"
#include "rules/build_internal.h"
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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* "key value": the first word and what stands behind it, trimmed. A pattern
 * may hold blanks, so it is one word. */
static void split_entry(struct str text, struct str *key, struct str *value)
{
    size_t n = 0;
    if (regex_is_literal(text))
        n = text.n;
    while (n < text.n && !is_blank(text.p[n]))
        n++;
    *key = str_head(text, n);
    *value = str_trim(str_skip(text, n));
}

static int add_entry(struct ruleset_builder *builder, struct list *list,
                     struct str text, size_t line)
{
    struct arena *arena = build_arena(builder);
    struct str key, value;
    split_entry(text, &key, &value);
    if (str_starts_with(key, STR("@")))
        return build_fail(builder,
                          "a list cannot hold another one, %.*s; for "
                          "all addresses of a domain write *%.*s",
                          PROBLEM_STR(key), PROBLEM_STR(key));
    struct list_entry entry = {.text = arena_str(arena, key),
                               .value = arena_str(arena, value),
                               .line = line};
    struct list_entry *items = build_grow(builder, list->items, list->count,
                                          &list->capacity, sizeof *items);
    struct str folded = address_canonical(arena, key);
    if (items == NULL || entry.text.p == NULL || entry.value.p == NULL ||
        folded.p == NULL)
        return build_out_of_memory(builder);
    list->items = items;
    items[list->count++] = entry;
    if (value.n > 0 &&
        string_map_put(&list->values, arena, folded, entry.value, 0) != 0)
        return build_out_of_memory(builder);
    return 0;
}

int build_list(struct ruleset_builder *builder, struct str name,
               const struct str *entries, size_t count, const void *origin)
{
    struct list *list = start(builder, name, origin);
    if (list == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        builder->item = i;
        if (add_entry(builder, list, str_trim(entries[i]), 0) != 0)
            return -1;
    }
    return 0;
}

/* Without a comment, which begins the line or follows a blank, and without
 * what a Windows editor leaves. */
static struct str line_text(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1]))) {
            line.n = i;
            break;
        }
    }
    while (line.n > 0 && is_blank(line.p[line.n - 1]))
        line.n--;
    return str_trim(line);
}

int build_list_file(struct ruleset_builder *builder, struct str name,
                    struct str octets, const void *origin, size_t *line)
{
    struct str text;
    struct list *list = start(builder, name, origin);
    *line = 0;
    if (list == NULL)
        return -1;
    if (str_starts_with(octets, STR("\xef\xbb\xbf")))
        octets = str_skip(octets, 3);
    for (size_t number = 1; octets.n > 0; number++) {
        str_cut(octets, '\n', &text, &octets);
        text = line_text(text);
        if (str_index(text, '\0') >= 0) {
            *line = number;
            return build_fail(builder, "the list file holds a NUL octet");
        }
        if (text.n > 0 && add_entry(builder, list, text, number) != 0) {
            *line = number;
            return -1;
        }
    }
    return 0;
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
