/* A reload within the process, on a thread of its own: it may take its time,
 * while the supervisor asks for signs of life. */
#ifndef PROXY_SERVER_RENEWAL_H
#define PROXY_SERVER_RENEWAL_H

#include <pthread.h>
#include <stdbool.h>

#include "proxy/server/server.h"

/* Zero at first. */
struct renewal {
    pthread_t thread;
    bool is_begun;
    struct server *server; /* borrowed */
    int channel;           /* borrowed: where it says how it went */
    int bundle;
};

/* Takes the bundle. The supervisor asks for one when the one before has ended,
 * which is waited for. */
void renewal_start(struct renewal *renewal, struct server *server, int channel,
                   int bundle);
/* Until it has ended. */
void renewal_await(struct renewal *renewal);

#endif
