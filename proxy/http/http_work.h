/* Threads for what takes its time: reading files, asking the control verbs.
 * Two, of which searches have one, so that however many of them there are the
 * rest does not wait. A job that has nothing to say yet is asked again now and
 * then, until it is due. */
#ifndef PROXY_HTTP_HTTP_WORK_H
#define PROXY_HTTP_HTTP_WORK_H

#include "proxy/http/http_job.h"

/* Jobs that may wait for a thread; and for something to happen. */
#define HTTP_WORK_QUEUE 64
#define HTTP_WORK_WAITING 16

struct http_work;

/* `on_done` gets each job once, on one of the threads; `on_tick` is called a
 * few times a second. NULL when out of memory or threads. */
struct http_work *http_work_new(void (*on_done)(struct http_job *job),
                                void (*on_tick)(void *owner), void *owner);
/* 0; -1: there are too many, or it ends. */
int http_work_add(struct http_work *work, struct http_job *job);
/* Takes no more; those that there are get their answer, what waits at once.
 * Returns when that is so. */
void http_work_end(struct http_work *work);
/* NULL is fine. Nobody may call http_work_add() any more. */
void http_work_free(struct http_work *work);

#endif
