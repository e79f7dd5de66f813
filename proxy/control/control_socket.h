/* The unix socket on which the running server takes orders. Its mode is 0600:
 * who may connect is whom the file system lets. */
#ifndef PROXY_CONTROL_CONTROL_SOCKET_H
#define PROXY_CONTROL_CONTROL_SOCKET_H

#include <stddef.h>

enum control_socket_error {
    CONTROL_SOCKET_FAILED = -1, /* words are in `error` */
    CONTROL_SOCKET_TAKEN = -2   /* a server answers there */
};

/* Listens, without blocking; a socket that a dead server left is replaced.
 * The descriptor, or an error. */
int control_socket_listen(const char *path, char *error, size_t room);
/* A connection to the server there, or CONTROL_SOCKET_FAILED. */
int control_socket_connect(const char *path, char *error, size_t room);

#endif
