#include "proxy/sasl/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Base64 of a message, terminated; the caller frees it. */
static char *encode(struct str message)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc((message.n + 2) / 3 * 4 + 1);
    char *to = text;
    assert_non_null(text);
    for (size_t i = 0; i < message.n; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 |
                    (i + k < message.n ? (uint8_t)message.p[i + k] : 0U);
        for (int shift = 18; shift >= 0; shift -= 6)
            *to++ = digits[group >> shift & 63];
    }
    for (size_t k = message.n % 3; k > 0 && k < 3; k++)
        to[k - 3] = '=';
    *to = '\0';
    return text;
}

struct exchange_case {
    enum sasl_mechanism mechanism;
    const char *initial; /* NULL: none */
    const char *lines[3];
    enum sasl_next want; /* of the last one */
    struct str want_name;
    struct str want_password;
};

static enum sasl_next exchange(struct sasl *sasl, const struct exchange_case *c)
{
    const char *challenge = NULL;
    sasl_init(sasl, c->mechanism);
    enum sasl_next next =
        sasl_begin(sasl, c->initial != NULL,
                   str_from(c->initial == NULL ? "" : c->initial), &challenge);
    for (size_t i = 0; i < 3 && c->lines[i] != NULL; i++) {
        assert_int_equal(next, SASL_CHALLENGE);
        assert_non_null(challenge);
        next = sasl_respond(sasl, str_from(c->lines[i]), &challenge);
    }
    return next;
}

static void assert_case(const struct exchange_case *c)
{
    struct sasl sasl;
    assert_int_equal(exchange(&sasl, c), c->want);
    if (c->want == SASL_CREDENTIALS) {
        assert_true(
            str_equals(str_span(sasl.name, sasl.name_length), c->want_name));
        assert_true(str_equals(str_span(sasl.password, sasl.password_length),
                               c->want_password));
    } else if (c->want != SASL_CHALLENGE) {
        assert_null(sasl.name);
        assert_null(sasl.password);
    }
    sasl_release(&sasl);
    assert_null(sasl.name);
    assert_null(sasl.password);
    sasl_release(&sasl);
}

