/* A connection in the making: looks the host up, each time anew, and tries its
 * addresses side by side, each begun a little after the one before or as soon
 * as one has failed (RFC 8305 5). The first that connects wins. Ends with a
 * connected socket or with words that say why not. */
#ifndef PROXY_NET_DIAL_H
#define PROXY_NET_DIAL_H

#include "proxy/net/loop.h"

struct dial;

/* `fd` is the owner's from then on; or it is -1 and `error` has the words,
 * valid within the call. The struct dial is gone when this is called. */
typedef void (*dial_done)(void *owner, int fd, const char *error);

/* `timeout_ms` is for all of it, the look-up and every address. `done` comes
 * from the loop, once. NULL when out of memory. */
struct dial *dial_start(struct loop *loop, struct str host, uint16_t port,
                        uint64_t timeout_ms, dial_done done, void *owner);
/* The same to a unix socket by its path. */
struct dial *dial_start_unix(struct loop *loop, const char *path,
                             uint64_t timeout_ms, dial_done done, void *owner);
/* Gives up; `done` will not be called. */
void dial_cancel(struct dial *dial);

#endif
