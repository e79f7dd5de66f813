/* By system calls, as the C library has no functions for them. Headers may be
 * older than the kernel: what they lack is named here. */
#include "proxy/confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_DEVICE_IOCTL (UINT64_C(1) << 15)
#define RIGHT_BIND_TCP (UINT64_C(1) << 0)
#define SCOPE_ABSTRACT_SOCKETS (UINT64_C(1) << 0)
#define SCOPE_SIGNALS (UINT64_C(1) << 1)

#define FIRST_WITH_TRUNCATE 3
#define FIRST_WITH_NETWORK 4
#define FIRST_WITH_DEVICE_IOCTL 5
#define FIRST_WITH_SCOPES 6

/* All of the first version. */
#define FIRST_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Of a file; what else there is concerns directories. */
#define FILE_RIGHTS                                                            \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |            \
     RIGHT_TRUNCATE)

static const uint64_t rights_of[] = {
    [LANDLOCK_READ] =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [LANDLOCK_APPEND] = LANDLOCK_ACCESS_FS_READ_FILE |
                        LANDLOCK_ACCESS_FS_WRITE_FILE |
                        LANDLOCK_ACCESS_FS_MAKE_REG,
    [LANDLOCK_OWN] =
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
        LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
        LANDLOCK_ACCESS_FS_REFER | RIGHT_TRUNCATE,
};

/* The kernel's structure as of version 6. A kernel that knows a shorter one
 * takes this where what it does not know is zero. */
struct ruleset_attributes {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

static uint64_t file_rights(int version)
{
    uint64_t rights = FIRST_RIGHTS | LANDLOCK_ACCESS_FS_REFER;
    if (version >= FIRST_WITH_TRUNCATE)
        rights |= RIGHT_TRUNCATE;
    if (version >= FIRST_WITH_DEVICE_IOCTL)
        rights |= RIGHT_DEVICE_IOCTL;
    return rights;
}

int landlock_begin(struct landlock *landlock)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
                           LANDLOCK_CREATE_RULESET_VERSION);
    *landlock = (struct landlock){.fd = -1};
    if (version < 0)
        return errno;
    if (version < LANDLOCK_LEAST)
        return ENOSYS;
    struct ruleset_attributes attributes = {.files = file_rights((int)version)};
    if (version >= FIRST_WITH_NETWORK)
        attributes.network = RIGHT_BIND_TCP;
    if (version >= FIRST_WITH_SCOPES)
        attributes.scopes = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    long fd =
        syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (fd < 0)
        return errno;
    *landlock = (struct landlock){
        .fd = (int)fd, .version = (int)version, .handled = attributes.files};
    return 0;
}

static int allow(const struct landlock *landlock, int fd, enum landlock_use use)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return errno;
    uint64_t rights = rights_of[use] & landlock->handled;
    if (!S_ISDIR(status.st_mode))
        rights &= FILE_RIGHTS;
    const struct landlock_path_beneath_attr rule = {.allowed_access = rights,
                                                    .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, landlock->fd, LANDLOCK_RULE_PATH_BENEATH,
                &rule, 0) != 0)
        /* Pipes and the like, which are never closed. */
        return errno == EBADFD ? 0 : errno;
    return 0;
}

int landlock_allow(const struct landlock *landlock, const char *path,
                   enum landlock_use use)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int result = allow(landlock, fd, use);
    close(fd);
    return result;
}

int landlock_enforce(const struct landlock *landlock)
{
    return syscall(SYS_landlock_restrict_self, landlock->fd, 0) == 0 ? 0
                                                                     : errno;
}

void landlock_end(struct landlock *landlock)
{
    if (landlock->fd >= 0)
        close(landlock->fd);
    landlock->fd = -1;
}
