#include "rules/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Under the address sanitizer nothing is kept. */
static size_t kept(const struct spare_blocks *store, size_t count)
{
    return store->max == 0 ? 0 : count;
}

static void a_block_serves_the_next_arena_zeroed(void **state)
{
    (void)state;
    struct spare_blocks store;
    struct arena arena;
    spare_blocks_init(&store, ARENA_SPARE_OCTETS, 2);
    for (int i = 0; i < 3; i++) {
        arena_init_spare(&arena, 64 * 1024, &store);
        char *octets = arena_alloc(&arena, 100);
        assert_non_null(octets);
        for (size_t k = 0; k < 100; k++)
            assert_int_equal(octets[k], 0);
        memset(octets, 'x', 100);
        assert_int_equal(store.count, 0);
        arena_release(&arena);
        assert_int_equal(store.count, kept(&store, 1));
    }
    spare_blocks_release(&store);
    assert_int_equal(store.count, 0);
}

static void no_more_is_kept_than_the_store_may(void **state)
{
    (void)state;
    struct spare_blocks store;
    struct arena arenas[3];
    spare_blocks_init(&store, ARENA_SPARE_OCTETS, 2);
    for (int i = 0; i < 3; i++) {
        arena_init_spare(&arenas[i], 64 * 1024, &store);
        assert_non_null(arena_alloc(&arenas[i], 1));
    }
    for (int i = 0; i < 3; i++)
        arena_release(&arenas[i]);
    assert_int_equal(store.count, kept(&store, 2));
    spare_blocks_release(&store);
}

static void large_blocks_and_those_that_a_cap_cuts_are_not_kept(void **state)
{
    (void)state;
    struct spare_blocks store;
    struct arena arena;
    spare_blocks_init(&store, ARENA_SPARE_OCTETS, 2);
    arena_init_spare(&arena, 64 * 1024, &store);
    assert_non_null(arena_alloc(&arena, 10000));
    arena_release(&arena);
    assert_int_equal(store.count, 0);
    arena_init_spare(&arena, 1000, &store);
    assert_non_null(arena_alloc(&arena, 100));
    assert_null(arena_alloc(&arena, 1000));
    arena_release(&arena);
    assert_int_equal(store.count, 0);
    spare_blocks_release(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_serves_the_next_arena_zeroed),
        cmocka_unit_test(no_more_is_kept_than_the_store_may),
        cmocka_unit_test(large_blocks_and_those_that_a_cap_cuts_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
