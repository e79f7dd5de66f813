/* Orders on their way from the threads of the control socket to the one thread
 * of the supervisor that may act. Whoever places one waits until it is
 * finished, which may take as long as what was ordered. */
#ifndef PROXY_SUPERVISOR_ORDER_QUEUE_H
#define PROXY_SUPERVISOR_ORDER_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "config/settings.h"

enum order_kind {
    ORDER_SUCCEED, /* a new worker process, by `settings` and `bundle` */
    ORDER_RENEW,   /* the one that serves is to go by them */
    ORDER_NOTE,    /* a line for the decision log */
    ORDER_UPGRADE, /* the same, by the program as it is on disk now */
    ORDER_DRAIN,   /* no new sessions; ends when the last one has */
    ORDER_STOP,
    ORDER_REOPEN,  /* the logs */
    ORDER_LEVEL,   /* of the log */
    ORDER_CONNECT, /* a connection to the worker process that serves */
    ORDER_STATE    /* what the supervisor knows of itself */
};

/* On the stack of who placed it. */
struct order {
    struct order *next;
    enum order_kind kind;
    const struct settings *settings; /* SUCCEED and RENEW; borrowed */
    int bundle;                      /* of the files that they are made of */
    struct str line;                 /* NOTE */
    uint64_t within_ms;              /* DRAIN; 0: as configured */
    bool is_debug;                   /* LEVEL */
    uint64_t until_ms;               /* CONNECT: how long it may wait */
    int connection;                  /* CONNECT: one end; -1: nobody serves */
    json_t *reply; /* owned by who placed it; NULL: out of memory */
    bool is_finished;
};

struct order_queue {
    pthread_mutex_t lock; /* of what follows, and of each order in it */
    pthread_cond_t changed;
    struct order *first;
    int wake; /* an eventfd: readable while there are orders */
    bool is_closed;
};

/* 0, or -1 with errno set. */
int order_queue_init(struct order_queue *queue);
void order_queue_release(struct order_queue *queue);

/* Waits until it is finished. False: the supervisor takes no more. */
bool order_queue_place(struct order_queue *queue, struct order *order);

/* For the supervisor's thread: the next order that is waiting, or NULL. */
struct order *order_queue_next(struct order_queue *queue);
/* `reply` is handed to who waits; the order is not valid any more. */
void order_queue_finish(struct order_queue *queue, struct order *order,
                        json_t *reply);
/* Orders are refused from now on; and are taken again. */
void order_queue_close(struct order_queue *queue);
void order_queue_open(struct order_queue *queue);

#endif
