#include "config/load.h"

#include "config/sections.h"
#include "config/sources.h"

#include <stdlib.h>

/* What a configuration at its caps may need. */
#define KEPT_MAX (256 * 1024 * 1024)
#define SCRATCH_MAX (1024 * 1024 * 1024)

/* A file that gave no tree may hold any key: then nothing is said about what
 * is missing or does not fit. */
static void read_sections(struct reader *reader, struct sources *sources)
{
    struct node *root = sources_merge(sources);
    if (root == NULL) {
        reader_full(reader, sources->roots[0]->mark);
        return;
    }
    schema_read(reader, &root_schema, root, reader->settings);
    read_check(reader, root);
    reader->settings->rules =
        read_policy(reader, sources->roots, sources->count);
    read_tests(reader, sources->roots, sources->count);
    read_files_digest(reader, 0, reader->settings->policy_digest);
    read_server_digest(reader, root);
    read_shadow(reader);
    if (reader->diags->errors == 0)
        read_unused(reader);
}

/* `octets` NULL: they are in the file at `path`. */
static void read_configuration(struct reader *reader, const char *path,
                               const struct str *octets)
{
    struct settings *settings = reader->settings;
    struct sources sources = {.reader = reader};
    struct mark whole = {path, 0, 0};
    struct str from_file;
    settings->path = reader_keep(reader, whole, str_from(path)).p;
    if (settings->path == NULL)
        return;
    if (octets != NULL)
        reader_add_file(reader, whole, *octets);
    else if (reader_file(reader, FILE_CONFIGURATION, (struct mark){0},
                         settings->path, &from_file) != 0)
        return;
    sources_read(&sources, settings->path,
                 octets != NULL ? *octets : from_file);
    if (!sources.is_broken && sources.count > 0)
        read_sections(reader, &sources);
}

static const struct settings *load(struct files *files, const char *path,
                                   const struct str *octets,
                                   struct diags *diags)
{
    struct settings *settings = calloc(1, sizeof *settings);
    struct arena scratch;
    arena_init(&scratch, SCRATCH_MAX);
    if (settings == NULL) {
        diags_error(diags, (struct mark){path, 0, 0}, "out of memory");
        return NULL;
    }
    settings->references = 1;
    arena_init(&settings->arena, KEPT_MAX);
    struct reader reader = {.diags = diags,
                            .settings = settings,
                            .arena = &settings->arena,
                            .scratch = &scratch,
                            .source = files};
    size_t errors = diags->errors;
    read_configuration(&reader, path, octets);
    diags_sort(diags, path);
    arena_release(&scratch);
    if (diags->errors == errors)
        return settings;
    settings_unref(settings);
    return NULL;
}

const struct settings *config_load(const char *path, struct diags *diags)
{
    struct files *files = files_from_disk();
    const struct settings *settings = NULL;
    if (files != NULL)
        settings = config_load_from(files, path, diags);
    else
        diags_error(diags, (struct mark){path, 0, 0}, "out of memory");
    files_free(files);
    return settings;
}

const struct settings *config_load_from(struct files *files, const char *path,
                                        struct diags *diags)
{
    return load(files, path, NULL, diags);
}

const struct settings *config_load_octets(const char *path, struct str octets,
                                          struct diags *diags)
{
    return load(NULL, path, &octets, diags);
}
