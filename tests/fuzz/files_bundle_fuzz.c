/* A bundle of files that another process made, or says so: what is taken lies
 * within it, and comes to the same when it is handed on. */
#include "config/files_bundle.h"
#include "config/files_internal.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_file(const struct file *file, const uint8_t *data,
                       size_t size)
{
    assert(file->kind < FILE_KINDS && strlen(file->path) < FILES_PATH_MAX);
    assert(file->octets.n <= file_cap(file->kind));
    assert(file->error == 0 || file_error(file) != NULL);
    const uint8_t *p = (const uint8_t *)file->octets.p;
    assert(p == NULL || (p >= data && p + file->octets.n <= data + size));
}

/* Written and read again. */
static void hand_on(const struct files *files)
{
    const char *wrong;
    size_t at = 0;
    int fd;
    assert(files_to_bundle(files, true, &fd) == 0);
    struct files *again = files_from_bundle(fd, &wrong);
    assert(again != NULL && again->count == files->count &&
           again->pattern_count == files->pattern_count);
    for (size_t i = 0; i < files->count; i++) {
        const struct file *one = &files->records[i]->file, *other;
        assert(files_read(again, one->kind, one->path, &other) == 0);
        assert(str_equals(one->octets, other->octets));
    }
    assert(files_next_change(files, again, &at) == NULL);
    files_free(again);
    close(fd);
    assert(files_to_bundle(files, false, &fd) == 0);
    again = files_from_bundle(fd, &wrong);
    assert(again != NULL);
    files_free(again);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct files *files = files_new(true);
    if (files_parse(files, str_span((const char *)data, size)) == NULL) {
        for (size_t i = 0; i < files->count; i++) {
            const struct file *file = &files->records[i]->file, *found;
            check_file(file, data, size);
            assert(files_read(files, file->kind, file->path, &found) == 0);
            assert(found == file);
        }
        hand_on(files);
    }
    files_free(files);
    return 0;
}
