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

static const struct sasl_channel channel = {.hostname = STR_INIT("mx.example")};

struct exchange_case {
    enum sasl_mechanism mechanism;
    const char *initial; /* NULL: none */
    const char *lines[3];
    enum sasl_next want; /* of the last one */
    struct str want_name;
    struct str want_secret;
};

static enum sasl_next exchange(struct sasl *sasl, const struct exchange_case *c)
{
    const char *challenge = NULL;
    sasl_init(sasl, c->mechanism, &channel);
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
    if (c->want == SASL_CLAIM) {
        assert_true(
            str_equals(str_span(sasl.name, sasl.name_length), c->want_name));
        assert_true(str_equals(str_span(sasl.secret, sasl.secret_length),
                               c->want_secret));
    } else if (c->want != SASL_CHALLENGE) {
        assert_null(sasl.name);
        assert_null(sasl.secret);
    }
    sasl_release(&sasl);
    assert_null(sasl.name);
    assert_null(sasl.secret);
    sasl_release(&sasl);
}

static void mechanisms_have_names(void **state)
{
    (void)state;
    static const char *const names[SASL_MECHANISMS] = {
        "PLAIN",       "LOGIN",   "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
        "OAUTHBEARER", "XOAUTH2", "EXTERNAL",      "CRAM-MD5"};
    enum sasl_mechanism mechanism;
    for (int i = 0; i < SASL_MECHANISMS; i++) {
        assert_int_equal(sasl_mechanism_parse(str_from(names[i]), &mechanism),
                         0);
        assert_int_equal(mechanism, i);
        assert_string_equal(sasl_mechanism_name(mechanism), names[i]);
    }
    assert_int_equal(sasl_mechanism_parse(STR("scram-sha-256"), &mechanism), 0);
    assert_int_equal(mechanism, SASL_SCRAM_SHA_256);
    static const char *const unknown[] = {
        "", "PLAI", "PLAINX", "SCRAM-SHA-1", "SCRAM-SHA-256-", "PLAIN LOGIN"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(sasl_mechanism_parse(str_from(unknown[i]), &mechanism),
                         -1);
}

static void exchanges_give_claims(void **state)
{
    (void)state;
    static const struct exchange_case cases[] = {
        {SASL_PLAIN,
         "AHUAcA==",
         {NULL},
         SASL_CLAIM,
         STR_INIT("u"),
         STR_INIT("p")},
        {SASL_PLAIN,
         NULL,
         {"AHUAcA=="},
         SASL_CLAIM,
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
         SASL_CLAIM,
         STR_INIT("u"),
         STR_INIT("p")},
        {SASL_LOGIN,
         "dQ==",
         {"cA=="},
         SASL_CLAIM,
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
    sasl_init(&sasl, SASL_LOGIN, &channel);
    sasl_begin(&sasl, false, STR(""), &challenge);
    assert_string_equal(challenge, "VXNlcm5hbWU6");
    sasl_respond(&sasl, STR("dQ=="), &challenge);
    assert_string_equal(challenge, "UGFzc3dvcmQ6");
    sasl_release(&sasl);
    sasl_init(&sasl, SASL_PLAIN, &channel);
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
        {STR_INIT("\0u\0p"), SASL_CLAIM},
        {STR_INIT("u\0u\0p"), SASL_CLAIM},
        {STR_INIT("\0\xc3\xa9\0\xe2\x82\xac"), SASL_CLAIM},
        {STR_INIT("\0u\0p p\tp"), SASL_CLAIM},
        {STR_INIT("a\0u\0p"), SASL_CLAIM},
        {STR_INIT("U\0u\0p"), SASL_CLAIM},
        {STR_INIT("a\n\0u\0p"), SASL_MALFORMED},
        {STR_INIT("a\x7f\0u\0p"), SASL_MALFORMED},
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

static void whom_a_login_acts_for_is_handed_on(void **state)
{
    (void)state;
    static const struct {
        struct str message;
        const char *want; /* NULL: nobody else */
    } cases[] = {
        {STR_INIT("\0u\0p"), NULL},
        {STR_INIT("u\0u\0p"), NULL},
        {STR_INIT("U\0u\0p"), "U"},
        {STR_INIT("a@b.example\0u\0p"), "a@b.example"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = encode(cases[i].message);
        struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = text};
        struct sasl sasl;
        assert_int_equal(exchange(&sasl, &c), SASL_CLAIM);
        assert_string_equal(sasl.name, "u");
        if (cases[i].want == NULL) {
            assert_null(sasl.authzid);
        } else {
            assert_string_equal(sasl.authzid, cases[i].want);
            assert_int_equal(sasl.authzid_length, strlen(cases[i].want));
        }
        const char *challenge;
        assert_false(sasl_refuse(&sasl, &challenge));
        assert_null(sasl.authzid);
        free(text);
    }
}

/* The longest name, and one octet more, in both fields. */
static void names_have_a_limit(void **state)
{
    (void)state;
    for (int is_authzid = 0; is_authzid < 2; is_authzid++) {
        for (size_t length = SASL_NAME_MAX; length <= SASL_NAME_MAX + 1;
             length++) {
            char message[2 * SASL_NAME_MAX];
            memset(message, 'n', sizeof message);
            memcpy(message + length, is_authzid ? "\0u\0p" : "\0p\0", 4);
            struct str said = str_span(message, length + (is_authzid ? 4 : 2));
            char shifted[2 * SASL_NAME_MAX] = {0};
            memcpy(shifted + !is_authzid, said.p, said.n);
            char *text = encode(str_span(shifted, said.n + !is_authzid));
            struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = text};
            struct sasl sasl;
            assert_int_equal(exchange(&sasl, &c), length == SASL_NAME_MAX
                                                      ? SASL_CLAIM
                                                      : SASL_MALFORMED);
            sasl_release(&sasl);
            free(text);
        }
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
    sasl_init(&sasl, SASL_PLAIN, &channel);
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
        {4, SASL_CLAIM},    {5, SASL_CLAIM},        {6, SASL_CLAIM},
        {7, SASL_CLAIM},    {255, SASL_CLAIM},      {256, SASL_CLAIM},
        {257, SASL_CLAIM},  {9214, SASL_CLAIM},     {9215, SASL_CLAIM},
        {9216, SASL_CLAIM}, {9217, SASL_MALFORMED}, {49152, SASL_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = long_message(cases[i].octets);
        struct exchange_case c = {.mechanism = SASL_PLAIN, .initial = text};
        struct sasl sasl;
        assert_int_equal(exchange(&sasl, &c), cases[i].want);
        if (cases[i].want == SASL_CLAIM)
            assert_int_equal(sasl.secret_length, cases[i].octets - 3);
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
    assert_int_equal(exchange(&sasl, &c), SASL_CLAIM);
    assert_int_equal(sasl_respond(&sasl, STR("AHUAcA=="), &challenge),
                     SASL_MALFORMED);
    assert_null(sasl.secret);
    sasl_release(&sasl);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mechanisms_have_names),
        cmocka_unit_test(exchanges_give_claims),
        cmocka_unit_test(challenges_are_those_that_clients_know),
        cmocka_unit_test(wire_A01_only_the_grammar_of_rfc_4616_passes),
        cmocka_unit_test(whom_a_login_acts_for_is_handed_on),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(wire_A02_base64_is_read_strictly),
        cmocka_unit_test(wire_A02_long_responses),
        cmocka_unit_test(wire_A03_odd_steps),
        cmocka_unit_test(a_finished_exchange_takes_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
