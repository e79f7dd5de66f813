/* The main process: keeps privileges, listening sockets and the socket for
 * orders, and reads nothing that comes from the network. It starts the worker
 * process that serves, another one when that dies, and lets one follow the
 * other when there is a new configuration or a new program. One thread acts;
 * those of the control socket place orders with it. */
#ifndef PROXY_SUPERVISOR_SUPERVISOR_H
#define PROXY_SUPERVISOR_SUPERVISOR_H

/* Serves by the configuration at `path` until it is told to stop; `name` is how
 * the program was called. An exit code. Signals must not have been blocked yet,
 * and there must be one thread. */
int supervise(const char *path, const char *name);

#endif
