/* Work that blocks (files, getaddrinfo), off the loop's thread. A job owns
 * all its inputs. `work` runs on a thread of the pool, `done` afterwards on
 * the loop's thread; both get the job. A started job always gets `done`. */
#ifndef PROXY_NET_JOB_H
#define PROXY_NET_JOB_H

#include "proxy/net/loop.h"

struct job {
    void (*work)(struct job *job);
    void (*done)(struct job *job);
    void *internal;
};

/* 0, or -1 when out of memory (then nothing runs). */
int job_start(struct loop *loop, struct job *job);

#endif
