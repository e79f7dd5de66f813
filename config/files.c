#include "config/files.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "config/files_internal.h"
#include "rules/base/keyed_hash.h"

#define MIB ((size_t)1024 * 1024)

static const struct {
    size_t cap;
    const char *name;
    bool is_secret; /* or may hold one */
} kinds[FILE_KINDS] = {
    [FILE_CONFIGURATION] = {16 * MIB, "configuration", false},
    [FILE_LIST] = {256 * MIB, "list", false},
    [FILE_USERS] = {64 * MIB, "users file", true},
    [FILE_CERTIFICATE] = {4 * MIB, "certificate", true},
    [FILE_AUTHORITIES] = {4 * MIB, "CA file", true},
    [FILE_KEY] = {4 * MIB, "private key", true},
    [FILE_JWKS] = {MIB / 4, "JWK set", false},
    [FILE_SECRET] = {64 * MIB, "secret", true},
};

size_t file_cap(enum file_kind kind)
{
    return kinds[kind].cap;
}

const char *file_kind_name(enum file_kind kind)
{
    return kinds[kind].name;
}

const char *file_error(const struct file *file)
{
    if (file->error == FILE_NOT_HANDED)
        return "it is not among the files that were handed over";
    if (file->error == FILE_WITHHELD)
        return "it is a private key, and these were not handed over";
    const char *words = strerrordesc_np(file->error);
    return words == NULL ? "it can't be read" : words;
}

/* --- the records --- */

struct files *files_new(bool is_bundle)
{
    struct files *files = calloc(1, sizeof *files);
    if (files != NULL)
        files->is_bundle = is_bundle;
    return files;
}

struct files *files_from_disk(void)
{
    return files_new(false);
}

/* Room for one more pointer. */
static void *grow(void *items, size_t count, size_t *capacity)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity == 0 ? 16 : *capacity * 2;
    void *grown = reallocarray(items, more, sizeof(void *));
    if (grown != NULL)
        *capacity = more;
    return grown;
}

struct file_record *files_add(struct files *files, enum file_kind kind,
                              struct str path)
{
    if (files->count == FILES_COUNT_MAX)
        return NULL;
    struct file_record **grown =
        grow(files->records, files->count, &files->capacity);
    struct file_record *record = calloc(1, sizeof *record + path.n + 1);
    if (grown != NULL)
        files->records = grown;
    if (grown == NULL || record == NULL) {
        free(record);
        return NULL;
    }
    memcpy(record->path, path.p, path.n);
    record->file.kind = kind;
    record->file.path = record->path;
    files->records[files->count++] = record;
    return record;
}

void file_record_forget(struct file_record *record)
{
    if (record->owned != NULL && kinds[record->file.kind].is_secret)
        explicit_bzero(record->owned, record->file.octets.n);
    free(record->owned);
    record->is_forgotten |= record->file.octets.p != NULL;
    record->owned = NULL;
    record->file.octets = (struct str){NULL, 0};
}

void files_drop_last(struct files *files)
{
    struct file_record *record = files->records[--files->count];
    file_record_forget(record);
    free(record);
}

struct file_record *files_find(const struct files *files, enum file_kind kind,
                               const char *path)
{
    for (size_t i = 0; i < files->count; i++)
        if (files->records[i]->file.kind == kind &&
            strcmp(files->records[i]->path, path) == 0)
            return files->records[i];
    return NULL;
}

static void pattern_free(struct pattern_record *record)
{
    for (size_t i = 0; record->paths != NULL && i < record->matches.count; i++)
        free(record->paths[i]);
    free(record->paths);
    free(record);
}

struct pattern_record *files_add_pattern(struct files *files,
                                         struct str pattern)
{
    if (files->pattern_count == FILES_COUNT_MAX)
        return NULL;
    struct pattern_record **grown =
        grow(files->patterns, files->pattern_count, &files->pattern_capacity);
    struct pattern_record *record = calloc(1, sizeof *record + pattern.n + 1);
    if (grown != NULL)
        files->patterns = grown;
    if (grown == NULL || record == NULL) {
        free(record);
        return NULL;
    }
    memcpy(record->pattern, pattern.p, pattern.n);
    files->patterns[files->pattern_count++] = record;
    return record;
}

int pattern_keep(struct pattern_record *record, size_t count,
                 const struct str *paths)
{
    record->paths = calloc(count + 1, sizeof *record->paths);
    if (record->paths == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        record->paths[i] = strndup(paths[i].p, paths[i].n);
        if (record->paths[i] == NULL)
            return -1;
        record->matches.count++;
    }
    record->matches.paths = (const char *const *)record->paths;
    return 0;
}

void files_free(struct files *files)
{
    if (files == NULL)
        return;
    while (files->count > 0)
        files_drop_last(files);
    for (size_t i = 0; i < files->pattern_count; i++)
        pattern_free(files->patterns[i]);
    free(files->records);
    free(files->patterns);
    if (files->map != NULL)
        munmap(files->map, files->map_size);
    free(files);
}

/* Of YAML in a bundle, a copy is kept in its place; without memory, nothing:
 * then it can be looked at no more, which costs no more than a reload. */
static void own_octets(struct file_record *record)
{
    struct str octets = record->file.octets;
    if (octets.p == NULL || record->owned != NULL)
        return;
    record->owned = malloc(octets.n + 1);
    if (record->owned != NULL && octets.n > 0)
        memcpy(record->owned, octets.p, octets.n);
    if (record->owned != NULL)
        record->file.octets.p = record->owned;
    else
        file_record_forget(record);
}

void files_forget(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->records[i]->file.kind != FILE_CONFIGURATION)
            file_record_forget(files->records[i]);
        else
            own_octets(files->records[i]);
    }
    if (files->map != NULL)
        munmap(files->map, files->map_size);
    files->map = NULL;
}

/* --- reading --- */

int files_read(struct files *files, enum file_kind kind, const char *path,
               const struct file **out)
{
    struct file_record *record = files_find(files, kind, path);
    if (record == NULL) {
        record = files_add(files, kind, str_from(path));
        if (record == NULL)
            return -1;
        if (files->is_bundle) {
            record->file.error = FILE_NOT_HANDED;
        } else if (file_record_read(files, record) != 0) {
            files_drop_last(files);
            return -1;
        }
    }
    if (record->file.octets.p != NULL && record->file.digest[0] == '\0')
        sha256_hex(record->file.octets, record->file.digest);
    *out = &record->file;
    return 0;
}

static struct pattern_record *find_pattern(const struct files *files,
                                           const char *pattern)
{
    for (size_t i = 0; i < files->pattern_count; i++)
        if (strcmp(files->patterns[i]->pattern, pattern) == 0)
            return files->patterns[i];
    return NULL;
}

int files_match(struct files *files, const char *pattern,
                struct file_matches *out)
{
    struct pattern_record *record = find_pattern(files, pattern);
    if (record == NULL) {
        record = files_add_pattern(files, str_from(pattern));
        if (record == NULL)
            return -1;
        if (files->is_bundle)
            record->matches.has_failed = true;
        else if (pattern_record_look(record) != 0) {
            pattern_free(files->patterns[--files->pattern_count]);
            return -1;
        }
    }
    *out = record->matches;
    return 0;
}
