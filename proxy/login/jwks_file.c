#include "proxy/login/jwks_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Public keys may be read by all, but whoever can write them lets in whom he
 * likes. NULL, or what is wrong. */
static const char *check_status(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return "it is not a plain file";
    if ((status->st_mode & S_IWOTH) != 0)
        return "others may write it; chmod o-w it";
    if ((uintmax_t)status->st_size > JWK_SET_OCTETS_MAX)
        return "it is too large";
    return NULL;
}

static int read_octets(int fd, char *to, size_t *length)
{
    size_t done = 0;
    while (done < *length) {
        ssize_t got = read(fd, to + done, *length - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *length = done;
    return 0;
}

static struct jwk_set *read_set(int fd, size_t length, char *wrong, size_t room)
{
    struct jwk_set *set = NULL;
    char *octets = malloc(length + 1);
    if (octets == NULL)
        snprintf(wrong, room, "out of memory");
    else if (read_octets(fd, octets, &length) != 0)
        snprintf(wrong, room, "%s", strerrordesc_np(errno));
    else
        set = jwk_set_new(str_span(octets, length), wrong, room);
    free(octets);
    return set;
}

static struct jwk_set *read_changed(int fd, struct file_stamp *stamp,
                                    char *wrong, size_t room)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        snprintf(wrong, room, "%s", strerrordesc_np(errno));
        return NULL;
    }
    const struct file_stamp seen = file_stamp_of(&status);
    const char *why = check_status(&status);
    if (file_stamp_equals(&seen, stamp))
        return NULL;
    *stamp = seen;
    if (why == NULL)
        return read_set(fd, (size_t)status.st_size, wrong, room);
    snprintf(wrong, room, "%s", why);
    return NULL;
}

struct jwk_set *jwks_file_read(const char *path, struct file_stamp *stamp,
                               char *wrong, size_t room)
{
    static const struct file_stamp none;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    wrong[0] = '\0';
    if (fd >= 0) {
        struct jwk_set *set = read_changed(fd, stamp, wrong, room);
        close(fd);
        return set;
    }
    /* That it is gone is told once, too. */
    int error = errno;
    bool was_there = !file_stamp_equals(stamp, &none);
    *stamp = none;
    if (was_there)
        snprintf(wrong, room, "%s", strerrordesc_np(error));
    return NULL;
}
