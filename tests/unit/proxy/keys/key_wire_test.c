#include "proxy/keys/key_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char message[KEY_WIRE_ROOM];

static size_t put_question(void)
{
    struct key_question question = {.algorithm = 0x0804, .input = STR("hash")};
    memset(question.name, 'n', sizeof question.name);
    return key_wire_put_question(message, 0x01020304, &question);
}

static void a_question_comes_out_as_it_went_in(void **state)
{
    struct key_question out;
    uint32_t id = 0;
    (void)state;
    size_t n = put_question();
    assert_int_equal(n, KEY_WIRE_HEAD + KEY_NAME_OCTETS + 4);
    assert_int_equal(key_wire_get_question(str_span(message, n), &id, &out), 0);
    assert_int_equal(id, 0x01020304);
    assert_int_equal(out.algorithm, 0x0804);
    assert_int_equal(out.name[31], 'n');
    assert_true(str_equals(out.input, STR("hash")));
}

static void an_answer_comes_out_as_it_went_in(void **state)
{
    static char most[KEY_SIGNATURE_MAX];
    const struct str signatures[] = {STR("signed"), STR(""),
                                     str_span(most, sizeof most)};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct str out;
        uint32_t id = 0;
        size_t n = key_wire_put_answer(message, 0xfffffff0, signatures[i]);
        assert_int_equal(key_wire_get_answer(str_span(message, n), &id, &out),
                         0);
        assert_int_equal(id, 0xfffffff0);
        assert_true(str_equals(out, signatures[i]));
    }
}

static void what_is_cut_or_longer_is_none(void **state)
{
    struct key_question out;
    struct str signature;
    uint32_t id;
    (void)state;
    size_t whole = put_question();
    for (size_t n = 0; n < sizeof message; n++)
        assert_int_equal(key_wire_get_question(str_span(message, n), &id, &out),
                         n == whole ? 0 : -1);
    whole = key_wire_put_answer(message, 1, STR("signed"));
    for (size_t n = 0; n < sizeof message; n++)
        assert_int_equal(
            key_wire_get_answer(str_span(message, n), &id, &signature),
            n == whole ? 0 : -1);
}

static void an_octet_that_is_wrong_makes_it_none(void **state)
{
    static const size_t places[] = {0, 1, 8, 9, 10, 11};
    struct key_question out;
    struct str signature;
    uint32_t id;
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t n = put_question();
        message[places[i]] ^= 1;
        assert_int_equal(key_wire_get_question(str_span(message, n), &id, &out),
                         -1);
        n = key_wire_put_answer(message, 1, STR("signed"));
        message[places[i]] ^= 1;
        assert_int_equal(
            key_wire_get_answer(str_span(message, n), &id, &signature), -1);
    }
}

static void an_input_over_the_cap_is_none(void **state)
{
    static char input[KEY_INPUT_MAX];
    struct key_question question = {.input = str_span(input, sizeof input)},
                        out;
    uint32_t id;
    (void)state;
    size_t n = key_wire_put_question(message, 1, &question);
    assert_int_equal(key_wire_get_question(str_span(message, n), &id, &out), 0);
    message[8] = (char)((n + 1 - KEY_WIRE_HEAD) >> 8);
    message[9] = (char)((n + 1 - KEY_WIRE_HEAD) & 0xff);
    assert_int_equal(key_wire_get_question(str_span(message, n + 1), &id, &out),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_comes_out_as_it_went_in),
        cmocka_unit_test(an_answer_comes_out_as_it_went_in),
        cmocka_unit_test(what_is_cut_or_longer_is_none),
        cmocka_unit_test(an_octet_that_is_wrong_makes_it_none),
        cmocka_unit_test(an_input_over_the_cap_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
