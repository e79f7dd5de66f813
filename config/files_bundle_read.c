/* Whoever wrote a bundle is not believed: every length is held against what
 * is there, every number against its bounds. */
#include "config/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/files_bundle.h"
#include "config/files_internal.h"

/* Heads, paths and patterns beside the octets. */
#define BUNDLE_MAX (FILES_OCTETS_MAX + (uint64_t)256 * 1024 * 1024)
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static const char broken[] = "it is no bundle of files, or of another version";
static const char no_memory[] = "out of memory";

/* False: the bundle ends before. */
static bool take(struct str *rest, void *to, size_t size)
{
    if (rest->n < size)
        return false;
    memcpy(to, rest->p, size);
    *rest = str_skip(*rest, size);
    return true;
}

/* A path or a pattern. */
static bool take_text(struct str *rest, size_t length, struct str *out)
{
    if (length == 0 || length >= FILES_PATH_MAX || rest->n < length)
        return false;
    *out = str_head(*rest, length);
    *rest = str_skip(*rest, length);
    return memchr(out->p, '\0', out->n) == NULL;
}

static bool is_sound(const struct bundle_file *head)
{
    return head->kind < FILE_KINDS && head->error >= FILE_WITHHELD &&
           head->has_octets <= 1 && head->reserved == 0 &&
           head->octets <= file_cap(head->kind) &&
           (head->has_octets == 0 ? head->octets == 0 : head->error == 0);
}

static const char *parse_file(struct files *files, struct str *rest)
{
    struct bundle_file head;
    struct str path;
    if (!take(rest, &head, sizeof head) || !is_sound(&head) ||
        !take_text(rest, head.path, &path) || rest->n < head.octets)
        return broken;
    struct file_record *record = files_add(files, head.kind, path);
    if (record == NULL)
        return no_memory;
    if (files_find(files, head.kind, record->path) != record)
        return broken; /* the same twice */
    record->file.error = head.error;
    record->file.mode = head.mode;
    record->file.size = head.size;
    if (head.has_octets == 1)
        record->file.octets = str_head(*rest, head.octets);
    *rest = str_skip(*rest, head.octets);
    return NULL;
}

static const char *parse_matches(struct pattern_record *record, uint32_t count,
                                 struct str *rest)
{
    struct str paths[FILES_MATCHES_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length;
        if (!take(rest, &length, sizeof length) ||
            !take_text(rest, length, &paths[i]) ||
            (i > 0 && str_compare(paths[i - 1], paths[i]) > 0))
            return broken;
    }
    return pattern_keep(record, count, paths) == 0 ? NULL : no_memory;
}

static const char *parse_pattern(struct files *files, struct str *rest)
{
    struct bundle_pattern head;
    struct str text;
    if (!take(rest, &head, sizeof head) || head.has_failed > 1 ||
        head.has_paths > 1 ||
        (head.has_paths == 1 && head.count > FILES_MATCHES_MAX) ||
        !take_text(rest, head.text, &text))
        return broken;
    struct pattern_record *record = files_add_pattern(files, text);
    if (record == NULL)
        return no_memory;
    record->matches.has_failed = head.has_failed == 1;
    if (head.has_paths == 1)
        return parse_matches(record, head.count, rest);
    record->matches.count = head.count;
    /* Without paths it failed, or there were too many. */
    return head.has_failed == 1 || head.count > FILES_MATCHES_MAX ? NULL
                                                                  : broken;
}

const char *files_parse(struct files *files, struct str octets)
{
    struct bundle_head head;
    const char *wrong = NULL;
    if (!take(&octets, &head, sizeof head) || head.magic != BUNDLE_MAGIC ||
        head.version != BUNDLE_VERSION || head.reserved != 0 ||
        head.files > FILES_COUNT_MAX || head.patterns > FILES_COUNT_MAX)
        return broken;
    for (uint32_t i = 0; wrong == NULL && i < head.files; i++)
        wrong = parse_file(files, &octets);
    for (uint32_t i = 0; wrong == NULL && i < head.patterns; i++)
        wrong = parse_pattern(files, &octets);
    return wrong == NULL && octets.n > 0 ? broken : wrong;
}

/* NULL, or what is wrong. */
static const char *map(struct files *files, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    int seals = fcntl(fd, F_GET_SEALS);
    if (size <= 0 || (uint64_t)size > BUNDLE_MAX)
        return broken;
    /* Else it could change under who reads it. */
    if (seals < 0 || (seals & SEALS) != SEALS)
        return "it is not sealed";
    void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return strerrordesc_np(errno);
    (void)madvise(at, (size_t)size, MADV_DONTDUMP);
    files->map = at;
    files->map_size = (size_t)size;
    return NULL;
}

struct files *files_from_bundle(int fd, const char **wrong)
{
    struct files *files = files_new(true);
    *wrong = no_memory;
    if (files == NULL)
        return NULL;
    *wrong = map(files, fd);
    if (*wrong == NULL)
        *wrong = files_parse(files, str_span(files->map, files->map_size));
    if (*wrong == NULL)
        return files;
    files_free(files);
    return NULL;
}
