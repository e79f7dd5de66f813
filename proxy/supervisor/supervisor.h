/* The main process: keeps privileges, listening sockets and the socket for
 * orders, and reads nothing that comes from the network. It starts the worker
 * process that serves, another one when that dies, and lets one follow the
 * other when there is a new configuration or a new program. One thread acts;
 * those of the control socket place orders with it. */
#ifndef PROXY_SUPERVISOR_SUPERVISOR_H
#define PROXY_SUPERVISOR_SUPERVISOR_H

#include "config/settings.h"

struct supervisor_means {
    const char *path;                /* of the configuration */
    const struct settings *settings; /* a reference, which is taken over; NULL:
                                        it can't be read, and a worker process
                                        was taken over from an older program */
    const char *name;                /* of the program, as it was called */
};

/* Serves until it is told to stop. An exit code. Signals must not have been
 * blocked yet, and there must be one thread. */
int supervise(const struct supervisor_means *means);

#endif
