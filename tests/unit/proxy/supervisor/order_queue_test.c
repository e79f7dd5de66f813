#include "proxy/supervisor/order_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <poll.h>

#include <cmocka.h>

#define PLACERS 8

struct placer {
    pthread_t thread;
    struct order_queue *queue;
    uint64_t number;
    bool was_taken;
    json_int_t answer;
};

static void *place(void *argument)
{
    struct placer *placer = argument;
    struct order order = {.kind = ORDER_DRAIN, .within_ms = placer->number};
    placer->was_taken = order_queue_place(placer->queue, &order);
    if (placer->was_taken) {
        placer->answer = json_integer_value(order.reply);
        json_decref(order.reply);
    }
    return NULL;
}

/* For as long as it takes; a test has its own end. */
static void await(const struct order_queue *queue)
{
    struct pollfd watched = {.fd = queue->wake, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, -1), 1);
}

static void each_gets_its_own_answer(void **state)
{
    struct order_queue queue;
    struct placer placers[PLACERS];
    (void)state;
    assert_int_equal(order_queue_init(&queue), 0);
    for (size_t i = 0; i < PLACERS; i++) {
        placers[i] = (struct placer){.queue = &queue, .number = i + 1};
        pthread_create(&placers[i].thread, NULL, place, &placers[i]);
    }
    for (size_t served = 0; served < PLACERS;) {
        struct order *order;
        await(&queue);
        while ((order = order_queue_next(&queue)) != NULL) {
            order_queue_finish(&queue, order,
                               json_integer((json_int_t)order->within_ms * 7));
            served++;
        }
    }
    for (size_t i = 0; i < PLACERS; i++) {
        pthread_join(placers[i].thread, NULL);
        assert_true(placers[i].was_taken);
        assert_int_equal(placers[i].answer, placers[i].number * 7);
    }
    order_queue_release(&queue);
}

static void the_wake_is_quiet_when_all_is_done(void **state)
{
    struct order_queue queue;
    struct placer placer = {.queue = &queue, .number = 1};
    (void)state;
    assert_int_equal(order_queue_init(&queue), 0);
    pthread_create(&placer.thread, NULL, place, &placer);
    await(&queue);
    struct order *order = order_queue_next(&queue);
    assert_non_null(order);
    assert_null(order_queue_next(&queue));
    struct pollfd watched = {.fd = queue.wake, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 0), 0);
    order_queue_finish(&queue, order, NULL);
    pthread_join(placer.thread, NULL);
    order_queue_release(&queue);
}

static void a_closed_queue_takes_none_until_it_opens(void **state)
{
    struct order_queue queue;
    struct order order = {.kind = ORDER_STOP};
    struct placer placer = {.queue = &queue, .number = 2};
    (void)state;
    assert_int_equal(order_queue_init(&queue), 0);
    order_queue_close(&queue);
    assert_false(order_queue_place(&queue, &order));
    order_queue_open(&queue);
    pthread_create(&placer.thread, NULL, place, &placer);
    await(&queue);
    order_queue_finish(&queue, order_queue_next(&queue), json_integer(3));
    pthread_join(placer.thread, NULL);
    assert_true(placer.was_taken);
    assert_int_equal(placer.answer, 3);
    order_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_own_answer),
        cmocka_unit_test(the_wake_is_quiet_when_all_is_done),
        cmocka_unit_test(a_closed_queue_takes_none_until_it_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