static void mechanisms_have_names(void **state)
{
    (void)state;
    enum sasl_mechanism mechanism;
    assert_int_equal(sasl_mechanism_parse(STR("plain"), &mechanism), 0);
    assert_int_equal(mechanism, SASL_PLAIN);
    assert_int_equal(sasl_mechanism_parse(STR("Login"), &mechanism), 0);
    assert_int_equal(mechanism, SASL_LOGIN);
    assert_string_equal(sasl_mechanism_name(SASL_PLAIN), "PLAIN");
    assert_string_equal(sasl_mechanism_name(SASL_LOGIN), "LOGIN");
    static const char *const unknown[] = {"", "PLAI", "PLAINX", "CRAM-MD5",
                                          "PLAIN LOGIN"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(sasl_mechanism_parse(str_from(unknown[i]), &mechanism),
                         -1);
}

static void exchanges_give_credentials(void **state)
{
    (void)state;
    static const struct exchange_case cases[] = {
        {SASL_PLAIN,
         "AHUAcA==",
         {NULL},
         SASL_CREDENTIALS,
         STR_INIT("u"),
         STR_INIT("p")},
        {SASL_PLAIN,
         NULL,
         {"AHUAcA=="},
         SASL_CREDENTIALS,
         STR_INIT("u"),
         STR_INIT("p")},
        {SASL_PLAIN, NULL, {NULL}, SASL_CHALLENGE, STR_INIT(""), STR_INIT("")},
        {SASL_LOGIN, NULL, {NULL}, SASL_CHALLENGE, STR_INIT(""), STR_INIT("")},
        {SASL_LOGIN,
         NULL,
         {"dQ=="},
         SASL_CHALLENGE,
         STR_INIT(""),
         STR_INIT("")},
        {SASL_LOGIN,
         NULL,
         {"dQ==", "cA=="},
         SASL_CREDENTIALS,
         STR_INIT("u"),
         STR_INIT("p")},
        {SASL_LOGIN,
         "dQ==",
         {"cA=="},
         SASL_CREDENTIALS,
         STR_INIT("u"),
         STR_INIT("p")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_case(&cases[i]);
}

static void challenges_are_those_that_clients_know(void **state)
{
    (void)state;
    struct sasl sasl;
    const char *challenge;
    sasl_init(&sasl, SASL_LOGIN);
    sasl_begin(&sasl, false, STR(""), &challenge);
    assert_string_equal(challenge, "VXNlcm5hbWU6");
    sasl_respond(&sasl, STR("dQ=="), &challenge);
    assert_string_equal(challenge, "UGFzc3dvcmQ6");
    sasl_release(&sasl);
    sasl_init(&sasl, SASL_PLAIN);
    sasl_begin(&sasl, false, STR(""), &challenge);
    assert_string_equal(challenge, "");
    sasl_release(&sasl);
}

static void wire_A01_only_the_grammar_of_rfc_4616_passes(void **state)
{
    (void)state;
    static const struct {
        struct str message;
        enum sasl_next want;
    } cases[] = {
        {STR_INIT("\0u\0p"), SASL_CREDENTIALS},
        {STR_INIT("u\0u\0p"), SASL_CREDENTIALS},
        {STR_INIT("\0\xc3\xa9\0\xe2\x82\xac"), SASL_CREDENTIALS},
        {STR_INIT("\0u\0p p\tp"), SASL_CREDENTIALS},
        {STR_INIT("a\0u\0p"), SASL_MISMATCH},
        {STR_INIT("U\0u\0p"), SASL_MISMATCH},
        {STR_INIT("u\0p"), SASL_MALFORMED},
        {STR_INIT("\0\0"), SASL_MALFORMED},
        {STR_INIT("\0u\0"), SASL_MALFORMED},
        {STR_INIT("\0\0p"), SASL_MALFORMED},
        {STR_INIT("u\0\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\0p\0x"), SASL_MALFORMED},
        {STR_INIT("\0u\0p\0"), SASL_MALFORMED},
        {STR_INIT("\0\0\0"), SASL_MALFORMED},
        {STR_INIT("u"), SASL_MALFORMED},
        {STR_INIT("\0"), SASL_MALFORMED},
        {STR_INIT("\0u\r\nx\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\nx\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\x7f\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\x1b\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\0p\r\n"), SASL_MALFORMED},
        {STR_INIT("\0u\0p\n"), SASL_MALFORMED},
        {STR_INIT("\0u\xff\0p"), SASL_MALFORMED},
        {STR_INIT("\0u\0p\xc0\xae"), SASL_MALFORMED},
        {STR_INIT("\0u\xc3\0p"), SASL_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = encode(cases[i].message);
        struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = text};
        struct sasl sasl;
        assert_int_equal(exchange(&sasl, &c), cases[i].want);
        sasl_release(&sasl);
        free(text);
    }
}

static void wire_A02_base64_is_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "AHUAcA",     "AHUAcA=",   "AHUAcA===",
        "AHUAcA====", "====",      "=",
        "==",         "===",       "AHUA cA==",
        " AHUAcA==",  "AHUAcA== ", "AHUA\rcA==",
        "AHU*cA==",   "AHUAcB==",  "AHUAcP==",
        "AHUAc===",   "AH=AcA==",  "AHUAcA==AA",
        "AHUAcA\n==", "A",         "AHUAcA==AHUAcA==",
        "AHUA_A==",   "AHUA-A==",  "AHUAcA==\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct exchange_case initial = {
            .mechanism = SASL_PLAIN, .initial = bad[i], .want = SASL_MALFORMED};
        struct exchange_case line = {
            .mechanism = SASL_PLAIN, .lines = {bad[i]}, .want = SASL_MALFORMED};
        struct exchange_case name = {
            .mechanism = SASL_LOGIN, .lines = {bad[i]}, .want = SASL_MALFORMED};
        assert_case(&initial);
        assert_case(&line);
        assert_case(&name);
    }
    struct sasl sasl;
    const char *challenge;
    sasl_init(&sasl, SASL_PLAIN);
    assert_int_equal(sasl_begin(&sasl, true, STR("AHUA\0cA=="), &challenge),
                     SASL_MALFORMED);
    sasl_release(&sasl);
}

