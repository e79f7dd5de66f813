#include "rules/header_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* One field a line, as "Name: body". */
static void fill(struct header_fields *fields, const char *const *lines)
{
    header_fields_init(fields, &arena);
    for (; *lines != NULL; lines++) {
        struct str line = str_from(*lines);
        size_t colon = (size_t)str_index(line, ':');
        struct header_field field = {
            .name = str_head(line, colon),
            .body = str_span(line.p + colon + 1, line.n - colon - 3),
            .raw = line,
        };
        assert_int_equal(header_fields_append(fields, &field), 0);
    }
}

static void assert_block(const struct header_fields *fields, const char *want)
{
    char all[8192];
    size_t n = 0;
    for (size_t i = 0; i < fields->count; i++) {
        struct str raw = fields->items[i].raw;
        assert_true(n + raw.n < sizeof all);
        memcpy(all + n, raw.p, raw.n);
        n += raw.n;
    }
    all[n] = '\0';
    assert_string_equal(all, want);
    assert_int_equal(header_fields_bytes(fields), n);
}

static const char *const LETTER[] = {
    "Received: a\r\n", "X-Mailer: m\r\n",  "Subject: s\r\n",
    "received: b\r\n", "x-mailer2: n\r\n", NULL,
};

static void edits_change_the_block(void **state)
{
    (void)state;
    static const struct {
        struct header_edit edit;
        const char *want;
    } cases[] = {
        {{HEADER_EDIT_REMOVE, STR_INIT("X-MAILER"), STR_INIT("")},
         "Received: a\r\nSubject: s\r\nreceived: b\r\nx-mailer2: n\r\n"},
        {{HEADER_EDIT_REMOVE, STR_INIT("x-*"), STR_INIT("")},
         "Received: a\r\nSubject: s\r\nreceived: b\r\n"},
        {{HEADER_EDIT_REMOVE, STR_INIT("*e*"), STR_INIT("")}, ""},
        {{HEADER_EDIT_REMOVE, STR_INIT("*"), STR_INIT("")}, ""},
        {{HEADER_EDIT_REMOVE, STR_INIT("Absent"), STR_INIT("")},
         "Received: a\r\nX-Mailer: m\r\nSubject: s\r\nreceived: b\r\n"
         "x-mailer2: n\r\n"},
        {{HEADER_EDIT_SET, STR_INIT("RECEIVED"), STR_INIT("c")},
         "X-Mailer: m\r\nSubject: s\r\nx-mailer2: n\r\nRECEIVED: c\r\n"},
        {{HEADER_EDIT_SET, STR_INIT("*"), STR_INIT("c")},
         "Received: a\r\nX-Mailer: m\r\nSubject: s\r\nreceived: b\r\n"
         "x-mailer2: n\r\n*: c\r\n"},
        {{HEADER_EDIT_ADD, STR_INIT("Subject"), STR_INIT("t")},
         "Received: a\r\nX-Mailer: m\r\nSubject: s\r\nreceived: b\r\n"
         "x-mailer2: n\r\nSubject: t\r\n"},
        {{HEADER_EDIT_ADD_MISSING, STR_INIT("subject"), STR_INIT("t")},
         "Received: a\r\nX-Mailer: m\r\nSubject: s\r\nreceived: b\r\n"
         "x-mailer2: n\r\n"},
        {{HEADER_EDIT_ADD_MISSING, STR_INIT("Date"), STR_INIT(" \td ")},
         "Received: a\r\nX-Mailer: m\r\nSubject: s\r\nreceived: b\r\n"
         "x-mailer2: n\r\nDate: d\r\n"},
        {{HEADER_EDIT_SET, STR_INIT("Subject"), STR_INIT("")},
         "Received: a\r\nX-Mailer: m\r\nreceived: b\r\nx-mailer2: n\r\n"
         "Subject: \r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header_fields fields;
        fill(&fields, LETTER);
        assert_int_equal(header_fields_edit(&fields, &cases[i].edit), 0);
        assert_block(&fields, cases[i].want);
    }
}

static void an_added_field_has_its_parts(void **state)
{
    (void)state;
    struct header_edit edit = {HEADER_EDIT_ADD, STR("Name"), STR("value")};
    struct header_fields fields;
    header_fields_init(&fields, &arena);
    assert_int_equal(header_fields_edit(&fields, &edit), 0);
    assert_int_equal(fields.count, 1);
    assert_true(str_equals(fields.items[0].name, STR("Name")));
    assert_true(str_equals(fields.items[0].body, STR(" value")));
    assert_true(str_equals(fields.items[0].raw, STR("Name: value\r\n")));
}

static void names_and_values_that_could_inject_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        struct str value;
    } cases[] = {
        {STR_INIT(""), STR_INIT("v")},
        {STR_INIT("A B"), STR_INIT("v")},
        {STR_INIT("A:"), STR_INIT("v")},
        {STR_INIT("A\r\nB"), STR_INIT("v")},
        {STR_INIT("A\0"), STR_INIT("v")},
        {STR_INIT("A\x7f"), STR_INIT("v")},
        {STR_INIT("A\xa0"), STR_INIT("v")},
        {STR_INIT("A"), STR_INIT("v\r\n Bcc: x@y")},
        {STR_INIT("A"), STR_INIT("v\r")},
        {STR_INIT("A"), STR_INIT("v\nB: x")},
        {STR_INIT("A"), STR_INIT("v\0")},
    };
    static const enum header_edit_kind kinds[] = {
        HEADER_EDIT_SET, HEADER_EDIT_ADD, HEADER_EDIT_ADD_MISSING};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            struct header_edit edit = {kinds[k], cases[i].name, cases[i].value};
            struct header_fields fields;
            fill(&fields, LETTER);
            assert_int_equal(header_fields_edit(&fields, &edit), -2);
            assert_int_equal(fields.count, 5);
        }
    }
}

