/* The life of a worker process: it is told over its channel what to do, and
 * when the channel ends, so does it. */
#ifndef PROXY_SERVER_WORKER_PROCESS_H
#define PROXY_SERVER_WORKER_PROCESS_H

/* Where a worker process finds its channel. */
#define WORKER_CHANNEL 3

/* postern worker, which only the supervisor calls. An exit code. */
int command_worker(int argc, char **argv);

#endif
