/* What all workers know of the upstreams' servers, for who asks about the
 * whole server. Each worker posts what it sees, whoever asks gets the sum.
 * Thread-safe. */
#ifndef PROXY_UPSTREAM_HEALTH_BOARD_H
#define PROXY_UPSTREAM_HEALTH_BOARD_H

#include "config/settings.h"

#define HEALTH_FAULT_MAX 256

enum server_state { SERVER_UNKNOWN, SERVER_UP, SERVER_DOWN };

struct health_board;

/* One worker's place for one server; a board of NULL: nobody asks. */
struct health_place {
    struct health_board *board;
    size_t worker, upstream, server; /* by their numbers */
};

struct health_sum {
    size_t up, down, unknown; /* workers that see it so */
    /* Of the loops' clock: since when all see it up; else since when the first
     * sees it down; 0 where nobody does either. */
    uint64_t since_ms;
    char fault[HEALTH_FAULT_MAX]; /* the last one of a worker that sees it
                                     down; else "" */
};

/* Borrows the settings. NULL when out of memory. */
struct health_board *health_board_new(const struct settings *settings,
                                      size_t workers);
/* NULL is fine. */
void health_board_free(struct health_board *board);

/* `fault`: why it is down; else NULL. */
void health_board_post(const struct health_place *place,
                       enum server_state state, uint64_t since_ms,
                       const char *fault);
void health_board_sum(struct health_board *board, size_t upstream,
                      size_t server, struct health_sum *sum);

#endif