/* Words of nine octets and a space, `words` times. */
static struct str words_of(size_t words, const char *space)
{
    struct str out = {"", 0};
    for (size_t i = 0; i < words; i++)
        out = arena_printf(&arena, "%s%s%09zu", out.p, i == 0 ? "" : space, i);
    return out;
}

/* No line over 998 octets, none of white space alone, and unfolding gives
 * the value back. */
static void assert_folded(struct str raw, struct str want)
{
    char flat[8192];
    size_t n = 0;
    size_t line = 0;
    bool has_text = false;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] != '\r') {
            has_text = has_text || (raw.p[i] != ' ' && raw.p[i] != '\t');
            flat[n++] = raw.p[i];
            line++;
            continue;
        }
        assert_int_equal(raw.p[++i], '\n');
        assert_true(line <= 998 && has_text);
        assert_true(i + 1 == raw.n || raw.p[i + 1] == ' ' ||
                    raw.p[i + 1] == '\t');
        line = 0;
        has_text = false;
    }
    assert_int_equal(n, want.n);
    assert_memory_equal(flat, want.p, n);
}

static void wire_D07_long_values_are_folded(void **state)
{
    (void)state;
    static const char *const spaces[] = {" ", "\t", "   ", " \t "};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        for (size_t words = 70; words < 320; words += 9) {
            struct str value = words_of(words, spaces[i]);
            struct header_edit edit = {HEADER_EDIT_ADD, STR("X"), value};
            struct header_fields fields;
            header_fields_init(&fields, &arena);
            assert_int_equal(header_fields_edit(&fields, &edit), 0);
            assert_folded(fields.items[0].raw,
                          arena_printf(&arena, "X: %s", value.p));
            arena_reset(&arena);
        }
    }
}

static void wire_D07_a_word_longer_than_a_line_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t octets;
        int want;
    } cases[] = {{995, 0}, {996, -2}, {5000, -2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *word = arena_alloc(&arena, cases[i].octets);
        memset(word, 'w', cases[i].octets);
        struct header_edit edit = {HEADER_EDIT_SET, STR("X"),
                                   str_span(word, cases[i].octets)};
        struct header_fields fields;
        header_fields_init(&fields, &arena);
        assert_int_equal(header_fields_edit(&fields, &edit), cases[i].want);
    }
}

static void no_fold_makes_a_line_of_white_space(void **state)
{
    (void)state;
    static const struct {
        size_t spaces;
        int want;
    } cases[] = {{500, 0}, {997, 0}, {998, -2}, {1500, -2}, {3000, -2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = 600 + cases[i].spaces + 1;
        char *text = arena_alloc(&arena, n);
        memset(text, ' ', n);
        memset(text, 'a', 600);
        text[n - 1] = 'b';
        struct header_edit edit = {HEADER_EDIT_ADD, STR("X"),
                                   str_span(text, n)};
        struct header_fields fields;
        header_fields_init(&fields, &arena);
        assert_int_equal(header_fields_edit(&fields, &edit), cases[i].want);
        if (cases[i].want == 0)
            assert_folded(fields.items[0].raw,
                          arena_printf(&arena, "X: %.*s", (int)n, text));
    }
}

static void a_name_leaves_room_for_its_value(void **state)
{
    (void)state;
    static const struct {
        size_t octets;
        int want;
    } cases[] = {{995, 0}, {996, -2}, {997, -2}, {998, -2}, {999, -2}};
    char name[999];
    memset(name, 'N', sizeof name);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header_edit edit = {HEADER_EDIT_ADD,
                                   str_span(name, cases[i].octets), STR("v")};
        struct header_fields fields;
        header_fields_init(&fields, &arena);
        assert_int_equal(header_fields_edit(&fields, &edit), cases[i].want);
    }
}

static void a_full_arena_is_told_and_changes_nothing(void **state)
{
    (void)state;
    struct arena small;
    arena_init(&small, 0);
    struct header_edit edit = {HEADER_EDIT_SET, STR("Subject"), STR("t")};
    struct header_fields fields;
    fill(&fields, LETTER);
    fields.arena = &small;
    assert_int_equal(header_fields_edit(&fields, &edit), -1);
    assert_int_equal(fields.count, 5);
}

static void hops_are_the_received_fields(void **state)
{
    (void)state;
    struct header_fields fields;
    fill(&fields, LETTER);
    assert_int_equal(header_fields_hops(&fields), 2);
    assert_int_equal(header_fields_bytes(&fields), 13 + 13 + 12 + 13 + 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_change_the_block),
        cmocka_unit_test(an_added_field_has_its_parts),
        cmocka_unit_test(names_and_values_that_could_inject_are_refused),
        cmocka_unit_test(wire_D07_long_values_are_folded),
        cmocka_unit_test(wire_D07_a_word_longer_than_a_line_is_refused),
        cmocka_unit_test(no_fold_makes_a_line_of_white_space),
        cmocka_unit_test(a_name_leaves_room_for_its_value),
        cmocka_unit_test(a_full_arena_is_told_and_changes_nothing),
        cmocka_unit_test(hops_are_the_received_fields),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
