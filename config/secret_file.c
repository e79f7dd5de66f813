#include "config/secret_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* NULL, or what is wrong with the file. */
static const char *check(const struct file *file, size_t max)
{
    if (file->error != 0)
        return file_error(file);
    if (!S_ISREG(file->mode))
        return "it is not a plain file";
    if ((file->mode & S_IRWXO) != 0)
        return "others may read or write it; chmod o= it";
    if (file->size > max || file->octets.p == NULL)
        return "it is too large";
    return NULL;
}

struct str secret_file_read(struct files *files, enum file_kind kind,
                            const char *path, size_t max, const char **wrong)
{
    const struct file *file;
    *wrong = files_read(files, kind, path, &file) == 0
                 ? check(file, max)
                 : strerrordesc_np(ENOMEM);
    return *wrong == NULL ? file->octets : (struct str){NULL, 0};
}

void secret_free(char *octets, size_t length)
{
    if (octets != NULL)
        explicit_bzero(octets, length);
    free(octets);
}
