/* A client and a server stream on one loop, connected over 127.0.0.1. Each
 * end keeps what it heard and which events came in which order; a test runs
 * the loop until what it waits for is true. Fails the test when that takes
 * ten seconds, or when an event comes from inside a call. */
#ifndef TESTS_SUPPORT_STREAM_PAIR_H
#define TESTS_SUPPORT_STREAM_PAIR_H

#include "proxy/net/listen.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/tls/octet_queue.h"

struct stream_pair;

struct stream_end_point {
    struct stream_pair *pair;
    struct stream *stream; /* NULL once let go */
    struct octet_queue heard;
    bool is_hoarding; /* leaves the input unread */
    char log[64];     /* r(eady) b(ytes) d(rained) e(nded); bb is one b */
    size_t logged;
    enum stream_end end;
    char error[200];
    /* The test's; called in each event, after it was noted. */
    void (*on_event)(struct stream_end_point *self, char event);
};

struct stream_pair {
    struct loop *loop;
    struct listen *listen;
    struct timer *watchdog;
    struct stream_end_point server, client;
    bool (*is_done)(struct stream_pair *pair);
    bool is_inside_call;
    size_t turns;
    struct loop_later later;
    void *test; /* the test's */
};

/* Opens the listener and the loop, and no streams. */
void stream_pair_init(struct stream_pair *pair);
/* Aborts what is left. */
void stream_pair_release(struct stream_pair *pair);

/* Connects the client, and waits for both ends. */
void stream_pair_connect(struct stream_pair *pair);
/* Connects a blocking socket of the test's and waits for the server. */
int stream_pair_connect_raw(struct stream_pair *pair);

/* Runs the loop until `is_done`, which is asked after each event. */
void stream_pair_run(struct stream_pair *pair,
                     bool (*is_done)(struct stream_pair *pair));
/* Runs the loop for some turns, without waiting for anything. */
void stream_pair_turn(struct stream_pair *pair);

/* The calls of stream.h, watched for events from inside. */
void end_write(struct stream_end_point *end, struct str octets);
int end_secure(struct stream_end_point *end, struct tls_context *context,
               const char *name);
void end_pause(struct stream_end_point *end);
void end_resume(struct stream_end_point *end);
void end_close(struct stream_end_point *end);
void end_abort(struct stream_end_point *end);
/* Stops hoarding and reads what is there. */
void end_hear(struct stream_end_point *end);
struct str end_heard(const struct stream_end_point *end);

#endif
