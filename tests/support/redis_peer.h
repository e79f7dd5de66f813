/* A real redis-server for tests, on a unix socket and a port of 127.0.0.1, in
 * a directory of its own, keeping nothing. Unpacked by contrib/setup --tests;
 * where it is not, the test fails and says so. */
#ifndef TESTS_SUPPORT_REDIS_PEER_H
#define TESTS_SUPPORT_REDIS_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct redis_peer {
    char directory[64], socket[96];
    uint16_t port;
    const char *password; /* NULL: none */
    pid_t pid;            /* 0: it does not run */
};

/* Runs, and answers, when this returns. */
void redis_peer_start(struct redis_peer *peer, const char *password);
/* Killed, at once; redis_peer_again() starts it on the same addresses, empty.
 */
void redis_peer_kill(struct redis_peer *peer);
void redis_peer_again(struct redis_peer *peer);
/* Killed, and its directory removed. */
void redis_peer_stop(struct redis_peer *peer);

/* A command on a connection of its own: "FLUSHALL". An integer answer, or -1.
 * Words are separated by blanks. */
long long redis_peer_order(const struct redis_peer *peer, const char *words);
/* A number of INFO: "used_memory". */
double redis_peer_info(const struct redis_peer *peer, const char *section,
                       const char *name);

#endif
