#include "config/schema.h"

#include "rules/nearest.h"
#include "rules/problem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEYS_MAX 40

static const struct key *find_key(const struct schema *schema, struct str name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (str_equals(str_from(schema->keys[i].name), name))
            return &schema->keys[i];
    return NULL;
}

static const char *nearest_key(const struct schema *schema, struct str name)
{
    const char *names[KEYS_MAX];
    assert(schema->count <= KEYS_MAX);
    for (size_t i = 0; i < schema->count; i++)
        names[i] = schema->keys[i].name;
    return nearest_word(name, names, schema->count);
}

static void refuse_unknown(struct reader *reader, const struct schema *schema,
                           const struct node *key)
{
    const char *nearest = nearest_key(schema, key->text);
    diags_error(reader->diags, key->mark, "%s has no key %.*s%s%s%s",
                schema->name, PROBLEM_STR(key->text), DIAG_NEAREST(nearest));
}

void schema_check_keys(struct reader *reader, const struct schema *schema,
                       const struct node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct node *node = map->keys[i];
        if (find_key(schema, node->text) == NULL)
            refuse_unknown(reader, schema, node);
    }
}

static bool find_word(const char *const *words, struct str text, unsigned *out)
{
    for (unsigned i = 0; words != NULL && words[i] != NULL; i++) {
        *out = i;
        if (str_equals(str_from(words[i]), text))
            return true;
    }
    return false;
}

static size_t count_words(const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return count;
}

static void join_words(const char *const *words, char *list, size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < room; i++) {
        const char *glue = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int more = snprintf(list + used, room - used, "%s%s", glue, words[i]);
        used += more < 0 ? room : (size_t)more;
    }
}

bool schema_word(struct reader *reader, const struct node *node,
                 const char *name, const char *const *words, unsigned *out)
{
    struct str text;
    if (!node_scalar(reader, node, name, &text))
        return false;
    if (find_word(words, text, out))
        return true;
    char list[200];
    join_words(words, list, sizeof list);
    const char *nearest = nearest_word(text, words, count_words(words));
    diags_error(reader->diags, node->mark, "%s takes %s, not \"%.*s\"%s%s%s",
                name, list, PROBLEM_STR(text), DIAG_NEAREST(nearest));
    return false;
}

static const struct unit {
    enum key_type type;
    uint64_t factor;
    const char *name;
} units[] = {
    {KEY_SIZE, UINT64_C(1) << 40, "T"},
    {KEY_SIZE, UINT64_C(1) << 30, "G"},
    {KEY_SIZE, UINT64_C(1) << 20, "M"},
    {KEY_SIZE, UINT64_C(1) << 10, "K"},
    {KEY_TIME, 86400 * 1000, "d"},
    {KEY_TIME, 3600 * 1000, "h"},
    {KEY_TIME, 60 * 1000, "m"},
    {KEY_TIME, 1000, "s"},
    {KEY_TIME, 1, "ms"},
};

/* As one would write it: in the largest unit that leaves no rest. */
static void format_bound(enum key_type type, uint64_t value, char text[32])
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].type != type || value == 0 || value % units[i].factor != 0)
            continue;
        snprintf(text, 32, "%" PRIu64 "%s", value / units[i].factor,
                 units[i].name);
        return;
    }
    snprintf(text, 32, "%" PRIu64, value);
}

static bool read_quantity(struct reader *reader, const struct key *key,
                          const struct node *node, uint64_t *out)
{
    switch (key->type) {
    case KEY_SIZE:
        return node_size(reader, node, key->name, out);
    case KEY_TIME:
        return node_time(reader, node, key->name, out);
    case KEY_PERCENT:
        return node_percent(reader, node, key->name, out);
    default:
        return node_number(reader, node, key->name, out);
    }
}

