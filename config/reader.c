#include "config/reader.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

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

int reader_file(struct reader *reader, enum file_kind kind, struct mark mark,
                const char *path, struct str *octets)
{
    const struct file *file;
    if (reader->source == NULL) {
        diags_error(reader->diags, mark, "%s: no file is opened here", path);
        return -1;
    }
    if (files_read(reader->source, kind, path, &file) != 0) {
        reader_full(reader, mark);
        return -1;
    }
    *octets = file->octets;
    if (octets->p != NULL && S_ISREG(file->mode))
        return reader_add_file(reader, mark, *octets);
    if (file->error != 0)
        diags_error(reader->diags, mark, "%s can't be read: %s", path,
                    file_error(file));
    else if (!S_ISREG(file->mode))
        diags_error(reader->diags, mark, "%s is no regular file", path);
    else
        diags_error(reader->diags, mark, "%s is larger than %zu MiB", path,
                    file_cap(kind) / 1024 / 1024);
    return -1;
}
