#include "proxy/sasl/sasl_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct scram_keys keys;

/* What each line is before base64; NULL ends it. */
struct exchange_case {
    enum login_mechanism mechanism;
    const char *user, *secret;
    struct str want_initial; /* p NULL: none */
    bool is_end_at_once;
    struct {
        const char *challenge; /* in base64 */
        struct str want;
        bool is_end; /* 235 may follow */
    } lines[3];
};

static const struct exchange_case CASES[] = {
    {.mechanism = MECHANISM_PLAIN,
     .user = "bob",
     .secret = "secret",
     .want_initial = STR_INIT("\0bob\0secret"),
     .is_end_at_once = true},
    {.mechanism = MECHANISM_LOGIN,
     .user = "bob",
     .secret = "secret",
     .lines = {{"VXNlcm5hbWU6", STR_INIT("bob"), false},
               {"UGFzc3dvcmQ6", STR_INIT("secret"), true}}},
    /* Servers write what they like there. */
    {.mechanism = MECHANISM_LOGIN,
     .user = "bob",
     .secret = "secret",
     .lines = {{"Username:", STR_INIT("bob"), false},
               {"", STR_INIT("secret"), true}}},
    {.mechanism = MECHANISM_XOAUTH2,
     .user = "bob@example.com",
     .secret = "ya29.x",
     .want_initial =
         STR_INIT("user=bob@example.com\001auth=Bearer ya29.x\001\001"),
     .is_end_at_once = true,
     .lines = {{"eyJzdGF0dXMiOiI0MDEifQ==", STR_INIT(""), false}}},
    {.mechanism = MECHANISM_OAUTHBEARER,
     .user = "bob@example.com",
     .secret = "ya29.x",
     .want_initial =
         STR_INIT("n,a=bob@example.com,\001host=mta.example\001port=587\001"
                  "auth=Bearer ya29.x\001\001"),
     .is_end_at_once = true,
     .lines = {{"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=", STR_INIT("\001"),
                false}}},
};

static struct sasl_login login_of(const struct exchange_case *c)
{
    return (struct sasl_login){
        .mechanism = c->mechanism,
        .user = str_from(c->user),
        .secret = str_from(c->secret),
        .host = STR("mta.example"),
        .port = 587,
        .keys = &keys,
    };
}

static void assert_text(struct str response, struct str want)
{
    char decoded[BASE64_TEXT_MAX];
    size_t length;
    assert_int_equal(base64_decode(response, decoded, &length), 0);
    assert_int_equal(length, want.n);
    assert_memory_equal(decoded, want.n == 0 ? decoded : want.p, want.n);
}

static void each_mechanism_says_what_its_standard_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct exchange_case *c = &CASES[i];
        struct sasl_login login = login_of(c);
        struct sasl_client *client = sasl_client_new(&login);
        struct str response;
        assert_int_equal(sasl_client_begin(client, &response),
                         SASL_CLIENT_RESPOND);
        if (c->want_initial.p == NULL)
            assert_null(response.p);
        else
            assert_text(response, c->want_initial);
        assert_int_equal(sasl_client_has_ended(client), c->is_end_at_once);
        for (size_t k = 0; k < 3 && c->lines[k].challenge != NULL; k++) {
            assert_int_equal(
                sasl_client_respond(client, str_from(c->lines[k].challenge),
                                    &response),
                SASL_CLIENT_RESPOND);
            assert_text(response, c->lines[k].want);
            assert_int_equal(sasl_client_has_ended(client), c->lines[k].is_end);
        }
        sasl_client_free(client);
    }
}

static void more_questions_than_a_mechanism_has_are_not_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct sasl_login login = login_of(&CASES[i]);
        struct sasl_client *client = sasl_client_new(&login);
        struct str response;
        sasl_client_begin(client, &response);
        enum sasl_client_next next = SASL_CLIENT_RESPOND;
        for (int asked = 0; asked < 3 && next == SASL_CLIENT_RESPOND; asked++)
            next = sasl_client_respond(client, STR("YQ=="), &response);
        assert_int_equal(next, SASL_CLIENT_CANCEL);
        assert_non_null(client->error);
        assert_false(sasl_client_has_ended(client));
        sasl_client_free(client);
    }
}

static void scram_is_over_once_the_server_has_proven_itself(void **state)
{
    const struct exchange_case c = {.mechanism = MECHANISM_SCRAM_SHA_256,
                                    .user = "user",
                                    .secret = "pencil"};
    struct sasl_login login = login_of(&c);
    struct sasl_client *client = sasl_client_new(&login);
    struct str response;
    char text[BASE64_ROOM(256)];
    (void)state;
    keys = (struct scram_keys){0};
    memcpy(client->scram.nonce, "rOprNGfwEbeRWgbNEkqO", 21);
    sasl_client_begin(client, &response);
    assert_text(response, STR("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    base64_encode(STR("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                      "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
                  text);
    assert_int_equal(sasl_client_respond(client, str_from(text), &response),
                     SASL_CLIENT_RESPOND);
    assert_false(sasl_client_has_ended(client));
    base64_encode(STR("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), text);
    assert_int_equal(sasl_client_respond(client, str_from(text), &response),
                     SASL_CLIENT_RESPOND);
    assert_int_equal(response.n, 0);
    assert_true(sasl_client_has_ended(client));
    sasl_client_free(client);
}

static void challenges_that_are_no_base64_end_it(void **state)
{
    struct sasl_login login = login_of(&CASES[4]);
    struct sasl_client *client = sasl_client_new(&login);
    struct str response;
    (void)state;
    sasl_client_begin(client, &response);
    assert_int_equal(sasl_client_respond(client, STR("a b"), &response),
                     SASL_CLIENT_CANCEL);
    assert_false(sasl_client_has_ended(client));
    sasl_client_free(client);
}

static void a_login_longer_than_a_line_is_refused(void **state)
{
    static char token[3 * BASE64_TEXT_MAX / 4];
    struct sasl_login login = login_of(&CASES[3]);
    struct str response;
    (void)state;
    memset(token, 'x', sizeof token);
    login.secret = str_span(token, sizeof token);
    struct sasl_client *client = sasl_client_new(&login);
    assert_int_equal(sasl_client_begin(client, &response), SASL_CLIENT_CANCEL);
    sasl_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mechanism_says_what_its_standard_has),
        cmocka_unit_test(more_questions_than_a_mechanism_has_are_not_answered),
        cmocka_unit_test(scram_is_over_once_the_server_has_proven_itself),
        cmocka_unit_test(challenges_that_are_no_base64_end_it),
        cmocka_unit_test(a_login_longer_than_a_line_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
