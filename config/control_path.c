#include "config/control_path.h"

#include "config/sections.h"
#include "config/sources.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX (64 * 1024 * 1024)
#define SCRATCH_MAX (1024 * 1024 * 1024)

static const struct key *control_key(void)
{
    const struct key *key = root_schema.keys;
    while (strcmp(key->name, "control") != 0)
        key++;
    return key;
}

/* What is wrong with the key itself goes to `wrong`; a variable that only the
 * server's environment has was told before. */
static const char *find_path(struct reader *reader, struct sources *sources,
                             struct diags *wrong)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct node *node = node_get(sources->roots[i], "control");
        struct str text;
        if (node == NULL)
            continue;
        reader->diags = wrong;
        if (!node_text(reader, node, "control", &text))
            return NULL;
        return reader_path(reader, node->mark, text);
    }
    return control_key()->fallback;
}

static const char *read_path(struct reader *reader, const char *path,
                             struct diags *wrong)
{
    struct sources sources = {.reader = reader};
    struct mark whole = {path, 0, 0};
    struct str octets;
    reader->settings->path = reader_keep(reader, whole, str_from(path)).p;
    if (reader->settings->path == NULL ||
        reader_file(reader, FILE_CONFIGURATION, (struct mark){0},
                    reader->settings->path, &octets) != 0)
        return NULL;
    sources_read(&sources, reader->settings->path, octets);
    if (sources.is_broken || sources.count == 0)
        return NULL;
    return find_path(reader, &sources, wrong);
}

const char *config_control_path(const char *path, struct arena *arena,
                                struct diags *diags)
{
    struct settings *settings = calloc(1, sizeof *settings);
    struct files *files = files_from_disk();
    struct diags all, wrong;
    struct arena scratch;
    if (settings == NULL || files == NULL) {
        diags_error(diags, (struct mark){path, 0, 0}, "out of memory");
        files_free(files);
        free(settings);
        return NULL;
    }
    arena_init(&scratch, SCRATCH_MAX);
    arena_init(&settings->arena, KEPT_MAX);
    diags_init(&all);
    diags_init(&wrong);
    struct reader reader = {.diags = &all,
                            .settings = settings,
                            .arena = &settings->arena,
                            .scratch = &scratch,
                            .source = files};
    const char *found = read_path(&reader, path, &wrong);
    const struct diags *told = wrong.errors > 0 ? &wrong : &all;
    for (size_t i = 0; found == NULL && i < told->count; i++)
        if (told->items[i].level == DIAG_ERROR)
            diags_error(diags, told->items[i].mark, "%s", told->items[i].text);
    if (found != NULL)
        found = arena_cstr(arena, str_from(found));
    diags_release(&all);
    diags_release(&wrong);
    arena_release(&scratch);
    arena_release(&settings->arena);
    files_free(files);
    free(settings);
    return found;
}
