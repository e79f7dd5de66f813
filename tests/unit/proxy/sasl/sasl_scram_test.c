#include "proxy/sasl/sasl.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/scram_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of "pencil". */
#define KEYS                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                             \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"                            \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

static const struct sasl_channel channel = {
    .binding = STR_INIT("0123456789abcdef0123456789abcdef")};

struct exchange {
    struct sasl sasl;
    struct scram_client client;
    struct scram_keys keys;
    struct scram_verifier verifier;
    const char *challenge;
};

static enum sasl_next respond(struct exchange *e, struct str message)
{
    char encoded[BASE64_ROOM(8192)];
    return sasl_respond(&e->sasl, base64_encode(message, encoded),
                        &e->challenge);
}

/* Up to the verifier. */
static void begin(struct exchange *e, const char *password)
{
    char message[SCRAM_MESSAGE_MAX];
    *e = (struct exchange){0};
    assert_null(scram_verifier_read(STR(KEYS), &e->verifier));
    sasl_init(&e->sasl, SASL_SCRAM_SHA_256, &channel);
    assert_int_equal(sasl_begin(&e->sasl, false, STR(""), &e->challenge),
                     SASL_CHALLENGE);
    assert_string_equal(e->challenge, "");
    struct str first = scram_client_first(
        &e->client, STR("Bob"), str_from(password), &e->keys, message);
    assert_int_equal(respond(e, first), SASL_SECRETS);
    assert_string_equal(e->sasl.name, "Bob");
    assert_null(e->sasl.secret);
}

static struct str decode(const struct exchange *e, char *text)
{
    size_t length;
    assert_int_equal(base64_decode(str_from(e->challenge), text, &length), 0);
    return str_span(text, length);
}

/* Up to the client's proof. */
static enum sasl_next prove(struct exchange *e)
{
    char text[BASE64_TEXT_MAX], message[SCRAM_MESSAGE_MAX];
    const char *error;
    assert_int_equal(sasl_take_scram(&e->sasl, &e->verifier, &e->challenge),
                     SASL_CHALLENGE);
    struct str final =
        scram_client_final(&e->client, decode(e, text), message, &error);
    assert_non_null(final.p);
    return respond(e, final);
}

static void the_right_password_proves_the_name(void **state)
{
    struct exchange e;
    char text[BASE64_TEXT_MAX];
    const char *error;
    (void)state;
    begin(&e, "pencil");
    assert_int_equal(prove(&e), SASL_CHALLENGE);
    assert_true(scram_client_verify(&e.client, decode(&e, text), &error));
    assert_int_equal(respond(&e, STR("")), SASL_CLAIM);
    assert_string_equal(e.sasl.name, "Bob");
    assert_null(e.sasl.authzid);
    assert_null(e.sasl.secret);
    assert_false(sasl_refuse(&e.sasl, &e.challenge));
    assert_null(e.sasl.state);
}

static void another_password_is_refused(void **state)
{
    struct exchange e;
    (void)state;
    begin(&e, "Pencil");
    assert_int_equal(prove(&e), SASL_REFUSED);
    assert_null(e.sasl.name);
    assert_null(e.sasl.state);
    assert_int_equal(respond(&e, STR("")), SASL_MALFORMED);
}

static void the_last_response_is_empty(void **state)
{
    struct exchange e;
    (void)state;
    begin(&e, "pencil");
    assert_int_equal(prove(&e), SASL_CHALLENGE);
    assert_int_equal(respond(&e, STR("x")), SASL_MALFORMED);
    assert_null(e.sasl.name);
    begin(&e, "pencil");
    assert_int_equal(prove(&e), SASL_CHALLENGE);
    assert_int_equal(sasl_respond(&e.sasl, STR("*"), &e.challenge),
                     SASL_CANCELLED);
    assert_null(e.sasl.name);
}

/* A response that comes before the verifier finds nobody. */
static void nothing_is_taken_before_the_verifier(void **state)
{
    struct exchange e;
    (void)state;
    begin(&e, "pencil");
    assert_int_equal(respond(&e, STR("")), SASL_MALFORMED);
    assert_null(e.sasl.state);
}

struct initial_case {
    enum sasl_mechanism mechanism;
    bool offers_plus;
    struct str message;
    enum sasl_next want;
    const char *want_authzid;
};

static void first_messages_are_judged(void **state)
{
    static const struct initial_case cases[] = {
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,,n=bob,r=abc"), SASL_SECRETS,
         NULL},
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,a=bob,n=bob,r=abc"),
         SASL_SECRETS, NULL},
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,a=eve=2C,n=bob,r=abc"),
         SASL_SECRETS, "eve,"},
        {SASL_SCRAM_SHA_256_PLUS, true, STR_INIT("p=tls-exporter,,n=bob,r=abc"),
         SASL_SECRETS, NULL},
        {SASL_SCRAM_SHA_256_PLUS, true, STR_INIT("n,,n=bob,r=abc"),
         SASL_REFUSED, NULL},
        {SASL_SCRAM_SHA_256_PLUS, true, STR_INIT("y,,n=bob,r=abc"),
         SASL_REFUSED, NULL},
        {SASL_SCRAM_SHA_256, true, STR_INIT("y,,n=bob,r=abc"), SASL_REFUSED,
         NULL},
        {SASL_SCRAM_SHA_256, true, STR_INIT("p=tls-exporter,,n=bob,r=abc"),
         SASL_REFUSED, NULL},
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,,n=b\nb,r=abc"), SASL_MALFORMED,
         NULL},
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,a=e\x7f,n=bob,r=abc"),
         SASL_MALFORMED, NULL},
        {SASL_SCRAM_SHA_256, false, STR_INIT("n,,n=bob"), SASL_MALFORMED, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sasl_channel there = channel;
        struct sasl sasl;
        char encoded[BASE64_ROOM(256)];
        const char *challenge;
        there.offers_plus = cases[i].offers_plus;
        sasl_init(&sasl, cases[i].mechanism, &there);
        assert_int_equal(sasl_begin(&sasl, true,
                                    base64_encode(cases[i].message, encoded),
                                    &challenge),
                         cases[i].want);
        if (cases[i].want != SASL_SECRETS)
            assert_null(sasl.name);
        else if (cases[i].want_authzid == NULL)
            assert_null(sasl.authzid);
        else
            assert_string_equal(sasl.authzid, cases[i].want_authzid);
        sasl_release(&sasl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_proves_the_name),
        cmocka_unit_test(another_password_is_refused),
        cmocka_unit_test(the_last_response_is_empty),
        cmocka_unit_test(nothing_is_taken_before_the_verifier),
        cmocka_unit_test(first_messages_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
