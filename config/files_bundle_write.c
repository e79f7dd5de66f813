/* Octets go from where they were read straight into the memfd: no copy of a
 * secret is left anywhere. */
#include "config/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/files_bundle.h"
#include "config/files_internal.h"

static int write_all(int fd, const void *octets, size_t size)
{
    const char *at = octets;
    while (size > 0) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -1;
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

static int write_text(int fd, struct str text)
{
    return text.n == 0 ? 0 : write_all(fd, text.p, text.n);
}

/* --- certificates without keys --- */

static ptrdiff_t find(struct str text, struct str what)
{
    const char *at =
        what.n > text.n ? NULL : memmem(text.p, text.n, what.p, what.n);
    return at == NULL ? -1 : at - text.p;
}

/* The next piece that holds no private key; n 0: there is none. A key without
 * an end goes on to the end. */
static struct str next_public(struct str *rest)
{
    const struct str begin = STR("-----BEGIN ");
    struct str piece = *rest;
    size_t at = 0;
    for (;;) {
        ptrdiff_t found = find(str_skip(piece, at), begin);
        if (found < 0) {
            *rest = STR("");
            return piece;
        }
        at += (size_t)found;
        struct str block = str_skip(piece, at), label, body;
        str_cut_line(block, &label, &body);
        if (find(label, STR("PRIVATE KEY")) >= 0) {
            ptrdiff_t end = find(body, STR("-----END "));
            *rest = end < 0 ? STR("") : str_skip(body, (size_t)end);
            return str_head(piece, at);
        }
        at += begin.n;
    }
}

/* Calls write_text for each piece, or counts alone where fd is negative. */
static int put_public(int fd, struct str octets, size_t *count)
{
    *count = 0;
    while (octets.n > 0) {
        struct str piece = next_public(&octets);
        *count += piece.n;
        if (fd >= 0 && write_text(fd, piece) != 0)
            return -1;
    }
    return 0;
}

static bool may_hold_key(enum file_kind kind)
{
    return kind == FILE_CERTIFICATE || kind == FILE_AUTHORITIES;
}

/* --- the bundle --- */

static int write_file(int fd, const struct file_record *record, bool with_keys)
{
    const struct file *file = &record->file;
    bool is_withheld = file->kind == FILE_KEY && !with_keys;
    bool is_filtered = may_hold_key(file->kind) && !with_keys;
    struct str path = str_from(file->path);
    struct str octets = file->octets;
    size_t size = octets.n;
    if (is_withheld)
        octets = (struct str){NULL, 0};
    if (is_withheld || is_filtered)
        put_public(-1, octets, &size);
    const struct bundle_file head = {
        .kind = file->kind,
        .error = is_withheld && file->error == 0 ? FILE_WITHHELD : file->error,
        .mode = file->mode,
        .path = (uint32_t)path.n,
        .size = file->size,
        .octets = size,
        .has_octets = octets.p != NULL,
    };
    if (write_all(fd, &head, sizeof head) != 0 || write_text(fd, path) != 0)
        return -1;
    return is_filtered ? put_public(fd, octets, &size) : write_text(fd, octets);
}

static int write_pattern(int fd, const struct pattern_record *record)
{
    const struct file_matches *matches = &record->matches;
    struct str text = str_from(record->pattern);
    const struct bundle_pattern head = {
        .text = (uint32_t)text.n,
        .has_failed = matches->has_failed,
        .count =
            matches->count > UINT32_MAX ? UINT32_MAX : (uint32_t)matches->count,
        .has_paths = matches->paths != NULL,
    };
    int result = write_all(fd, &head, sizeof head);
    if (result == 0)
        result = write_text(fd, text);
    for (size_t i = 0; matches->paths != NULL && i < matches->count; i++) {
        struct str path = str_from(matches->paths[i]);
        uint32_t length = (uint32_t)path.n;
        if (result == 0)
            result = write_all(fd, &length, sizeof length);
        if (result == 0)
            result = write_text(fd, path);
    }
    return result;
}

static int write_bundle(int fd, const struct files *files, bool with_keys)
{
    const struct bundle_head head = {
        .magic = BUNDLE_MAGIC,
        .version = BUNDLE_VERSION,
        .files = (uint32_t)files->count,
        .patterns = (uint32_t)files->pattern_count,
    };
    int result = write_all(fd, &head, sizeof head);
    for (size_t i = 0; result == 0 && i < files->count; i++)
        result = write_file(fd, files->records[i], with_keys);
    for (size_t i = 0; result == 0 && i < files->pattern_count; i++)
        result = write_pattern(fd, files->patterns[i]);
    return result;
}

int files_to_bundle(const struct files *files, bool with_keys, int *fd)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->records[i]->is_forgotten) {
            errno = ENODATA;
            return -1;
        }
    }
    *fd = memfd_create("postern-files", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return -1;
    if (write_bundle(*fd, files, with_keys) == 0 &&
        fcntl(*fd, F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return 0;
    int error = errno;
    close(*fd);
    *fd = -1;
    errno = error;
    return -1;
}
