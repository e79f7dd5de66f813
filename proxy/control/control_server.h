/* Answers on the control socket: one JSON object a line in, one out. A few
 * threads of its own take a connection each, so that an order that takes its
 * time holds up nobody's mail. What an order does is in a table of verbs; the
 * request says which: {"do":"list",...}. Every answer has "ok"; where that is
 * false, "error" is a sentence. */
#ifndef PROXY_CONTROL_CONTROL_SERVER_H
#define PROXY_CONTROL_CONTROL_SERVER_H

#include <stddef.h>

#include <jansson.h>

#define CONTROL_REQUEST_MAX (64 * 1024)

struct control_verb {
    const char *name;
    /* The answer, owned by the caller; NULL: out of memory. Runs on any of
     * the threads, several at a time. */
    json_t *(*run)(void *owner, const json_t *request);
};

struct control_server;

/* Owns the listening socket `fd` and the name `path` from now on, also on
 * failure. Without a path `fd` is a channel on which connections come, each as
 * the descriptor of a message. `verbs` end with a name of NULL. NULL when out
 * of memory or threads. */
struct control_server *control_server_new(int fd, const char *path,
                                          const struct control_verb *verbs,
                                          void *owner);
/* Takes no more orders; returns when those under way were answered. NULL is
 * fine. */
void control_server_free(struct control_server *server);
/* The same, but the socket and its name go on: whoever connects waits. The
 * socket, which is the caller's; -1: there was none. */
int control_server_leave(struct control_server *server);

/* {"ok":false,"error":...}; NULL: out of memory. */
json_t *control_refusal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
