#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sasl_channel channel = {.offers_plus = true};

enum { EXCUSED = SASL_MEMORY + 1 }; /* refused within the exchange */

struct oauth_case {
    enum sasl_mechanism mechanism;
    struct str message;
    int want;
    const char *want_name, *want_token;
};

static const struct oauth_case cases[] = {
    {SASL_OAUTHBEARER, STR_INIT("n,a=bob@example.com,\1auth=Bearer abc\1\1"),
     SASL_CLAIM, "bob@example.com", "abc"},
    {SASL_OAUTHBEARER,
     STR_INIT("n,a=bob,\1host=mx.example\1port=587\1auth=Bearer a.b-c_~+/d==\1"
              "\1"),
     SASL_CLAIM, "bob", "a.b-c_~+/d=="},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=bearer abc\1\1"), SASL_CLAIM, "",
     "abc"},
    {SASL_OAUTHBEARER, STR_INIT("y,a=b=2Cb=3D,\1auth=Bearer  abc\1\1"),
     SASL_CLAIM, "b,b=", "abc"},
    {SASL_OAUTHBEARER, STR_INIT("n,a=bob,\1auth=\1\1"), EXCUSED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,a=bob,\1\1"), EXCUSED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,a=bob,\1auth=Bearer\1\1"), EXCUSED, NULL,
     NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,a=bob,\1auth=Basic abc\1\1"), EXCUSED, NULL,
     NULL},
    {SASL_OAUTHBEARER, STR_INIT(""), SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("\1"), SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,"), SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1"), SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,auth=Bearer abc\1\1"), SASL_MALFORMED, NULL,
     NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer abc\1"), SASL_MALFORMED, NULL,
     NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer abc\1\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer abc\1\1x"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer abc"), SASL_MALFORMED, NULL,
     NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a\1auth=Bearer b\1\1"),
     SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=\1auth=Bearer b\1\1"),
     SASL_MALFORMED, NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1=x\1auth=Bearer b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1a1=x\1auth=Bearer b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1ab\1auth=Bearer b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a\"b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a=b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer ==\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a\r\n\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,,\1auth=Bearer a\0b\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,a=b\nb,\1auth=Bearer a\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("n,a=b=b,\1auth=Bearer a\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_OAUTHBEARER, STR_INIT("p=tls-exporter,,\1auth=Bearer a\1\1"),
     SASL_MALFORMED, NULL, NULL},
    {SASL_XOAUTH2, STR_INIT("user=bob@example.com\1auth=Bearer abc\1\1"),
     SASL_CLAIM, "bob@example.com", "abc"},
    {SASL_XOAUTH2, STR_INIT("user=bob\1auth=Basic abc\1\1"), EXCUSED, NULL,
     NULL},
    {SASL_XOAUTH2, STR_INIT("user=bob\1\1"), EXCUSED, NULL, NULL},
    {SASL_XOAUTH2, STR_INIT("user=\1auth=Bearer abc\1\1"), SASL_MALFORMED, NULL,
     NULL},
    {SASL_XOAUTH2, STR_INIT("auth=Bearer abc\1\1"), SASL_MALFORMED, NULL, NULL},
    {SASL_XOAUTH2, STR_INIT("user=a\1user=b\1auth=Bearer abc\1\1"),
     SASL_MALFORMED, NULL, NULL},
    {SASL_XOAUTH2, STR_INIT("user=a\1auth=Bearer abc\1"), SASL_MALFORMED, NULL,
     NULL},
    {SASL_XOAUTH2, STR_INIT("user=a\x7f\1auth=Bearer abc\1\1"), SASL_MALFORMED,
     NULL, NULL},
    {SASL_XOAUTH2, STR_INIT(""), SASL_MALFORMED, NULL, NULL},
};

