#include "config/sources.h"

#include "config/environment.h"
#include "config/yaml_tree.h"
#include "rules/problem.h"

#include <string.h>

static bool add_root(struct sources *sources, const char *path,
                     struct node *root)
{
    struct arena *scratch = sources->reader->scratch;
    struct node **roots = arena_grow(scratch, sources->roots, sources->count,
                                     &sources->root_capacity, sizeof *roots);
    const char **paths = arena_grow(scratch, sources->paths, sources->count,
                                    &sources->path_capacity, sizeof *paths);
    if (roots == NULL || paths == NULL) {
        reader_full(sources->reader, root->mark);
        return false;
    }
    sources->roots = roots;
    sources->paths = paths;
    sources->paths[sources->count] = path;
    sources->roots[sources->count++] = root;
    return true;
}

static void parse(struct sources *sources, const char *path, struct str octets)
{
    struct reader *reader = sources->reader;
    size_t errors = reader->diags->errors;
    struct node *root =
        yaml_tree_parse(reader->scratch, path, octets, reader->diags);
    if (root != NULL && node_is_null(root) && errors == reader->diags->errors)
        diags_error(reader->diags, (struct mark){path, 0, 0},
                    "the file is empty");
    else if (root != NULL && root->kind != NODE_MAP)
        diags_error(reader->diags, root->mark,
                    "a configuration is a map of sections, such as hostname: "
                    "mail.example.com");
    if (root == NULL || root->kind != NODE_MAP) {
        sources->is_broken = true;
        return;
    }
    environment_expand(reader, root);
    add_root(sources, path, root);
}

static bool is_read(const struct sources *sources, const char *path)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->paths[i], path) == 0)
            return true;
    return false;
}

/* `found` is glob's; the copy is kept, as marks point to it. */
static void include_file(struct sources *sources, const struct node *node,
                         const char *found)
{
    struct reader *reader = sources->reader;
    const char *path = reader_keep(reader, node->mark, str_from(found)).p;
    struct str octets;
    if (path == NULL)
        return;
    if (is_read(sources, path))
        diags_error(reader->diags, node->mark,
                    "%s is read already: a pattern must not match it again",
                    path);
    else if (reader_file(reader, FILE_CONFIGURATION, node->mark, path,
                         &octets) == 0)
        parse(sources, path, octets);
}

/* A pattern may match nothing, a plain name may not. */
static void include_pattern(struct sources *sources, const struct node *node)
{
    struct reader *reader = sources->reader;
    struct str text;
    if (!node_text(reader, node, "include", &text))
        return;
    const char *path = reader_path(reader, node->mark, text);
    if (path == NULL)
        return;
    if (reader->source == NULL || strpbrk(path, "*?[") == NULL) {
        include_file(sources, node, path);
        return;
    }
    struct file_matches found;
    if (files_match(reader->source, path, &found) != 0)
        reader_full(reader, node->mark);
    else if (found.has_failed)
        diags_error(reader->diags, node->mark, "%s can't be looked up", path);
    else if (found.paths == NULL || found.count > READER_FILES_MAX)
        diags_error(reader->diags, node->mark, "%s matches more than %d files",
                    path, READER_FILES_MAX);
    else
        for (size_t i = 0; i < found.count; i++)
            include_file(sources, node, found.paths[i]);
}

void sources_read(struct sources *sources, const char *path, struct str octets)
{
    struct reader *reader = sources->reader;
    parse(sources, path, octets);
    if (sources->count == 0)
        return;
    const struct node *include = node_get(sources->roots[0], "include");
    for (size_t i = 0; include != NULL && i < node_list_count(include); i++)
        include_pattern(sources, node_list_item(include, i));
    for (size_t i = 1; i < sources->count; i++) {
        const struct node *nested = node_get(sources->roots[i], "include");
        if (nested != NULL)
            diags_error(reader->diags, nested->mark,
                        "an included file can't include others: name them in "
                        "%s",
                        path);
    }
}

static bool adds_up(struct str key)
{
    return str_equals(key, STR("policy")) || str_equals(key, STR("lists")) ||
           str_equals(key, STR("tests")) || str_equals(key, STR("include"));
}

static const struct node *find_key(const struct node *map, struct str name)
{
    for (size_t i = 0; i < map->count; i++)
        if (str_equals(map->keys[i]->text, name))
            return map->keys[i];
    return NULL;
}

/* A key given twice in one file was told when the file was parsed. */
static void merge_one(struct sources *sources, struct node *merged,
                      const struct node *root)
{
    for (size_t i = 0; i < root->count; i++) {
        struct node *key = root->keys[i];
        const struct node *first = find_key(merged, key->text);
        if (first != NULL) {
            if (!adds_up(key->text) && first->mark.file != key->mark.file)
                diags_error(sources->reader->diags, key->mark,
                            "%.*s is given in %s on line %zu already: keep one",
                            PROBLEM_STR(key->text), first->mark.file,
                            first->mark.line);
            continue;
        }
        merged->keys[merged->count] = key;
        merged->values[merged->count++] = root->values[i];
    }
}

struct node *sources_merge(struct sources *sources)
{
    struct arena *scratch = sources->reader->scratch;
    size_t keys = 0;
    for (size_t i = 0; i < sources->count; i++)
        keys += sources->roots[i]->count;
    struct node *merged = arena_alloc(scratch, sizeof *merged);
    if (merged == NULL)
        return NULL;
    *merged =
        (struct node){.kind = NODE_MAP,
                      .mark = sources->roots[0]->mark,
                      .keys = arena_array(scratch, keys, sizeof(void *)),
                      .values = arena_array(scratch, keys, sizeof(void *))};
    if (merged->keys == NULL || merged->values == NULL)
        return NULL;
    for (size_t i = 0; i < sources->count; i++)
        merge_one(sources, merged, sources->roots[i]);
    return merged;
}
