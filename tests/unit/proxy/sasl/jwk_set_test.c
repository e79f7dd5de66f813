#include "proxy/sasl/jwk_set.h"

#include "proxy/sasl/base64.h"
#include "tests/unit/proxy/sasl/known_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SET(keys) "{\"keys\":[" keys "]}"
#define JWK(members) "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," members "}"
#define X "\"x\":\"" ED25519_X "\""

static struct jwk_set *read_set(const char *text)
{
    char wrong[200] = "";
    struct jwk_set *set = jwk_set_new(str_from(text), wrong, sizeof wrong);
    if (set == NULL)
        print_message("  %s\n", wrong);
    return set;
}

static enum jwk_verdict verify(const struct jwk_set *set,
                               enum jws_algorithm algorithm, struct str id,
                               const char *input, const char *signature)
{
    char octets[2048];
    size_t length;
    assert_int_equal(base64url_decode(str_from(signature), octets, &length), 0);
    return jwk_set_verify(set, algorithm, id, str_from(input),
                          str_span(octets, length));
}

static const struct str no_id = {NULL, 0};

static void the_signatures_of_the_standards_are_verified(void **state)
{
    (void)state;
    struct jwk_set *set =
        read_set(SET(RS256_JWK "," ES256_JWK "," ED25519_JWK));
    assert_non_null(set);
    assert_int_equal(jwk_set_count(set), 3);
    assert_int_equal(verify(set, JWS_RS256, no_id, RS256_HEADER "." JOE_PAYLOAD,
                            RS256_SIGNATURE),
                     JWK_VERIFIED);
    assert_int_equal(verify(set, JWS_ES256, no_id, ES256_HEADER "." JOE_PAYLOAD,
                            ES256_SIGNATURE),
                     JWK_VERIFIED);
    assert_int_equal(
        verify(set, JWS_EDDSA, no_id, ED25519_INPUT, ED25519_SIGNATURE),
        JWK_VERIFIED);
    jwk_set_free(set);
}

static void one_octet_changed_is_seen(void **state)
{
    (void)state;
    struct jwk_set *set =
        read_set(SET(RS256_JWK "," ES256_JWK "," ED25519_JWK));
    assert_non_null(set);
    assert_int_equal(verify(set, JWS_RS256, no_id,
                            RS256_HEADER "." JOE_PAYLOAD "x", RS256_SIGNATURE),
                     JWK_DIFFERS);
    assert_int_equal(verify(set, JWS_ES256, no_id,
                            ES256_HEADER "." JOE_PAYLOAD "x", ES256_SIGNATURE),
                     JWK_DIFFERS);
    assert_int_equal(
        verify(set, JWS_EDDSA, no_id, ED25519_INPUT "x", ED25519_SIGNATURE),
        JWK_DIFFERS);
    jwk_set_free(set);
}

static void a_key_serves_its_own_algorithm_alone(void **state)
{
    (void)state;
    struct jwk_set *set = read_set(SET(RS256_JWK));
    assert_non_null(set);
    assert_int_equal(verify(set, JWS_ES256, no_id, ES256_HEADER "." JOE_PAYLOAD,
                            ES256_SIGNATURE),
                     JWK_UNKNOWN);
    assert_int_equal(
        verify(set, JWS_EDDSA, no_id, ED25519_INPUT, ED25519_SIGNATURE),
        JWK_UNKNOWN);
    jwk_set_free(set);
}

static void signatures_of_wrong_length_or_range_are_refused(void **state)
{
    static const char *const signatures[] = {
        /* Nothing, and a half. */
        "",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmU",
        /* One octet more, one less. */
        ES256_SIGNATURE "AA",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"
        "xfKTUJqPP3-Kg6NU",
        /* The right numbers as DER. */
        "MEUCIA7RIVN5Y2xIPC9_FVgH1AKjsigDOvl8fheBmsMWnqZlAiEAxQoH04w8cOXY8S2v"
        "CEpUgKZlkMXyk1Cajz9_ioOjVNU",
        /* r and s of zero, and of 2^256 - 1: CVE-2022-21449. */
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "___________________________________________"
        "__________________________________________w",
    };
    (void)state;
    struct jwk_set *set = read_set(SET(ES256_JWK));
    assert_non_null(set);
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        assert_int_equal(verify(set, JWS_ES256, no_id,
                                ES256_HEADER "." JOE_PAYLOAD, signatures[i]),
                         JWK_DIFFERS);
    jwk_set_free(set);
}

static void a_token_with_an_id_is_held_against_that_key(void **state)
{
    (void)state;
    struct jwk_set *set =
        read_set(SET(JWK("\"kid\":\"one\"," X) "," JWK("\"kid\":\"two\"," X)));
    assert_non_null(set);
    assert_int_equal(
        verify(set, JWS_EDDSA, STR("two"), ED25519_INPUT, ED25519_SIGNATURE),
        JWK_VERIFIED);
    assert_int_equal(
        verify(set, JWS_EDDSA, STR("three"), ED25519_INPUT, ED25519_SIGNATURE),
        JWK_UNKNOWN);
    jwk_set_free(set);
}

