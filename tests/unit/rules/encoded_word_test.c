/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/encoded_word.h"

static void assert_decoded(const char *body, const char *want)
{
    struct arena arena;
    arena_init(&arena, 65536);
    struct str got = header_text_decode(&arena, str_from(body));
    if (!str_equals(got, str_from(want)))
        fail_msg("%s: got \"%.*s\"", body, (int)got.n, got.p);
    arena_release(&arena);
}

static void texts_are_unfolded_and_decoded(void **state)
{
    (void)state;
    assert_decoded(" plain ", "plain");
    assert_decoded(" two\r\n lines", "two lines");
    assert_decoded("=?utf-8?B?R3LDvMOfZQ==?=", "Gr\xc3\xbc\xc3\x9f"
                                               "e");
    assert_decoded("=?UTF-8?q?a_b=3D?= c", "a b= c");
    assert_decoded("=?iso-8859-1?Q?M=FCller?=", "M\xc3\xbcller");
    assert_decoded("=?utf-8*de?Q?x?=", "x");
    /* Blanks between encoded words vanish, folds with them. */
    assert_decoded("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab");
    assert_decoded("=?utf-8?Q?a?= b", "a b");
    /* What is no encoded word stays as it is. */
    assert_decoded("=?utf-8?X?a?=", "=?utf-8?X?a?=");
    assert_decoded("=?utf-8?Q?a", "=?utf-8?Q?a");
    assert_decoded("=?", "=?");
    assert_decoded("=??Q?a?=", "=??Q?a?=");
    /* Controls that were hidden inside become blanks. */
    assert_decoded("=?utf-8?Q?a=0D=0Ab=00c?=", "a  b c");
}

static void long_texts_are_encoded_in_pieces(void **state)
{
    struct arena arena;
    char text[601];
    (void)state;
    arena_init(&arena, 65536);
    for (size_t i = 0; i < 600; i += 2) {
        text[i] = '\xc3';
        text[i + 1] = '\xbc';
    }
    struct str encoded = encoded_word_encode(&arena, str_span(text, 600));
    size_t word = 0;
    for (size_t i = 0; i < encoded.n; i++) {
        word = encoded.p[i] == ' ' ? 0 : word + 1;
        assert_true(word <= 75);
        assert_true(encoded.p[i] >= ' ' && encoded.p[i] <= '~');
    }
    struct str back = header_text_decode(&arena, encoded);
    assert_true(str_equals(back, str_span(text, 600)));
    assert_true(
        str_equals(encoded_word_encode(&arena, STR("plain")), STR("plain")));
    arena_release(&arena);
}

static void every_length_comes_back(void **state)
{
    char text[200];
    (void)state;
    for (size_t n = 1; n < sizeof text; n++) {
        struct arena arena;
        arena_init(&arena, 65536);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)('a' + i % 26);
        text[n - 1] = '\xa9';
        if (n > 1)
            text[n - 2] = '\xc3';
        struct str encoded = encoded_word_encode(&arena, str_span(text, n));
        assert_true(
            str_equals(header_text_decode(&arena, encoded), str_span(text, n)));
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_unfolded_and_decoded),
        cmocka_unit_test(long_texts_are_encoded_in_pieces),
        cmocka_unit_test(every_length_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
