#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml_tree.h"

struct parsed {
    struct arena arena;
    struct diags diags;
    struct node *root;
};

static void parse(struct parsed *parsed, struct str octets)
{
    arena_init(&parsed->arena, 1024 * 1024 * 1024);
    diags_init(&parsed->diags);
    parsed->root = yaml_tree_parse(&parsed->arena, "f", octets, &parsed->diags);
}

static void release(struct parsed *parsed)
{
    arena_release(&parsed->arena);
    diags_release(&parsed->diags);
}

static void assert_text(const struct node *node, const char *want)
{
    assert_non_null(node);
    assert_int_equal(node->kind, NODE_SCALAR);
    assert_int_equal(node->text.n, strlen(want));
    assert_memory_equal(node->text.p, want, node->text.n);
}

static void every_scalar_is_text(void **state)
{
    (void)state;
    static const char *const texts[] = {"off",  "no",   "yes",       "22:30",
                                        "08",   "0x1f", "1_000",     "~",
                                        "null", "1e3",  "2026-01-05"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char yaml[64];
        struct parsed parsed;
        int length = snprintf(yaml, sizeof yaml, "key: %s\n", texts[i]);
        parse(&parsed, str_span(yaml, (size_t)length));
        assert_text(node_get(parsed.root, "key"), texts[i]);
        assert_true(node_get(parsed.root, "key")->is_plain);
        release(&parsed);
    }
}

static void nodes_know_their_places(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, STR("a: 1\nb:\n  - \"x\"\n  - {ü: [y, z]}\n"));
    const struct node *b = node_get(parsed.root, "b");
    assert_int_equal(b->kind, NODE_SEQUENCE);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->values[0]->mark.line, 3);
    assert_int_equal(b->values[0]->mark.column, 5);
    assert_false(b->values[0]->is_plain);
    assert_string_equal(b->values[0]->mark.file, "f");
    const struct node *list = node_get(b->values[1], "ü");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->values[1]->mark.line, 4);
    /* A column is a character, however many octets it has. */
    assert_int_equal(list->values[1]->mark.column, 13);
    release(&parsed);
}

static void a_comment_behind_a_plain_text_is_noticed(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        bool want;
    } cases[] = {
        {"k: a b #5\n", true},          {"k: a b\t# c\n", true},
        {"k: é ü #5\n", true},          {"k: a#5\n", false},
        {"k: \"a b\" # c\n", false},    {"k: a b\n# c\n", false},
        {"k: [x, a b # c\n ]\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parsed parsed;
        parse(&parsed, str_from(cases[i].yaml));
        const struct node *node = node_get(parsed.root, "k");
        node = node_list_item(node, node_list_count(node) - 1);
        if (node->has_comment != cases[i].want)
            fail_msg("%s", cases[i].yaml);
        release(&parsed);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, STR("\xef\xbb\xbfkey: a #x\n"));
    assert_text(node_get(parsed.root, "key"), "a");
    assert_true(node_get(parsed.root, "key")->has_comment);
    assert_int_equal(node_get(parsed.root, "key")->mark.column, 6);
    release(&parsed);
}

static void an_alias_is_the_node_that_it_names(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, STR("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n"));
    assert_ptr_equal(node_get(parsed.root, "a"), node_get(parsed.root, "b"));
    assert_text(node_get(parsed.root, "d"), "3");
    release(&parsed);
}

/* `count` times a text into memory that the caller frees. */
static struct str repeat(const char *head, const char *text, size_t count,
                         const char *tail)
{
    char *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);
    assert_non_null(out);
    fputs(head, out);
    for (size_t i = 0; i < count; i++)
        fputs(text, out);
    fputs(tail, out);
    fclose(out);
    return (struct str){all, size};
}

static void assert_refused(struct str octets, const char *want)
{
    struct parsed parsed;
    parse(&parsed, octets);
    assert_null(parsed.root);
    assert_int_equal(parsed.diags.errors, 1);
    assert_string_equal(parsed.diags.items[0].text, want);
    release(&parsed);
}

static void wire_O07_depth_has_a_cap(void **state)
{
    (void)state;
    struct parsed parsed;
    struct str within = repeat("", "[", YAML_MAX_DEPTH, "");
    struct str closed = repeat(within.p, "]", YAML_MAX_DEPTH, "\n");
    parse(&parsed, closed);
    assert_non_null(parsed.root);
    release(&parsed);
    free((char *)(uintptr_t)within.p);
    free((char *)(uintptr_t)closed.p);
    struct str beyond = repeat("", "[", 100000, "");
    assert_refused(beyond, "nested more than 32 levels deep");
    free((char *)(uintptr_t)beyond.p);
}

static void depth_counts_what_an_alias_brings(void **state)
{
    (void)state;
    struct str deep = repeat("a: &a ", "[", 20, "");
    struct str yaml =
        repeat(deep.p, "]", 20, "\nb: [[[[[[[[[[[[*a]]]]]]]]]]]]\n");
    assert_refused(yaml, "nested more than 32 levels deep");
    free((char *)(uintptr_t)deep.p);
    free((char *)(uintptr_t)yaml.p);
}

static void wire_O07_laughs_by_the_billion_are_refused(void **state)
{
    (void)state;
    assert_refused(STR("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                       "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                       "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                       "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                       "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                       "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"),
                   "more than 1000000 values, with what aliases expand to");
}

static void wire_O07_the_number_of_values_has_a_cap(void **state)
{
    (void)state;
    struct str yaml = repeat("[", "x,", YAML_MAX_NODES, "]\n");
    assert_refused(yaml,
                   "more than 1000000 values, with what aliases expand to");
    free((char *)(uintptr_t)yaml.p);
}

static void the_number_of_anchors_has_a_cap(void **state)
{
    (void)state;
    struct str yaml = repeat("", "- &a x\n", YAML_MAX_ANCHORS + 1, "");
    assert_refused(yaml, "more than 1000 anchors");
    free((char *)(uintptr_t)yaml.p);
}

static void wire_O07_the_size_has_a_cap(void **state)
{
    (void)state;
    struct str yaml = repeat("# ", "0123456789abcdef", 1024 * 1024, "\n");
    assert_refused(yaml, "larger than 16 MiB");
    free((char *)(uintptr_t)yaml.p);
}

static void wire_O07_other_encodings_are_refused(void **state)
{
    (void)state;
    assert_refused((struct str)STR_INIT("\xff\xfe"
                                        "a\0:\0 \0b\0"),
                   "not UTF-8: save the file in the encoding UTF-8");
    assert_refused((struct str)STR_INIT("k: a\0b\n"),
                   "a control character: remove it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scalar_is_text),
        cmocka_unit_test(nodes_know_their_places),
        cmocka_unit_test(a_comment_behind_a_plain_text_is_noticed),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(an_alias_is_the_node_that_it_names),
        cmocka_unit_test(wire_O07_depth_has_a_cap),
        cmocka_unit_test(depth_counts_what_an_alias_brings),
        cmocka_unit_test(wire_O07_laughs_by_the_billion_are_refused),
        cmocka_unit_test(wire_O07_the_number_of_values_has_a_cap),
        cmocka_unit_test(the_number_of_anchors_has_a_cap),
        cmocka_unit_test(wire_O07_the_size_has_a_cap),
        cmocka_unit_test(wire_O07_other_encodings_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
