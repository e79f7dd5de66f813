#include "proxy/replay/json_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void texts_are_read_with_their_escapes(void **state)
{
    static const struct {
        const char *text, *want; /* want NULL: it is none */
    } cases[] = {
        {"{\"a\":\"x\"}", "x"},
        {" { \"a\" : \"\" } ", ""},
        {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
        {"{\"a\":\"\\u0041\\u00e9\\u20ac\"}", "A\xc3\xa9\xe2\x82\xac"},
        {"{\"a\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80"},
        {"{\"b\":[1,{\"a\":\"y\"}],\"a\":\"z\"}", "z"},
        {"{\"a\":\"\\ud83d\"}", NULL},
        {"{\"a\":\"\\ude00\"}", NULL},
        {"{\"a\":\"\\u00g0\"}", NULL},
        {"{\"a\":\"\\x\"}", NULL},
        {"{\"a\":\"x", NULL},
        {"{\"a\":\"x\"", NULL},
        {"{\"a\":\"x\"}}", NULL},
        {"{\"a\" \"x\"}", NULL},
        {"{a:\"x\"}", NULL},
        {"{\"a\":\"\n\"}", NULL},
        {"{\"a\":1 2}", NULL},
        {"{\"a\":}", NULL},
        {"{\"a\":nul}", NULL},
        {"{\"a\":\"x\"} {}", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        arena_init(&arena, 64 * 1024);
        const struct json_node *root =
            json_tree_read(&arena, str_from(cases[i].text));
        const struct json_node *node = json_node_get(root, "a");
        if (cases[i].want == NULL) {
            assert_null(root);
        } else {
            assert_non_null(node);
            assert_int_equal(node->kind, JSON_NODE_TEXT);
            assert_true(str_equals(node->text, str_from(cases[i].want)));
        }
        arena_release(&arena);
    }
}

static void items_keep_their_order_and_kind(void **state)
{
    static const enum json_kind want[] = {
        JSON_NODE_NULL, JSON_NODE_TRUE,  JSON_NODE_FALSE,
        JSON_NODE_TEXT, JSON_NODE_ARRAY, JSON_NODE_OBJECT,
    };
    struct arena arena;
    size_t i = 0;
    (void)state;
    arena_init(&arena, 64 * 1024);
    const struct json_node *root =
        json_tree_read(&arena, STR("[null,true,false,\"x\",[],{},-1.5e3,0]"));
    assert_non_null(root);
    assert_int_equal(root->count, 8);
    for (const struct json_node *item = root->first; item != NULL;
         item = item->next, i++)
        assert_int_equal(item->kind, i < sizeof want / sizeof want[0]
                                         ? want[i]
                                         : JSON_NODE_NUMBER);
    assert_null(json_node_get(root, "a"));
    arena_release(&arena);
}

static void depth_and_memory_are_bounded(void **state)
{
    struct arena arena;
    char deep[2 * JSON_TREE_DEPTH_MAX + 4];
    (void)state;
    for (size_t depth = JSON_TREE_DEPTH_MAX; depth <= JSON_TREE_DEPTH_MAX + 1;
         depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        arena_init(&arena, 64 * 1024);
        const struct json_node *root =
            json_tree_read(&arena, str_span(deep, 2 * depth));
        assert_int_equal(root != NULL, depth == JSON_TREE_DEPTH_MAX);
        arena_release(&arena);
    }
    arena_init(&arena, 64);
    assert_null(json_tree_read(&arena, STR("[1,2,3,4,5,6,7,8,9]")));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_with_their_escapes),
        cmocka_unit_test(items_keep_their_order_and_kind),
        cmocka_unit_test(depth_and_memory_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
