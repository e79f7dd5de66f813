/* The connections that there may be, and how long each has: who sends or takes
 * an octet now and then would keep its seat for ever. Any thread. */
#ifndef PROXY_HTTP_HTTP_SEATS_H
#define PROXY_HTTP_HTTP_SEATS_H

#include <pthread.h>
#include <stdint.h>

#define HTTP_CONNECTIONS_MAX 64
#define HTTP_NO_LIMIT UINT64_MAX

struct http_seat {
    int fd; /* -1: free */
    uint64_t until_ms;
};

struct http_seats {
    pthread_mutex_t lock; /* of what follows */
    struct http_seat all[HTTP_CONNECTIONS_MAX];
};

void http_seats_init(struct http_seats *seats);
void http_seats_release(struct http_seats *seats);
/* NULL: there is none left. The descriptor is to stay open until the seat is
 * given back. */
struct http_seat *http_seats_take(struct http_seats *seats, int fd,
                                  uint64_t until_ms);
/* NULL is fine, also below. */
void http_seats_give(struct http_seats *seats, struct http_seat *seat);
void http_seats_allow(struct http_seats *seats, struct http_seat *seat,
                      uint64_t until_ms);
/* Shuts down the connections whose time is over. */
void http_seats_end_late(struct http_seats *seats, uint64_t now_ms);

#endif
