/* What supervisor and worker process say to each other: messages of JSON,
 * whole or not at all, with descriptors attached, over a pair of sockets. The
 * other side is held to the caps, as it may have been broken into. */
#ifndef PROXY_CONTROL_CHANNEL_H
#define PROXY_CONTROL_CHANNEL_H

#include <stddef.h>

#include <jansson.h>

/* As many as the kernel passes at a time (SCM_MAX_FD, unix(7)). */
#define CHANNEL_DESCRIPTORS_MAX 253
#define CHANNEL_OCTETS_MAX (64 * 1024)

struct channel_message {
    json_t *body;                             /* owned; an object */
    const char *verb;                         /* body's "do"; "" without */
    int descriptors[CHANNEL_DESCRIPTORS_MAX]; /* owned; -1: taken */
    size_t descriptor_count;
};

enum channel_next {
    CHANNEL_MESSAGE, /* to be released */
    CHANNEL_NOTHING, /* not now */
    CHANNEL_CLOSED,  /* the other side is gone, or makes no sense */
};

/* Two ends that do not outlive an exec. 0, or -1 with errno set. */
int channel_pair(int ends[2]);

/* Takes `body` over; the descriptors stay the caller's. Waits a second at most
 * for room. 0, or -1: the other side does not listen. */
int channel_send(int end, json_t *body, const int *descriptors, size_t count);
/* The same without waiting: -1 also when there is no room. For any thread. */
int channel_send_now(int end, json_t *body, const int *descriptors,
                     size_t count);
/* Does not wait. */
enum channel_next channel_next(int end, struct channel_message *message);
/* A descriptor of the message, which is the caller's from now on; -1: there is
 * none of that number. */
int channel_take(struct channel_message *message, size_t number);
/* Closes what was not taken. */
void channel_release(struct channel_message *message);

#endif
