/* Which files the process may open, as the kernel's Landlock has it: paths are
 * allowed one by one, the rest is closed for good, for this thread and those
 * that it starts. Also forbids to bind a TCP port, and to signal, or to reach
 * by an abstract socket, what is outside, where the kernel can.
 *
 * Connections to sockets that have a path are not its business: the modes of
 * the file system decide, so that no list of them is needed. */
#ifndef PROXY_CONFINE_LANDLOCK_H
#define PROXY_CONFINE_LANDLOCK_H

#include <stdint.h>

/* Since this version files can be moved between directories at all. */
#define LANDLOCK_LEAST 2

struct landlock {
    int fd;
    int version; /* of the kernel's interface */
    uint64_t handled;
};

enum landlock_use {
    LANDLOCK_READ,   /* a file, or all beneath a directory */
    LANDLOCK_APPEND, /* write and create; nothing is cut, renamed, removed */
    LANDLOCK_OWN     /* all that can be done with files, beneath */
};

/* 0, or a number of errno: ENOSYS where the kernel is without it or older than
 * LANDLOCK_LEAST, EOPNOTSUPP where it is switched off. */
int landlock_begin(struct landlock *landlock);
/* Adds what stands at `path` now; a directory that takes its place later is
 * another. 0, or a number of errno. */
int landlock_allow(const struct landlock *landlock, const char *path,
                   enum landlock_use use);
/* Closes the rest. Needs no_new_privs. 0, or a number of errno. */
int landlock_enforce(const struct landlock *landlock);
void landlock_end(struct landlock *landlock);

#endif
