/* The network of a dialogue: stands in for proxy/net when linking. A loop is
 * a clock that stands still until it is moved, the timers, jobs and streams
 * on it, and the far end of every stream, which is the script's. Nothing
 * happens but in fake_net_turn(). Streams, timers and jobs are freed at the
 * end of a turn, and what was readable moves elsewhere in memory then, so
 * that the address sanitizer sees who held on to it. */
#ifndef TESTS_DIALOGUE_FAKE_NET_H
#define TESTS_DIALOGUE_FAKE_NET_H

#include "proxy/net/job.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "tests/dialogue/octets.h"

enum far_event_kind {
    FAR_SAW_CONNECT, /* an upstream: we began to connect */
    FAR_SAW_TLS,     /* an upstream: we began TLS */
    FAR_SAW_CLOSE,   /* we closed in order */
    FAR_SAW_RESET    /* we cut the connection */
};

/* Something the far end saw, behind `at` octets of what it got in all. */
struct far_event {
    enum far_event_kind kind;
    uint64_t at;
    char text[320];
};

enum far_connect { FAR_WAITS, FAR_ACCEPTS, FAR_REFUSES };
enum far_tls { FAR_CLEAR, FAR_OFFERS_TLS, FAR_BREAKS_TLS };
enum far_end_how { FAR_OPEN, FAR_CLOSES, FAR_CUTS, FAR_RESETS };

/* The script's end of one stream. */
struct far_end {
    struct far_end *next;
    char side; /* 'C': a client, 'U': an upstream */
    size_t number;
    char host[64];
    uint16_t port;
    int fd;                /* a client's; what stream_accept() is given */
    struct stream *stream; /* borrowed; NULL once freed, or not yet made */
    enum far_connect connect;
    enum far_tls tls;
    uint64_t tls_at; /* octets said in clear text before */
    char sni[64];
    char certificate[64]; /* the name on the one it shows; empty: none */
    bool is_old;          /* it speaks TLS 1.2 */
    enum far_end_how end;
    bool is_stalled;    /* reads nothing */
    struct octets said; /* not yet read by the stream */
    uint64_t said_total;
    struct octets heard; /* not yet matched by the script */
    uint64_t heard_total;
    struct far_event events[8]; /* not yet matched, in order */
    size_t event_count;
};

/* Sees the octets of every stream at the moment they are given to the product,
 * taken by it, and written by it. */
struct net_tap {
    void (*on_given)(void *owner, struct far_end *far, struct str octets);
    void (*on_taken)(void *owner, struct far_end *far, struct str octets);
    void (*on_written)(void *owner, struct far_end *far, struct str octets);
    void *owner;
};

struct loop {
    uint64_t now_us; /* since the dialogue's beginning */
    struct stream *streams;
    struct timer *timers;
    struct wakeup *wakeups;
    struct job_entry *jobs;
    struct loop_later *later_first, *later_last;
    struct far_end *far_ends;
    size_t clients, upstreams;
    bool holds_jobs;
    size_t octets_a_turn;      /* what a far end takes at most; 0: all */
    const struct net_tap *tap; /* borrowed; NULL: none */
};

void fake_net_init(struct loop *loop);
/* Frees the far ends; false when a stream, timer, wake-up or job is left,
 * and *what says which. */
bool fake_net_release(struct loop *loop, const char **what);

/* One turn; false when nothing happened in it. */
bool fake_net_turn(struct loop *loop);
/* The next moment, within limit_us, at which something is due; else the
 * limit. */
uint64_t fake_net_next_us(const struct loop *loop, uint64_t limit_us);

struct far_end *far_end_new(struct loop *loop, char side);
struct far_end *far_end_find(const struct loop *loop, char side, size_t number);
void far_end_say(struct far_end *far, struct str octets);
void far_end_saw(struct far_end *far, enum far_event_kind kind,
                 const char *text);

/* The parts of a turn, one a file; each returns whether it did something. */
bool fake_timers_turn(struct loop *loop);
bool fake_jobs_turn(struct loop *loop);
bool fake_streams_turn(struct loop *loop);
void fake_timers_sweep(struct loop *loop);
void fake_streams_sweep(struct loop *loop);
uint64_t fake_timers_next_us(const struct loop *loop, uint64_t limit_us);
uint64_t fake_streams_next_us(const struct loop *loop, uint64_t limit_us);

#endif
