#include "config/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL, or what is wrong with the file. */
static const char *check_status(int fd, size_t max, size_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return strerrordesc_np(errno);
    if (!S_ISREG(status.st_mode))
        return "it is not a plain file";
    if ((status.st_mode & S_IRWXO) != 0)
        return "others may read or write it; chmod o= it";
    if ((uintmax_t)status.st_size > max)
        return "it is too large";
    *size = (size_t)status.st_size;
    return NULL;
}

static const char *read_octets(int fd, char *octets, size_t *size)
{
    size_t done = 0;
    while (done < *size) {
        ssize_t got = read(fd, octets + done, *size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerrordesc_np(errno);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *size = done;
    return NULL;
}

char *secret_file_read(const char *path, size_t max, size_t *length,
                       const char **wrong)
{
    char *octets = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *length = 0;
    *wrong = fd < 0 ? strerrordesc_np(errno) : check_status(fd, max, length);
    if (*wrong == NULL) {
        octets = calloc(1, *length + 1);
        *wrong = octets == NULL ? strerrordesc_np(ENOMEM)
                                : read_octets(fd, octets, length);
    }
    if (*wrong != NULL) {
        secret_file_free(octets, *length);
        octets = NULL;
        *length = 0;
    }
    if (fd >= 0)
        close(fd);
    return octets;
}

void secret_file_free(char *octets, size_t length)
{
    if (octets != NULL)
        explicit_bzero(octets, length);
    free(octets);
}
