/* Confines this process to what serving clients takes: a user without
 * capabilities, files that Landlock lets through, system calls of two tables;
 * no core dump, no program that regains a privilege. For good, and for the
 * main thread alone: threads that run already would not be confined, so call
 * it before there are others. What the kernel can't do is told in the log, and
 * the process goes on. */
#ifndef PROXY_CONFINE_CONFINE_H
#define PROXY_CONFINE_CONFINE_H

#include "proxy/confine/confinement.h"
#include "proxy/log/server_log.h"

/* 0, or -1 with the reason in `error`: the process must then serve nobody, as
 * it may hold more than it was to. */
int confine(const struct confinement *confinement, struct server_log *log,
            char *error, size_t room);

#endif
