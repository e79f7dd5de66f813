#include "proxy/sasl/scram_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 7677 3. */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

struct exchange {
    struct scram_client scram;
    struct scram_keys keys;
    char message[SCRAM_MESSAGE_MAX];
    const char *error;
};

static struct str begin(struct exchange *e, const char *name,
                        const char *password)
{
    *e = (struct exchange){0};
    memcpy(e->scram.nonce, NONCE, sizeof NONCE);
    return scram_client_first(&e->scram, str_from(name), str_from(password),
                              &e->keys, e->message);
}

static void the_messages_are_those_of_the_standard(void **state)
{
    struct exchange e;
    (void)state;
    struct str first = begin(&e, "user", "pencil");
    assert_true(str_equals(first, STR("n,,n=user,r=" NONCE)));
    struct str final =
        scram_client_final(&e.scram, STR(SERVER_FIRST), e.message, &e.error);
    assert_non_null(final.p);
    assert_true(str_equals(final, STR("c=biws,r=" SERVER_NONCE ",p=" PROOF)));
    assert_true(scram_client_verify(&e.scram, STR(SERVER_FINAL), &e.error));
}

static void keys_are_used_again_for_the_same_salt_and_count(void **state)
{
    struct exchange e;
    (void)state;
    begin(&e, "user", "pencil");
    scram_client_final(&e.scram, STR(SERVER_FIRST), e.message, &e.error);
    /* Another password shows whether they were derived anew. */
    struct scram_keys kept = e.keys;
    begin(&e, "user", "other");
    e.keys = kept;
    struct str final =
        scram_client_final(&e.scram, STR(SERVER_FIRST), e.message, &e.error);
    assert_true(str_equals(final, STR("c=biws,r=" SERVER_NONCE ",p=" PROOF)));
    begin(&e, "user", "other");
    e.keys = kept;
    final = scram_client_final(
        &e.scram, STR("r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4097"),
        e.message, &e.error);
    assert_non_null(final.p);
    assert_memory_not_equal(e.keys.client, kept.client, sizeof kept.client);
}

static void commas_and_equals_signs_in_a_name_are_escaped(void **state)
{
    struct exchange e;
    (void)state;
    struct str first = begin(&e, "a,b=c", "pencil");
    assert_true(str_equals(first, STR("n,,n=a=2Cb=3Dc,r=" NONCE)));
}

static void a_password_is_prepared(void **state)
{
    struct exchange e, prepared;
    (void)state;
    /* U+2168 is "IX" by RFC 4013. */
    begin(&e, "user", "\xe2\x85\xa8");
    assert_non_null(
        scram_client_final(&e.scram, STR(SERVER_FIRST), e.message, &e.error).p);
    begin(&prepared, "user", "IX");
    assert_non_null(scram_client_final(&prepared.scram, STR(SERVER_FIRST),
                                       prepared.message, &prepared.error)
                        .p);
    assert_memory_equal(e.keys.client, prepared.keys.client,
                        sizeof e.keys.client);
}

static void nonces_differ(void **state)
{
    struct scram_client a = {0}, b = {0};
    struct scram_keys keys = {0};
    char message[SCRAM_MESSAGE_MAX];
    (void)state;
    scram_client_first(&a, STR("u"), STR("p"), &keys, message);
    scram_client_first(&b, STR("u"), STR("p"), &keys, message);
    assert_string_not_equal(a.nonce, b.nonce);
    assert_int_equal(strlen(a.nonce), 32);
}

static void challenges_that_are_none_are_refused(void **state)
{
    static const char *const CASES[] = {
        "",
        "r=" SERVER_NONCE,
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==",
        /* Not our nonce, and nothing added to it. */
        "r=rOprNGfwEbeRWgbNEkqx"
        "abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        /* An extension that must be understood. */
        "m=x,r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=" SERVER_NONCE ",s=,i=4096",
        "r=" SERVER_NONCE ",s=W22 ZaJ0,i=4096",
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=",
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096x",
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=200001",
        "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct exchange e;
        begin(&e, "user", "pencil");
        print_message("%s\n", CASES[i]);
        assert_null(scram_client_final(&e.scram, str_from(CASES[i]), e.message,
                                       &e.error)
                        .p);
        assert_non_null(e.error);
    }
}

static void a_server_that_can_t_prove_itself_is_not_believed(void **state)
{
    static const char *const CASES[] = {
        "",
        "e=invalid-proof",
        "v=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
        "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        "v=6rri",
    };
    struct exchange e;
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        begin(&e, "user", "pencil");
        scram_client_final(&e.scram, STR(SERVER_FIRST), e.message, &e.error);
        assert_false(
            scram_client_verify(&e.scram, str_from(CASES[i]), &e.error));
        assert_non_null(e.error);
    }
    /* Before it was asked to. */
    begin(&e, "user", "pencil");
    assert_false(scram_client_verify(&e.scram, STR(SERVER_FINAL), &e.error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_are_those_of_the_standard),
        cmocka_unit_test(keys_are_used_again_for_the_same_salt_and_count),
        cmocka_unit_test(commas_and_equals_signs_in_a_name_are_escaped),
        cmocka_unit_test(a_password_is_prepared),
        cmocka_unit_test(nonces_differ),
        cmocka_unit_test(challenges_that_are_none_are_refused),
        cmocka_unit_test(a_server_that_can_t_prove_itself_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
