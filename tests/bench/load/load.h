/* One run of smtpload: what is common to its sessions, and what they count.
 * One thread. */
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "tests/bench/load/complaints.h"
#include "tests/bench/load/load_options.h"
#include "tests/bench/load/message_maker.h"
#include "tests/bench/load/samples.h"

#define LOAD_INPUT_ROOM 65536

struct load_session;

struct load {
    const struct load_options *options; /* borrowed */
    struct sockaddr_in target;
    SSL_CTX *tls; /* NULL: nothing is encrypted */
    int epoll, signals;
    struct message_maker maker;
    struct load_session *sessions;
    size_t session_count;
    struct load_session *ended;  /* may be opened again at the turn's end */
    char input[LOAD_INPUT_ROOM]; /* of the session that reads */

    bool is_interrupted;   /* by a signal */
    bool is_stopping;      /* nothing more is begun */
    bool has_begun;        /* the first message, or the barrier is open */
    size_t active;         /* sessions that are not free */
    size_t in_set_up;      /* of the idle ones */
    size_t ready, awaited; /* at the barrier */

    uint32_t run; /* the upper half of each message's id */
    uint64_t started_ns, deadline_ns, scanned_ns, ended_ns;
    uint64_t first_ns, last_ns; /* message */
    uint64_t held_ns; /* from when all idle sessions were there; 0: never */

    uint64_t claimed, done, done_octets, refused, errors, negative_replies;
    uint64_t opened, set_up, handshakes, resumed, sink_texts;
    uint64_t idle_held, idle_lost, idle_left;
    struct samples latencies_ms, set_ups_ms;
    struct complaints complaints;
};

void load_init(struct load *load, const struct load_options *options);
void load_release(struct load *load);

uint64_t load_now_ns(void);

/* Something that should not happen. */
void load_fault(struct load *load, const char *what, const char *text);
/* Takes the next message of a connection that had `sent` of them; false:
 * there is none for it. */
bool load_claim(struct load *load, uint64_t sent, uint64_t *id);
/* Whether a new connection would find something to send. */
bool load_has_work(const struct load *load);

#endif
