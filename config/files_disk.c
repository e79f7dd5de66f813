/* How files come from the disk, and what they were when they did. */
#include "config/files_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

/* A pipe has no size beforehand, so the end is where read() says it is. A
 * plain file that grows meanwhile is cut where it ended. 0, or errno. */
static int read_all(int fd, char *to, size_t room, size_t *done)
{
    *done = 0;
    while (*done < room) {
        ssize_t got = read(fd, to + *done, room - *done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        *done += (size_t)got;
    }
    return 0;
}

/* Certificates may come through a pipe, as from a shell's <(...). */
static bool takes_pipes(enum file_kind kind)
{
    return kind == FILE_CERTIFICATE || kind == FILE_AUTHORITIES ||
           kind == FILE_KEY;
}

/* How much of it is to be read; 0: nothing, it is told by mode and size. */
static size_t room_of(const struct file *file)
{
    size_t cap = file_cap(file->kind);
    if (S_ISREG(file->mode))
        return file->size <= cap ? (size_t)file->size + 1 : 0;
    return takes_pipes(file->kind) && !S_ISDIR(file->mode) ? cap + 2 : 0;
}

/* 0, or -1 when out of memory. */
static int read_open(struct files *files, struct file_record *record, int fd)
{
    struct file *file = &record->file;
    struct stat status;
    size_t done;
    if (fstat(fd, &status) != 0) {
        file->error = errno;
        return 0;
    }
    record->told = file_stamp_of(&status);
    file->mode = status.st_mode;
    file->size = (uint64_t)status.st_size;
    size_t room = room_of(file);
    if (room == 0)
        return 0;
    if (room > FILES_OCTETS_MAX - files->octets)
        return -1;
    record->owned = malloc(room);
    if (record->owned == NULL)
        return -1;
    file->error = read_all(fd, record->owned, room - 1, &done);
    file->octets = str_span(record->owned, done);
    if (!S_ISREG(file->mode))
        file->size = done;
    if (file->error != 0 || done > file_cap(file->kind))
        file_record_forget(record);
    record->is_forgotten = false;
    files->octets += file->octets.n;
    return 0;
}

int file_record_read(struct files *files, struct file_record *record)
{
    /* A pipe would block the opening. */
    int fd = open(record->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result = 0;
    if (fd >= 0) {
        result = read_open(files, record, fd);
        close(fd);
    } else {
        record->file.error = errno;
        record->told = file_stamp_at(record->path);
    }
    record->pending = record->told;
    return result;
}

static int compare_paths(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted by octets, not as a locale would. */
static int keep_matches(struct pattern_record *record, const glob_t *found)
{
    size_t count = found->gl_pathc;
    if (count > FILES_MATCHES_MAX) {
        record->matches.count = count;
        return 0;
    }
    struct str *paths = calloc(count + 1, sizeof *paths);
    if (paths == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        paths[i] = str_from(found->gl_pathv[i]);
    qsort(paths, count, sizeof *paths, compare_paths);
    int result = pattern_keep(record, count, paths);
    free(paths);
    return result;
}

int pattern_record_look(struct pattern_record *record)
{
    glob_t found = {0};
    int status = glob(record->pattern, GLOB_NOSORT, NULL, &found);
    int result = 0;
    if (status == 0 || status == GLOB_NOMATCH)
        result = keep_matches(record, &found);
    else
        record->matches.has_failed = true;
    globfree(&found);
    return result;
}

/* --- renewal --- */

static bool is_kept(const struct file *file)
{
    return file->kind == FILE_CONFIGURATION ||
           (file->mode != 0 && !S_ISREG(file->mode));
}

static int copy_record(struct files *to, const struct file_record *from)
{
    struct file_record *record =
        files_add(to, from->file.kind, str_from(from->path));
    if (record == NULL)
        return -1;
    const char *path = record->file.path;
    record->file = from->file;
    record->file.path = path;
    record->file.octets = (struct str){NULL, 0};
    record->told = record->pending = from->told;
    if (from->file.octets.p == NULL)
        return 0;
    record->owned = malloc(from->file.octets.n + 1);
    if (record->owned == NULL)
        return -1;
    memcpy(record->owned, from->file.octets.p, from->file.octets.n);
    record->file.octets = str_span(record->owned, from->file.octets.n);
    to->octets += from->file.octets.n;
    return 0;
}

static int copy_pattern(struct files *to, const struct pattern_record *from)
{
    struct pattern_record *record =
        files_add_pattern(to, str_from(from->pattern));
    struct str *paths = calloc(from->matches.count + 1, sizeof *paths);
    int result = record == NULL || paths == NULL ? -1 : 0;
    if (result == 0 && from->paths == NULL) {
        record->matches = from->matches;
    } else if (result == 0) {
        for (size_t i = 0; i < from->matches.count; i++)
            paths[i] = str_from(from->paths[i]);
        result = pattern_keep(record, from->matches.count, paths);
    }
    free(paths);
    return result;
}

struct files *files_renewed_from(const struct files *old)
{
    struct files *files = files_from_disk();
    int result = files == NULL ? -1 : 0;
    for (size_t i = 0; result == 0 && i < old->count; i++)
        if (is_kept(&old->records[i]->file))
            result = copy_record(files, old->records[i]);
    for (size_t i = 0; result == 0 && i < old->pattern_count; i++)
        result = copy_pattern(files, old->patterns[i]);
    if (result == 0)
        return files;
    files_free(files);
    return NULL;
}
