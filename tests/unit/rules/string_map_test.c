/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "rules/base/keyed_hash.h"
#include "rules/string_map.h"

static void many_keys_are_found_again(void **state)
{
    struct string_map map = {0};
    struct arena arena;
    char text[32];
    (void)state;
    arena_init(&arena, 64 << 20);
    assert_null(string_map_get(&map, STR("1")));
    for (int i = 0; i < 20000; i++) {
        struct str key = arena_printf(&arena, "%d.example", i);
        struct string_map_slot *slot = string_map_put(&map, &arena, key);
        assert_non_null(slot);
        slot->number = (uint32_t)i;
    }
    assert_int_equal(map.count, 20000);
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "%d.example", i);
        const struct string_map_slot *slot =
            string_map_get(&map, str_from(text));
        assert_non_null(slot);
        assert_int_equal(slot->number, i);
    }
    assert_null(string_map_get(&map, STR("20000.example")));
    assert_null(string_map_get(&map, STR("")));
    arena_release(&arena);
}

static void a_key_again_is_the_same_slot(void **state)
{
    struct string_map map = {0};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    string_map_put(&map, &arena, STR(""))->number |= 1;
    string_map_put(&map, &arena, (struct str){NULL, 0})->number |= 2;
    const struct string_map_slot *slot = string_map_get(&map, STR(""));
    assert_non_null(slot);
    assert_int_equal(slot->number, 3);
    assert_int_equal(map.count, 1);
    arena_release(&arena);
}

static void room_that_was_reserved_is_not_left_behind(void **state)
{
    struct string_map map = {0};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_int_equal(string_map_reserve(&map, &arena, 1000), 0);
    size_t used = arena.used_bytes;
    char keys[1000][12];
    for (int i = 0; i < 1000; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        assert_non_null(string_map_put(&map, &arena, str_from(keys[i])));
    }
    assert_int_equal(arena.used_bytes, used);
    assert_int_equal(map.count, 1000);
    assert_int_equal(string_map_reserve(&map, &arena, SIZE_MAX), -1);
    arena_release(&arena);
}

static void a_full_arena_leaves_the_map_as_it_was(void **state)
{
    struct string_map map = {0};
    struct arena arena;
    char keys[64][12];
    int put = 0;
    (void)state;
    arena_init(&arena, 1500);
    for (int i = 0; i < 64; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        if (string_map_put(&map, &arena, str_from(keys[i])) == NULL)
            break;
        put++;
    }
    assert_true(put > 0 && put < 64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(i < put &&
                             string_map_get(&map, str_from(keys[i])) != NULL,
                         i < put);
    arena_release(&arena);
}

static void wire_O09_hashes_are_those_of_their_definitions(void **state)
{
    uint8_t secret[KEYED_HASH_SECRET];
    char digits[65];
    (void)state;
    for (uint8_t i = 0; i < sizeof secret; i++)
        secret[i] = i;
    /* The first and last rows of the table in SipHash's own paper. */
    assert_int_equal(keyed_hash(secret, STR("")), UINT64_C(0x726fdb47dd0e0e31));
    assert_int_equal(
        keyed_hash(secret, STR("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16")),
        UINT64_C(0xa129ca6149be45e5));
    sha256_hex(STR("abc"), digits);
    assert_string_equal(digits, "ba7816bf8f01cfea414140de5dae2223b00361a39617"
                                "7a9cb410ff61f20015ad");
    struct str parts[] = {STR("a"), {0}, STR("bc")};
    char again[65];
    sha256_hex_parts(parts, 3, again);
    assert_string_equal(again, digits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_keys_are_found_again),
        cmocka_unit_test(a_key_again_is_the_same_slot),
        cmocka_unit_test(room_that_was_reserved_is_not_left_behind),
        cmocka_unit_test(a_full_arena_leaves_the_map_as_it_was),
        cmocka_unit_test(wire_O09_hashes_are_those_of_their_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
