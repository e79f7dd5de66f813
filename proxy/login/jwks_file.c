#include "proxy/login/jwks_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Public keys may be read by all, but whoever can write them lets in whom he
 * likes. NULL, or what is wrong. */
static const char *check(const struct file *file)
{
    if (file->error != 0)
        return file_error(file);
    if (!S_ISREG(file->mode))
        return "it is not a plain file";
    if ((file->mode & S_IWOTH) != 0)
        return "others may write it; chmod o-w it";
    return file->octets.p == NULL || file->size > JWK_SET_OCTETS_MAX
               ? "it is too large"
               : NULL;
}

struct jwk_set *jwks_file_read(struct files *files, const char *path,
                               char digest[65], char *wrong, size_t room)
{
    const struct file *file;
    const char *why = files_read(files, FILE_JWKS, path, &file) == 0
                          ? check(file)
                          : "out of memory";
    wrong[0] = '\0';
    if (why != NULL) {
        snprintf(wrong, room, "%s", why);
        return NULL;
    }
    memcpy(digest, file->digest, sizeof file->digest);
    return jwk_set_new(file->octets, wrong, room);
}
