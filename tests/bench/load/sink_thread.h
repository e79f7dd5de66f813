/* A thread of the sink: it listens on the ports itself, so that the kernel
 * spreads the connections, and keeps those that it accepted. */
#ifndef BENCH_LOAD_SINK_THREAD_H
#define BENCH_LOAD_SINK_THREAD_H

#include <pthread.h>

#include "tests/bench/load/sink.h"

struct sink_session;

struct sink_thread {
    struct sink *sink; /* borrowed */
    pthread_t thread;
    int epoll, stop; /* an eventfd */
    struct sink_listener {
        int fd; /* -1: none */
        bool is_tls;
    } listeners[2];
    struct sink_session *sessions;
};

/* Listens; what does not work ends the program. */
void sink_thread_init(struct sink_thread *thread, struct sink *sink);
void sink_thread_start(struct sink_thread *thread);
/* Ends its sessions, wherever they stand, and waits for it. */
void sink_thread_stop(struct sink_thread *thread);

#endif
