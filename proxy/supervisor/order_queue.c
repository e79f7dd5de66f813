#include "proxy/supervisor/order_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

int order_queue_init(struct order_queue *queue)
{
    *queue =
        (struct order_queue){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    return queue->wake < 0 ? -1 : 0;
}

void order_queue_release(struct order_queue *queue)
{
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->changed);
    close(queue->wake);
}

bool order_queue_place(struct order_queue *queue, struct order *order)
{
    order->next = NULL;
    order->reply = NULL;
    order->is_finished = false;
    pthread_mutex_lock(&queue->lock);
    bool is_taken = !queue->is_closed;
    if (is_taken) {
        struct order **end = &queue->first;
        while (*end != NULL)
            end = &(*end)->next;
        *end = order;
        (void)eventfd_write(queue->wake, 1);
        while (!order->is_finished)
            pthread_cond_wait(&queue->changed, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_taken;
}

struct order *order_queue_next(struct order_queue *queue)
{
    eventfd_t count;
    pthread_mutex_lock(&queue->lock);
    struct order *order = queue->first;
    if (order != NULL)
        queue->first = order->next;
    else
        (void)eventfd_read(queue->wake, &count);
    pthread_mutex_unlock(&queue->lock);
    return order;
}

void order_queue_finish(struct order_queue *queue, struct order *order,
                        json_t *reply)
{
    pthread_mutex_lock(&queue->lock);
    order->reply = reply;
    order->is_finished = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

static void set_closed(struct order_queue *queue, bool is_closed)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = is_closed;
    pthread_mutex_unlock(&queue->lock);
}

void order_queue_close(struct order_queue *queue)
{
    set_closed(queue, true);
}

void order_queue_open(struct order_queue *queue)
{
    set_closed(queue, false);
}
