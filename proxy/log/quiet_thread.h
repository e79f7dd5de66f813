/* A thread beside the loops. Signals belong to others, and SIGPIPE and SIGXFSZ
 * must be errors in it; only what tells of a fault of its own reaches it, so
 * that a crash there is told like one elsewhere. */
#ifndef PROXY_LOG_QUIET_THREAD_H
#define PROXY_LOG_QUIET_THREAD_H

#include <pthread.h>

/* As pthread_create(). */
int quiet_thread_start(pthread_t *thread, void *(*run)(void *argument),
                       void *argument);

#endif
