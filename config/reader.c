#include "config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void reader_full(struct reader *reader, struct mark mark)
{
    if (!reader->is_full)
        diags_error(reader->diags, mark,
                    "the configuration is too large for its memory");
    reader->is_full = true;
}

struct str reader_keep(struct reader *reader, struct mark mark, struct str s)
{
    struct str kept = arena_str(reader->arena, s);
    if (kept.p == NULL)
        reader_full(reader, mark);
    return kept;
}

const char *reader_path(struct reader *reader, struct mark mark,
                        struct str path)
{
    struct str file = mark.file == NULL ? STR("") : str_from(mark.file);
    ptrdiff_t slash = str_last_index(file, '/');
    struct str kept;
    if (slash < 0 || str_starts_with(path, STR("/")))
        kept = arena_str(reader->arena, path);
    else
        kept = arena_printf(reader->arena, "%.*s%.*s", (int)slash + 1, file.p,
                            (int)path.n, path.p);
    if (kept.p == NULL)
        reader_full(reader, mark);
    return kept.p;
}

const char *reader_socket_path(struct reader *reader, struct mark mark,
                               struct str path)
{
    const size_t room = sizeof((struct sockaddr_un *)NULL)->sun_path;
    const char *kept = reader_path(reader, mark, path);
    if (kept == NULL || str_from(kept).n < room)
        return kept;
    diags_error(reader->diags, mark,
                "%s is too long for a socket's path: %zu octets at most", kept,
                room - 1);
    return NULL;
}

int reader_add_file(struct reader *reader, struct mark mark, struct str octets)
{
    if (reader->file_count == READER_FILES_MAX) {
        diags_error(reader->diags, mark, "more than %d files in all",
                    READER_FILES_MAX);
        return -1;
    }
    struct str *grown =
        arena_grow(reader->scratch, reader->files, reader->file_count,
                   &reader->file_capacity, sizeof *grown);
    if (grown == NULL) {
        reader_full(reader, mark);
        return -1;
    }
    reader->files = grown;
    reader->files[reader->file_count++] = octets;
    return 0;
}

/* Up to the end, or to the size that the file had: one that grows meanwhile
 * is cut there. -1 with errno. */
static int read_all(int fd, char *into, size_t size, size_t *done)
{
    *done = 0;
    while (*done < size) {
        ssize_t got = read(fd, into + *done, size - *done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        *done += (size_t)got;
    }
    return 0;
}

static int read_open(struct reader *reader, struct mark mark, const char *path,
                     int fd, off_t most, struct str *octets)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        diags_error(reader->diags, mark, "%s is no regular file", path);
        return -1;
    }
    if (status.st_size > most) {
        diags_error(reader->diags, mark, "%s is larger than %d MiB", path,
                    (int)(most / 1024 / 1024));
        return -1;
    }
    size_t size = (size_t)status.st_size;
    char *into = arena_alloc(reader->scratch, size + 1);
    if (into == NULL) {
        reader_full(reader, mark);
        return -1;
    }
    if (read_all(fd, into, size, &octets->n) != 0) {
        diags_error(reader->diags, mark, "%s can't be read: %s", path,
                    strerror(errno));
        return -1;
    }
    octets->p = into;
    return reader_add_file(reader, mark, *octets);
}

static int read_file(struct reader *reader, struct mark mark, const char *path,
                     off_t most, struct str *octets)
{
    if (!reader->has_files) {
        diags_error(reader->diags, mark, "%s: no file is opened here", path);
        return -1;
    }
    /* A pipe would block the opening; it is refused once open. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        diags_error(reader->diags, mark, "%s can't be read: %s", path,
                    strerror(errno));
        return -1;
    }
    int result = read_open(reader, mark, path, fd, most, octets);
    close(fd);
    return result;
}

int reader_file(struct reader *reader, struct mark mark, const char *path,
                struct str *octets)
{
    return read_file(reader, mark, path, READER_FILE_OCTETS, octets);
}

int reader_list_file(struct reader *reader, struct mark mark, const char *path,
                     struct str *octets)
{
    return read_file(reader, mark, path, READER_LIST_OCTETS, octets);
}