static void a_key_without_an_id_fits_any(void **state)
{
    (void)state;
    struct jwk_set *set = read_set(SET(ED25519_JWK));
    assert_non_null(set);
    assert_int_equal(
        verify(set, JWS_EDDSA, STR("any"), ED25519_INPUT, ED25519_SIGNATURE),
        JWK_VERIFIED);
    jwk_set_free(set);
}

/* Of nine keys without an id the right one is the last. */
static void a_token_is_held_against_a_few_keys_at_most(void **state)
{
    static const char other[] =
        JWK("\"x\":\"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw\"") ",";
    char text[4096];
    (void)state;
    snprintf(text, sizeof text, SET("%1$s%1$s%1$s%1$s%1$s%1$s%1$s%1$s%2$s"),
             other, ED25519_JWK);
    struct jwk_set *set = read_set(text);
    assert_non_null(set);
    assert_int_equal(jwk_set_count(set), 9);
    assert_int_equal(
        verify(set, JWS_EDDSA, no_id, ED25519_INPUT, ED25519_SIGNATURE),
        JWK_DIFFERS);
    jwk_set_free(set);
}

static void keys_for_other_uses_are_passed_over(void **state)
{
    static const char *const others[] = {
        JWK("\"use\":\"enc\"," X),
        JWK("\"use\":1," X),
        JWK("\"key_ops\":[\"sign\"]," X),
        JWK("\"key_ops\":\"verify\"," X),
        JWK("\"alg\":\"HS256\"," X),
        JWK("\"alg\":\"RS256\"," X),
        JWK("\"kid\":\"\"," X),
        JWK("\"kid\":7," X),
        JWK("\"x\":\"" ED25519_X "AA\""),
        JWK("\"x\":\"" ED25519_X "=\""),
        JWK("\"y\":\"\""),
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\"," X "}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AA\",\"y\":\"AA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ES256_X
        "\",\"y\":\"" ES256_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
        /* 512 bits, an exponent of 1, an even modulus. */
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4"
        "fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzPw\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" RS256_N "\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQABAQABAQAB\",\"n\":\"" RS256_N "\"}",
        "{\"kty\":\"RSA\",\"n\":\"" RS256_N "\"}",
        "{\"kty\":\"PQC\"}",
        "{}",
        "\"key\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[2048];
        snprintf(text, sizeof text, SET("%s"), others[i]);
        assert_null(read_set(text));
        snprintf(text, sizeof text, SET("%s," ED25519_JWK), others[i]);
        struct jwk_set *set = read_set(text);
        assert_non_null(set);
        assert_int_equal(jwk_set_count(set), 1);
        jwk_set_free(set);
    }
}

struct bad_case {
    const char *text;
    const char *want_words;
};

static const struct bad_case bad[] = {
    {"", "no JSON object"},
    {"[]", "no JSON object"},
    {"{\"keys\":[]}x", "no JSON object"},
    {"{\"keys\":[],\"keys\":[]}", "stands twice"},
    {"{}", "no JWK set"},
    {"{\"keys\":{}}", "no JWK set"},
    {"{\"keys\":[]}", "no key that can be used"},
    {SET("{\"kty\":\"oct\"}"), "none of RSA, EC and OKP"},
    {SET(JWK("\"d\":\"" ED25519_SEED "\"," X)), "key 1 holds what tokens are"},
    {"{\"keys\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", "nested too deep"},
};

static void files_that_are_no_set_are_refused_with_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char wrong[200];
        assert_null(jwk_set_new(str_from(bad[i].text), wrong, sizeof wrong));
        print_message("  %s: %s\n", bad[i].text, wrong);
        assert_non_null(strstr(wrong, bad[i].want_words));
    }
}

static void sets_that_are_too_large_are_refused(void **state)
{
    static char spaces[JWK_SET_OCTETS_MAX + 1];
    static char text[JWK_SET_KEYS_MAX * 4 + 32];
    char wrong[200];
    (void)state;
    memset(spaces, ' ', sizeof spaces);
    assert_null(
        jwk_set_new(str_span(spaces, sizeof spaces), wrong, sizeof wrong));
    assert_string_equal(wrong, "it is too large");
    size_t n = (size_t)snprintf(text, sizeof text, "{\"keys\":[{}");
    for (int i = 0; i < JWK_SET_KEYS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",{}");
    n += (size_t)snprintf(text + n, sizeof text - n, "]}");
    assert_null(jwk_set_new(str_span(text, n), wrong, sizeof wrong));
    assert_non_null(strstr(wrong, "100 keys at most"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signatures_of_the_standards_are_verified),
        cmocka_unit_test(one_octet_changed_is_seen),
        cmocka_unit_test(a_key_serves_its_own_algorithm_alone),
        cmocka_unit_test(signatures_of_wrong_length_or_range_are_refused),
        cmocka_unit_test(a_token_with_an_id_is_held_against_that_key),
        cmocka_unit_test(a_key_without_an_id_fits_any),
        cmocka_unit_test(a_token_is_held_against_a_few_keys_at_most),
        cmocka_unit_test(keys_for_other_uses_are_passed_over),
        cmocka_unit_test(files_that_are_no_set_are_refused_with_words),
        cmocka_unit_test(sets_that_are_too_large_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
