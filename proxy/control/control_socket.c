#include "proxy/control/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

static int address_of(const char *path, struct sockaddr_un *address,
                      char *error, size_t room)
{
    size_t length = strlen(path);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length >= sizeof address->sun_path) {
        snprintf(error, room,
                 "the path has %zu octets, and a socket's may have %zu", length,
                 sizeof address->sun_path - 1);
        return -1;
    }
    memcpy(address->sun_path, path, length);
    return 0;
}

static int fail(int fd, const char *what, char *error, size_t room)
{
    snprintf(error, room, "%s: %s", what, strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
    return CONTROL_SOCKET_FAILED;
}

int control_socket_connect(const char *path, char *error, size_t room)
{
    struct sockaddr_un address;
    if (address_of(path, &address, error, room) != 0)
        return CONTROL_SOCKET_FAILED;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(fd, path, error, room);
    return fd;
}

/* Whether the path may be bound once more: what was there is a socket that
 * nobody answers on, and is gone now. */
static enum control_socket_error make_way(const char *path, char *error,
                                          size_t room)
{
    struct stat status;
    if (lstat(path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
        snprintf(error, room, "%s is there already and is no socket", path);
        return CONTROL_SOCKET_FAILED;
    }
    int fd = control_socket_connect(path, error, room);
    if (fd >= 0) {
        close(fd);
        snprintf(error, room, "a server is already running: it answers on %s",
                 path);
        return CONTROL_SOCKET_TAKEN;
    }
    if (errno != ECONNREFUSED)
        return CONTROL_SOCKET_FAILED;
    if (unlink(path) != 0)
        return fail(-1, path, error, room);
    return 0;
}

int control_socket_listen(const char *path, char *error, size_t room)
{
    struct sockaddr_un address;
    if (address_of(path, &address, error, room) != 0)
        return CONTROL_SOCKET_FAILED;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Before it has a name, so that nobody can be quicker. */
    if (fd < 0 || fchmod(fd, 0600) != 0)
        return fail(fd, path, error, room);
    const struct sockaddr *name = (const struct sockaddr *)&address;
    if (bind(fd, name, sizeof address) != 0) {
        if (errno != EADDRINUSE)
            return fail(fd, path, error, room);
        int way = make_way(path, error, room);
        if (way != 0) {
            close(fd);
            return way;
        }
        if (bind(fd, name, sizeof address) != 0)
            return fail(fd, path, error, room);
    }
    if (listen(fd, BACKLOG) != 0)
        return fail(fd, path, error, room);
    return fd;
}
