#include "proxy/sasl/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct url_case {
    const char *text;
    const char *want; /* NULL: refused */
};

static const struct url_case url_cases[] = {
    {"", ""},
    {"Zg", "f"},
    {"Zm8", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg", "foob"},
    {"Zm9vYmE", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"-_-_", "\xfb\xff\xbf"},
    /* Padding, the other alphabet, white space, a NUL's place. */
    {"Zg==", NULL},
    {"Zm8=", NULL},
    {"Zm9v=", NULL},
    {"+/+/", NULL},
    {"Zm 9v", NULL},
    {"Zm9v\n", NULL},
    {"Zm9\xc3", NULL},
    /* A lone character, bits left over. */
    {"Z", NULL},
    {"Zm9vY", NULL},
    {"A", NULL},
    {"Zm9vA", NULL},
    {"Zh", NULL},
    {"Zm9", NULL},
    {"Zm-", NULL},
};

static void the_url_safe_alphabet_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof url_cases / sizeof *url_cases; i++) {
        const struct url_case *c = &url_cases[i];
        char decoded[32];
        size_t length;
        int result = base64url_decode(str_from(c->text), decoded, &length);
        print_message("  %s\n", c->text);
        assert_int_equal(result, c->want == NULL ? -1 : 0);
        if (c->want != NULL) {
            assert_int_equal(length, strlen(c->want));
            assert_memory_equal(decoded, c->want, length);
        }
    }
}

static void what_was_decoded_may_stand_where_the_text_was(void **state)
{
    char text[] = "Zm9vYmFy";
    size_t length;
    (void)state;
    assert_int_equal(base64url_decode(str_from(text), text, &length), 0);
    assert_int_equal(length, 6);
    assert_memory_equal(text, "foobar", length);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_url_safe_alphabet_is_read_strictly),
        cmocka_unit_test(what_was_decoded_may_stand_where_the_text_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