static void read_amount(struct reader *reader, const struct key *key,
                        const struct node *node, uint64_t *into)
{
    uint64_t value;
    if (!read_quantity(reader, key, node, &value))
        return;
    if (value >= key->min && (key->max == 0 || value <= key->max)) {
        *into = value;
        return;
    }
    char least[32];
    char most[32];
    format_bound(key->type, key->min, least);
    format_bound(key->type, key->max, most);
    if (key->max == 0)
        diags_error(reader->diags, node->mark, "%s must be at least %s",
                    key->name, least);
    else
        diags_error(reader->diags, node->mark, "%s must be from %s to %s",
                    key->name, least, most);
}

static void read_path(struct reader *reader, const struct key *key,
                      const struct node *node, char *section)
{
    struct str text;
    if (!node_text(reader, node, key->name, &text))
        return;
    const char *path = reader_path(reader, node->mark, text);
    memcpy(section + key->offset, &path, sizeof path);
    if (key->mark_offset != 0)
        memcpy(section + key->mark_offset, &node->mark, sizeof node->mark);
}

static void read_text(struct reader *reader, const struct key *key,
                      const struct node *node, struct str *into)
{
    struct str text;
    if (!node_text(reader, node, key->name, &text))
        return;
    if (key->max != 0 && text.n > key->max)
        diags_error(reader->diags, node->mark,
                    "%s is longer than %" PRIu64 " octets", key->name,
                    key->max);
    else
        *into = reader_keep(reader, node->mark, text);
}

static void read_word(struct reader *reader, const struct key *key,
                      const struct node *node, void *into)
{
    unsigned word = 0;
    if (!schema_word(reader, node, key->name, key->words, &word))
        return;
    if (key->type == KEY_SWITCH)
        *(bool *)into = word == 1;
    else
        memcpy(into, &word, sizeof word);
}

static void read_value(struct reader *reader, const struct key *key,
                       const struct node *node, void *section)
{
    void *field = (char *)section + key->offset;
    bool flag = false;
    switch (key->type) {
    case KEY_TEXT:
        read_text(reader, key, node, field);
        break;
    case KEY_PATH:
        read_path(reader, key, node, section);
        break;
    case KEY_NUMBER:
    case KEY_SIZE:
    case KEY_TIME:
    case KEY_PERCENT:
        read_amount(reader, key, node, field);
        break;
    case KEY_FLAG:
        if (node_flag(reader, node, key->name, &flag))
            *(bool *)field = flag;
        break;
    case KEY_WORD:
    case KEY_SWITCH:
        read_word(reader, key, node, field);
        break;
    case KEY_SECTION:
        if (node_is_map(reader, node, key->name))
            schema_read(reader, key->section, node, field);
        break;
    case KEY_OWN:
        if (key->read != NULL)
            key->read(reader, node, section);
        break;
    }
}

void schema_defaults(struct reader *reader, const struct schema *schema,
                     void *into)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct key *key = &schema->keys[i];
        if (key->type == KEY_SECTION)
            schema_defaults(reader, key->section, (char *)into + key->offset);
        if (key->fill != NULL)
            key->fill(into);
        if (key->fallback == NULL || key->type == KEY_OWN)
            continue;
        struct node node = {.kind = NODE_SCALAR,
                            .text = str_from(key->fallback)};
        size_t errors = reader->diags->errors;
        read_value(reader, key, &node, into);
        assert(reader->diags->errors == errors || reader->is_full);
    }
}

/* Whether an unknown key of the map was taken for this one: then it was told
 * what to write instead. */
static bool is_misspelt(const struct schema *schema, const struct node *map,
                        const struct key *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (find_key(schema, map->keys[i]->text) == NULL &&
            nearest_key(schema, map->keys[i]->text) == key->name)
            return true;
    return false;
}

void schema_read(struct reader *reader, const struct schema *schema,
                 const struct node *map, void *into)
{
    schema_defaults(reader, schema, into);
    schema_check_keys(reader, schema, map);
    for (size_t i = 0; i < schema->count; i++) {
        const struct key *key = &schema->keys[i];
        const struct node *node = node_get(map, key->name);
        if (node != NULL)
            read_value(reader, key, node, into);
        else if (key->is_required && !is_misspelt(schema, map, key))
            diags_error(reader->diags, map->mark, "%s lacks the key %s: %s",
                        schema->name, key->name, key->help);
    }
}
