#include "proxy/tls/octet_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void what_goes_in_comes_out_in_order(void **state)
{
    struct octet_queue queue;
    unsigned char next_in = 0, next_out = 0;
    (void)state;
    octet_queue_init(&queue, 4096);
    for (size_t round = 1; round < 900; round++) {
        char octets[97];
        size_t n = round % sizeof(octets);
        for (size_t i = 0; i < n; i++)
            octets[i] = (char)next_in++;
        assert_int_equal(octet_queue_add(&queue, str_span(octets, n)), 0);
        struct str held = octet_queue_view(&queue);
        size_t taken = round % 3 == 0 ? held.n : held.n / 3;
        for (size_t i = 0; i < taken; i++)
            assert_int_equal((unsigned char)held.p[i], next_out++);
        octet_queue_drop(&queue, taken);
    }
    octet_queue_release(&queue);
}

static void nothing_passes_the_maximum(void **state)
{
    struct octet_queue queue;
    char octets[600];
    (void)state;
    memset(octets, 'x', sizeof(octets));
    octet_queue_init(&queue, 1000);
    assert_int_equal(octet_queue_add(&queue, str_span(octets, 600)), 0);
    assert_int_equal(octet_queue_room(&queue), 400);
    assert_int_equal(octet_queue_add(&queue, str_span(octets, 401)), -1);
    assert_int_equal(octet_queue_view(&queue).n, 600);
    assert_int_equal(octet_queue_add(&queue, str_span(octets, 400)), 0);
    assert_null(octet_queue_reserve(&queue, 1));
    assert_true(queue.capacity <= 1000);
    octet_queue_release(&queue);
}

static void an_empty_queue_holds_no_memory(void **state)
{
    struct octet_queue queue;
    (void)state;
    octet_queue_init(&queue, 1000);
    assert_null(queue.octets);
    assert_int_equal(octet_queue_add(&queue, STR("password")), 0);
    octet_queue_drop(&queue, 3);
    assert_true(str_equals(octet_queue_view(&queue), STR("sword")));
    octet_queue_drop(&queue, 5);
    assert_null(queue.octets);
    assert_non_null(octet_queue_reserve(&queue, 10));
    octet_queue_commit(&queue, 0);
    assert_null(queue.octets);
}

static void what_is_wiped_is_gone_while_the_rest_is_held(void **state)
{
    struct octet_queue queue;
    (void)state;
    octet_queue_init(&queue, 1000);
    assert_int_equal(octet_queue_add(&queue, STR("a secret, and more")), 0);
    octet_queue_drop(&queue, 2);
    const char *secret = octet_queue_view(&queue).p;
    octet_queue_wipe(&queue, 6);
    assert_true(str_equals(octet_queue_view(&queue), STR(", and more")));
    assert_memory_equal(secret, "\0\0\0\0\0\0", 6);
    octet_queue_wipe(&queue, 0);
    octet_queue_wipe(&queue, 10);
    assert_null(queue.octets);
}

/* Under the address sanitizer nothing is kept. */
static void small_memory_serves_the_next_queue_wiped(void **state)
{
    (void)state;
    static const char nothing[32];
    struct spare_blocks store;
    struct octet_queue queue;
    spare_blocks_init(&store, OCTET_QUEUE_SMALLEST, 1);
    size_t kept = store.max;
    for (int i = 0; i < 3; i++) {
        octet_queue_init(&queue, 4096);
        octet_queue_share(&queue, &store);
        assert_int_equal(octet_queue_add(&queue, STR("a secret of 32 octets")),
                         0);
        assert_int_equal(store.count, 0);
        octet_queue_drop(&queue, queue.size);
        assert_int_equal(store.count, kept);
    }
    if (kept > 0) /* behind the link to the next */
        assert_memory_equal((const char *)store.first + sizeof(void *), nothing,
                            sizeof nothing);
    spare_blocks_release(&store);
    assert_int_equal(store.count, 0);
}

static void large_memory_and_too_much_of_it_is_not_kept(void **state)
{
    (void)state;
    static const char large[2000];
    struct spare_blocks store;
    struct octet_queue queues[2];
    spare_blocks_init(&store, OCTET_QUEUE_SMALLEST, 1);
    for (int i = 0; i < 2; i++) {
        octet_queue_init(&queues[i], 4096);
        octet_queue_share(&queues[i], &store);
        assert_int_equal(octet_queue_add(&queues[i], STR("small")), 0);
    }
    octet_queue_release(&queues[0]);
    octet_queue_release(&queues[1]);
    assert_int_equal(store.count, store.max);
    spare_blocks_release(&store);
    assert_int_equal(octet_queue_add(&queues[0], str_span(large, sizeof large)),
                     0);
    octet_queue_release(&queues[0]);
    assert_int_equal(store.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out_in_order),
        cmocka_unit_test(nothing_passes_the_maximum),
        cmocka_unit_test(an_empty_queue_holds_no_memory),
        cmocka_unit_test(what_is_wiped_is_gone_while_the_rest_is_held),
        cmocka_unit_test(small_memory_serves_the_next_queue_wiped),
        cmocka_unit_test(large_memory_and_too_much_of_it_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
