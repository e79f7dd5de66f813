/* A thread that looks twice a second whether a users file has changed, and
 * reads it: no loop waits for a file, or is held up by a large one. */
#ifndef PROXY_LOGIN_USERS_WATCH_H
#define PROXY_LOGIN_USERS_WATCH_H

#include "proxy/login/book_keeper.h"

struct users_watch;

/* Starts it; the keeper and the log outlive it. NULL when out of memory or
 * threads. */
struct users_watch *users_watch_new(struct book_keeper *keeper,
                                    struct server_log *log);
/* Ends and joins it. NULL is fine. */
void users_watch_free(struct users_watch *watch);

#endif
