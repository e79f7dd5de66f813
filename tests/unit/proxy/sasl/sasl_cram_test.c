#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of "secret". */
#define CONTEXTS                                                               \
    "cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56"

static const struct sasl_channel channel = {.hostname = STR_INIT("mx.example")};

static void begin(struct sasl *sasl, char text[BASE64_TEXT_MAX],
                  struct str *challenge)
{
    const char *encoded;
    size_t length;
    sasl_init(sasl, SASL_CRAM_MD5, &channel);
    assert_int_equal(sasl_begin(sasl, false, STR(""), &encoded),
                     SASL_CHALLENGE);
    assert_int_equal(base64_decode(str_from(encoded), text, &length), 0);
    *challenge = str_span(text, length);
}

static enum sasl_next respond(struct sasl *sasl, const char *text)
{
    char encoded[BASE64_ROOM(4096)];
    const char *challenge;
    return sasl_respond(sasl, base64_encode(str_from(text), encoded),
                        &challenge);
}

/* The name, a blank and what the contexts make of the challenge. */
static void answer(struct str challenge, const char *name, char *to,
                   size_t room)
{
    uint8_t contexts[CRAM_CONTEXTS], digest[CRAM_DIGEST];
    cram_contexts_read(STR(CONTEXTS), contexts);
    cram_digest(contexts, challenge, digest);
    int n = snprintf(to, room, "%s ", name);
    for (size_t i = 0; i < sizeof digest; i++)
        n += snprintf(to + n, room - (size_t)n, "%02x", digest[i]);
}

static void the_right_digest_proves_the_name(void **state)
{
    static const char *const names[] = {"bob", "bob of the shop"};
    uint8_t contexts[CRAM_CONTEXTS];
    (void)state;
    cram_contexts_read(STR(CONTEXTS), contexts);
    for (size_t i = 0; i < 2; i++) {
        struct sasl sasl;
        char text[BASE64_TEXT_MAX], response[256];
        struct str challenge;
        begin(&sasl, text, &challenge);
        answer(challenge, names[i], response, sizeof response);
        assert_int_equal(respond(&sasl, response), SASL_SECRETS);
        assert_string_equal(sasl.name, names[i]);
        assert_int_equal(sasl_take_cram(&sasl, contexts), SASL_CLAIM);
        assert_string_equal(sasl.name, names[i]);
        assert_null(sasl.secret);
        assert_null(sasl.authzid);
        sasl_release(&sasl);
    }
}

static void any_other_digest_is_refused(void **state)
{
    uint8_t contexts[CRAM_CONTEXTS];
    (void)state;
    cram_contexts_read(STR(CONTEXTS), contexts);
    for (size_t at = 4; at < 36; at++) {
        struct sasl sasl;
        char text[BASE64_TEXT_MAX], response[256];
        struct str challenge;
        begin(&sasl, text, &challenge);
        answer(challenge, "bob", response, sizeof response);
        response[at] = response[at] == '0' ? '1' : '0';
        assert_int_equal(respond(&sasl, response), SASL_SECRETS);
        assert_int_equal(sasl_take_cram(&sasl, contexts), SASL_REFUSED);
        assert_null(sasl.name);
    }
}

static void challenges_are_unique_and_of_the_standard_s_form(void **state)
{
    struct sasl a, b;
    char one[BASE64_TEXT_MAX], other[BASE64_TEXT_MAX];
    struct str first, second;
    (void)state;
    begin(&a, one, &first);
    begin(&b, other, &second);
    assert_false(str_equals(first, second));
    assert_true(first.p[0] == '<');
    assert_true(str_ends_with_nocase(first, STR("@mx.example>")));
    /* What was right for one is not for the other. */
    uint8_t contexts[CRAM_CONTEXTS];
    char response[256];
    cram_contexts_read(STR(CONTEXTS), contexts);
    answer(first, "bob", response, sizeof response);
    assert_int_equal(respond(&b, response), SASL_SECRETS);
    assert_int_equal(sasl_take_cram(&b, contexts), SASL_REFUSED);
    sasl_release(&a);
}

static void the_server_speaks_first(void **state)
{
    static const char *const initial[] = {"", "=", "Ym9i"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sasl sasl;
        const char *challenge;
        sasl_init(&sasl, SASL_CRAM_MD5, &channel);
        assert_int_equal(
            sasl_begin(&sasl, true, str_from(initial[i]), &challenge),
            SASL_MALFORMED);
        assert_null(sasl.state);
    }
}

static void odd_responses_are_malformed(void **state)
{
    static const char *const odd[] = {
        "",
        " ",
        "bob",
        "bob ",
        " b913a602c7eda7a495b4e6e7334d3890",
        "bob b913a602c7eda7a495b4e6e7334d389",
        "bob b913a602c7eda7a495b4e6e7334d38900",
        "bob B913A602C7EDA7A495B4E6E7334D3890",
        "bob g913a602c7eda7a495b4e6e7334d3890",
        "b\nb b913a602c7eda7a495b4e6e7334d3890",
        "\xff b913a602c7eda7a495b4e6e7334d3890",
    };
    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct sasl sasl;
        char text[BASE64_TEXT_MAX];
        struct str challenge;
        begin(&sasl, text, &challenge);
        assert_int_equal(respond(&sasl, odd[i]), SASL_MALFORMED);
        assert_null(sasl.name);
        assert_null(sasl.state);
    }
}

static void a_long_hostname_is_cut(void **state)
{
    char long_name[1024];
    struct sasl sasl;
    const char *challenge;
    (void)state;
    memset(long_name, 'h', sizeof long_name);
    struct sasl_channel there = {.hostname =
                                     str_span(long_name, sizeof long_name)};
    sasl_init(&sasl, SASL_CRAM_MD5, &there);
    assert_int_equal(sasl_begin(&sasl, false, STR(""), &challenge),
                     SASL_CHALLENGE);
    assert_true(strlen(challenge) < 500); /* of a reply's line */
    assert_int_equal(sasl_respond(&sasl, STR("*"), &challenge), SASL_CANCELLED);
    assert_null(sasl.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_digest_proves_the_name),
        cmocka_unit_test(any_other_digest_is_refused),
        cmocka_unit_test(challenges_are_unique_and_of_the_standard_s_form),
        cmocka_unit_test(the_server_speaks_first),
        cmocka_unit_test(odd_responses_are_malformed),
        cmocka_unit_test(a_long_hostname_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
