/* Digests: of the files' octets, and of what the server's own sections hold.
 * A section is written out before it is hashed: every text with its length
 * before it, so that no two trees are written alike. */
#include "config/sections.h"

#include "rules/base/keyed_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void read_files_digest(struct reader *reader, size_t first, char out[72])
{
    char hex[65];
    sha256_hex_parts(reader->files + first, reader->file_count - first, hex);
    snprintf(out, 72, "sha256:%s", hex);
}

/* --- the server's sections --- */

/* What a reload takes up, or what only says where the rest stands. */
static bool is_policy(struct str key)
{
    static const char *const names[] = {"policy", "lists",  "tests",
                                        "shadow", "reload", "policy_servers",
                                        "split",  "include"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equals(key, str_from(names[i])))
            return true;
    return false;
}

/* The names in these number what they name. */
static bool has_order(struct str key)
{
    return str_equals(key, STR("listeners")) ||
           str_equals(key, STR("upstreams"));
}

struct pair {
    const struct node *key, *value;
};

static int compare_pairs(const void *a, const void *b)
{
    return str_compare(((const struct pair *)a)->key->text,
                       ((const struct pair *)b)->key->text);
}

static struct pair *make_pairs(struct arena *arena, const struct node *map,
                               bool is_sorted)
{
    struct pair *pairs = arena_array(arena, map->count, sizeof *pairs);
    for (size_t i = 0; pairs != NULL && i < map->count; i++)
        pairs[i] = (struct pair){map->keys[i], map->values[i]};
    if (pairs != NULL && is_sorted && map->count > 1)
        qsort(pairs, map->count, sizeof *pairs, compare_pairs);
    return pairs;
}

static bool write_text(FILE *to, struct str text)
{
    fprintf(to, "%zu:", text.n);
    return text.n == 0 || fwrite(text.p, 1, text.n, to) == text.n;
}

/* The caps of the tree bound depth and size. */
static bool write_node(FILE *to, struct arena *arena, const struct node *node,
                       bool is_sorted)
{
    if (node->kind == NODE_SCALAR) {
        fputc('"', to);
        return write_text(to, node->text);
    }
    fprintf(to, "%c%zu", node->kind == NODE_MAP ? '{' : '[', node->count);
    if (node->kind == NODE_SEQUENCE) {
        bool written = true;
        for (size_t i = 0; i < node->count; i++)
            written = write_node(to, arena, node->values[i], true) && written;
        return written;
    }
    struct pair *pairs = make_pairs(arena, node, is_sorted);
    bool written = pairs != NULL;
    for (size_t i = 0; pairs != NULL && i < node->count; i++)
        written = write_text(to, pairs[i].key->text) &&
                  write_node(to, arena, pairs[i].value, true) && written;
    return written;
}

static bool hash_section(struct reader *reader, const struct pair *pair,
                         struct section_digest *out)
{
    char *octets = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&octets, &size);
    bool written = to != NULL && write_node(to, reader->scratch, pair->value,
                                            !has_order(pair->key->text));
    written = to != NULL && fclose(to) == 0 && written;
    if (written)
        sha256_hex(str_span(octets, size), out->hex);
    free(octets);
    out->name = arena_cstr(reader->arena, pair->key->text);
    return written && out->name != NULL;
}

static void hash_all(struct settings *settings, struct reader *reader)
{
    const size_t line = sizeof settings->sections->hex + 1;
    size_t total = 0;
    for (size_t i = 0; i < settings->section_count; i++)
        total += strlen(settings->sections[i].name) + line;
    char *all = arena_alloc(reader->scratch, total + 1);
    if (all == NULL) {
        reader_full(reader, (struct mark){settings->path, 0, 0});
        return;
    }
    size_t used = 0;
    for (size_t i = 0; i < settings->section_count; i++)
        used += (size_t)snprintf(all + used, total + 1 - used, "%s %s\n",
                                 settings->sections[i].name,
                                 settings->sections[i].hex);
    char hex[65];
    sha256_hex(str_span(all, used), hex);
    snprintf(settings->server_digest, sizeof settings->server_digest,
             "sha256:%s", hex);
}

void read_server_digest(struct reader *reader, const struct node *root)
{
    struct settings *settings = reader->settings;
    struct pair *pairs = make_pairs(reader->scratch, root, true);
    struct section_digest *items =
        arena_array(reader->arena, root->count, sizeof *items);
    size_t count = 0;
    bool written = pairs != NULL && items != NULL;
    for (size_t i = 0; written && i < root->count; i++)
        if (!is_policy(pairs[i].key->text))
            written = hash_section(reader, &pairs[i], &items[count++]);
    if (!written) {
        reader_full(reader, root->mark);
        return;
    }
    settings->sections = items;
    settings->section_count = count;
    hash_all(settings, reader);
}