static enum sasl_next say(struct sasl *sasl, enum sasl_mechanism mechanism,
                          struct str message, const char **challenge)
{
    static char encoded[BASE64_ROOM(3 * SASL_TOKEN_MAX)];
    sasl_init(sasl, mechanism, &channel);
    assert_int_equal(sasl_begin(sasl, false, STR(""), challenge),
                     SASL_CHALLENGE);
    assert_string_equal(*challenge, "");
    return sasl_respond(sasl, base64_encode(message, encoded), challenge);
}

/* The words of a refusal, and that nothing but it may follow. */
static void assert_excuse(struct sasl *sasl, const char *challenge,
                          const char *answer)
{
    char text[BASE64_TEXT_MAX];
    size_t length;
    assert_int_equal(base64_decode(str_from(challenge), text, &length), 0);
    assert_true(str_equals(str_span(text, length),
                           sasl->mechanism == SASL_XOAUTH2
                               ? STR("{\"status\":\"401\","
                                     "\"schemes\":\"Bearer\"}")
                               : STR("{\"status\":\"invalid_token\"}")));
    assert_null(sasl->name);
    assert_null(sasl->secret);
    assert_int_equal(sasl_respond(sasl, str_from(answer), &challenge),
                     SASL_REFUSED);
    assert_int_equal(sasl_respond(sasl, str_from(answer), &challenge),
                     str_equals(str_from(answer), STR("*")) ? SASL_CANCELLED
                                                            : SASL_MALFORMED);
}

static void tokens_are_taken_out_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct oauth_case *c = &cases[i];
        struct sasl sasl;
        const char *challenge;
        print_message("  %zu\n", i);
        enum sasl_next next = say(&sasl, c->mechanism, c->message, &challenge);
        if (c->want == EXCUSED) {
            assert_int_equal(next, SASL_CHALLENGE);
            assert_excuse(&sasl, challenge, "AQ==");
            continue;
        }
        assert_int_equal(next, c->want);
        if (c->want == SASL_CLAIM) {
            assert_string_equal(sasl.name, c->want_name);
            assert_string_equal(sasl.secret, c->want_token);
            assert_null(sasl.authzid);
        } else {
            assert_null(sasl.name);
            assert_null(sasl.secret);
        }
        sasl_release(&sasl);
    }
}

/* Whatever the client says then, and whether the secret was wiped before. */
static void a_refusal_has_one_challenge_more(void **state)
{
    static const char *const answers[] = {"AQ==", "", "*", "!", "bjEs"};
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        for (int is_bearer = 0; is_bearer < 2; is_bearer++) {
            struct sasl sasl;
            const char *challenge;
            assert_int_equal(
                is_bearer
                    ? say(&sasl, SASL_OAUTHBEARER,
                          STR("n,,\1auth=Bearer abc\1\1"), &challenge)
                    : say(&sasl, SASL_XOAUTH2,
                          STR("user=bob\1auth=Bearer abc\1\1"), &challenge),
                SASL_CLAIM);
            if (i % 2 == 0)
                sasl_release(&sasl);
            assert_true(sasl_refuse(&sasl, &challenge));
            assert_excuse(&sasl, challenge, answers[i]);
        }
    }
}

static void a_token_has_a_limit(void **state)
{
    (void)state;
    for (size_t length = SASL_TOKEN_MAX; length <= SASL_TOKEN_MAX + 1;
         length++) {
        static char message[2 * SASL_TOKEN_MAX], token[SASL_TOKEN_MAX + 2];
        struct sasl sasl;
        const char *challenge;
        memset(token, 't', length);
        snprintf(message, sizeof message, "n,a=bob,\1auth=Bearer %s\1\1",
                 token);
        assert_int_equal(
            say(&sasl, SASL_OAUTHBEARER, str_from(message), &challenge),
            length <= SASL_TOKEN_MAX ? SASL_CLAIM : SASL_MALFORMED);
        sasl_release(&sasl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_taken_out_strictly),
        cmocka_unit_test(a_refusal_has_one_challenge_more),
        cmocka_unit_test(a_token_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
