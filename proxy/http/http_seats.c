#include "proxy/http/http_seats.h"

#include <stddef.h>
#include <sys/socket.h>

void http_seats_init(struct http_seats *seats)
{
    pthread_mutex_init(&seats->lock, NULL);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        seats->all[i].fd = -1;
}

void http_seats_release(struct http_seats *seats)
{
    pthread_mutex_destroy(&seats->lock);
}

struct http_seat *http_seats_take(struct http_seats *seats, int fd,
                                  uint64_t until_ms)
{
    struct http_seat *seat = NULL;
    pthread_mutex_lock(&seats->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX && seat == NULL; i++)
        if (seats->all[i].fd < 0)
            seat = &seats->all[i];
    if (seat != NULL)
        *seat = (struct http_seat){.fd = fd, .until_ms = until_ms};
    pthread_mutex_unlock(&seats->lock);
    return seat;
}

void http_seats_give(struct http_seats *seats, struct http_seat *seat)
{
    if (seat == NULL)
        return;
    pthread_mutex_lock(&seats->lock);
    seat->fd = -1;
    pthread_mutex_unlock(&seats->lock);
}

void http_seats_allow(struct http_seats *seats, struct http_seat *seat,
                      uint64_t until_ms)
{
    if (seat == NULL)
        return;
    pthread_mutex_lock(&seats->lock);
    seat->until_ms = until_ms;
    pthread_mutex_unlock(&seats->lock);
}

/* No descriptor is closed while the lock is held, as its seat is given back
 * before. */
void http_seats_end_late(struct http_seats *seats, uint64_t now_ms)
{
    pthread_mutex_lock(&seats->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        const struct http_seat *seat = &seats->all[i];
        if (seat->fd >= 0 && seat->until_ms < now_ms)
            (void)shutdown(seat->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&seats->lock);
}
