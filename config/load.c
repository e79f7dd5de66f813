#include "config/load.h"

#include "config/sections.h"
#include "config/sources.h"
#include "rules/base/keyed_hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a configuration at its caps may need. */
#define KEPT_MAX (256 * 1024 * 1024)
#define SCRATCH_MAX (1024 * 1024 * 1024)

/* Of all files' octets, in the order in which they were read. */
static void digest(struct reader *reader)
{
    size_t total = 0;
    for (size_t i = 0; i < reader->file_count; i++)
        total += reader->files[i].n;
    char *all = arena_alloc(reader->scratch, total + 1);
    if (all == NULL) {
        reader_full(reader, (struct mark){reader->settings->path, 0, 0});
        return;
    }
    size_t done = 0;
    for (size_t i = 0; i < reader->file_count; i++) {
        if (reader->files[i].n > 0)
            memcpy(all + done, reader->files[i].p, reader->files[i].n);
        done += reader->files[i].n;
    }
    char hex[65];
    sha256_hex(str_span(all, total), hex);
    snprintf(reader->settings->policy_digest,
             sizeof reader->settings->policy_digest, "sha256:%s", hex);
}

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
    read_policy(reader, sources->roots, sources->count);
    read_tests(reader, sources->roots, sources->count);
    digest(reader);
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
    else if (reader_file(reader, (struct mark){0}, settings->path,
                         &from_file) != 0)
        return;
    sources_read(&sources, settings->path,
                 octets != NULL ? *octets : from_file);
    if (!sources.is_broken && sources.count > 0)
        read_sections(reader, &sources);
}

static const struct settings *load(const char *path, const struct str *octets,
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
                            .has_files = octets == NULL};
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
    return load(path, NULL, diags);
}

const struct settings *config_load_octets(const char *path, struct str octets,
                                          struct diags *diags)
{
    return load(path, &octets, diags);
}