/* A PLAIN message of `octets` octets, in base64. */
static char *long_message(size_t octets)
{
    char *message = malloc(octets);
    assert_non_null(message);
    memset(message, 'p', octets);
    memcpy(message, "\0u\0", 3);
    char *text = encode(str_span(message, octets));
    free(message);
    return text;
}

static void wire_A02_long_responses(void **state)
{
    (void)state;
    static const struct {
        size_t octets;
        enum sasl_next want;
    } cases[] = {
        {4, SASL_CREDENTIALS},    {5, SASL_CREDENTIALS},
        {6, SASL_CREDENTIALS},    {7, SASL_CREDENTIALS},
        {255, SASL_CREDENTIALS},  {256, SASL_CREDENTIALS},
        {257, SASL_CREDENTIALS},  {9214, SASL_CREDENTIALS},
        {9215, SASL_CREDENTIALS}, {9216, SASL_CREDENTIALS},
        {9217, SASL_MALFORMED},   {49152, SASL_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = long_message(cases[i].octets);
        struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = text};
        struct sasl sasl;
        assert_int_equal(exchange(&sasl, &c), cases[i].want);
        if (cases[i].want == SASL_CREDENTIALS)
            assert_int_equal(sasl.password_length, cases[i].octets - 3);
        sasl_release(&sasl);
        free(text);
    }
}

static void wire_A03_odd_steps(void **state)
{
    (void)state;
    static const struct exchange_case cases[] = {
        {.mechanism = SASL_LOGIN, .lines = {"*"}, .want = SASL_CANCELLED},
        {.mechanism = SASL_LOGIN,
         .lines = {"dQ==", "*"},
         .want = SASL_CANCELLED},
        {.mechanism = SASL_PLAIN, .lines = {"*"}, .want = SASL_CANCELLED},
        {.mechanism = SASL_PLAIN, .initial = "*", .want = SASL_MALFORMED},
        {.mechanism = SASL_PLAIN, .initial = "", .want = SASL_MALFORMED},
        {.mechanism = SASL_PLAIN, .initial = "=", .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN, .initial = "=", .want = SASL_MALFORMED},
        {.mechanism = SASL_PLAIN, .lines = {""}, .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN, .lines = {""}, .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN,
         .lines = {"dQ==", ""},
         .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN, .lines = {"QUIT"}, .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN,
         .lines = {"dQ==", "RSET "},
         .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN, .lines = {"**"}, .want = SASL_MALFORMED},
        /* "u\0p" as a name. */
        {.mechanism = SASL_LOGIN, .lines = {"dQBw"}, .want = SASL_MALFORMED},
        /* "u\r\n" as a name, "p\n" as a password. */
        {.mechanism = SASL_LOGIN, .lines = {"dQ0K"}, .want = SASL_MALFORMED},
        {.mechanism = SASL_LOGIN,
         .lines = {"dQ==", "cAo="},
         .want = SASL_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_case(&cases[i]);
}

static void a_finished_exchange_takes_nothing_more(void **state)
{
    (void)state;
    struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = "AHUAcA=="};
    struct sasl sasl;
    const char *challenge;
    assert_int_equal(exchange(&sasl, &c), SASL_CREDENTIALS);
    assert_int_equal(sasl_respond(&sasl, STR("AHUAcA=="), &challenge),
                     SASL_MALFORMED);
    assert_null(sasl.password);
    sasl_release(&sasl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mechanisms_have_names),
        cmocka_unit_test(exchanges_give_credentials),
        cmocka_unit_test(challenges_are_those_that_clients_know),
        cmocka_unit_test(wire_A01_only_the_grammar_of_rfc_4616_passes),
        cmocka_unit_test(wire_A02_base64_is_read_strictly),
        cmocka_unit_test(wire_A02_long_responses),
        cmocka_unit_test(wire_A03_odd_steps),
        cmocka_unit_test(a_finished_exchange_takes_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
