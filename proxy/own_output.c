#include "proxy/own_output.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 32

/* Files never wait, and where two share one its end must be the same for
 * both; a socket can't be opened. */
static bool may_wait(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || isatty(fd)) &&
           (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

/* Another user's pipe can't be opened: it stays as it is. */
static void open_anew(int fd)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own =
        open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    (void)dup2(own, fd);
    close(own);
}

static void fill(int fd)
{
    int nowhere = fcntl(fd, F_GETFD) >= 0 ? fd : open("/dev/null", O_RDWR);
    if (nowhere >= 0 && nowhere != fd) {
        (void)dup2(nowhere, fd);
        close(nowhere);
    }
}

void own_output_take(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        fill(fd);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (may_wait(fd))
            open_anew(fd);
}
