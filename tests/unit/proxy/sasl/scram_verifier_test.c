#include "proxy/sasl/scram_verifier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of "secret", as doveadm made it. */
#define DOVECOT                                                                \
    "{SCRAM-SHA-256}4096,EWXtUqtxCsYOfOMF2u79ew==,"                            \
    "A/RcGOieQ+SLO/Ft9EA8Nqw2TBTlg2SErjZQgMYoMbc=,"                            \
    "je1wcMYws+aFiCLfGWKH10w1zHq4gFvQDoztEeSkjFU="
#define STORED "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
#define SERVER "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
/* Of RFC 7677's "pencil". */
#define RFC "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" STORED ":" SERVER

static void both_texts_are_read(void **state)
{
    static const struct {
        const char *text, *password;
    } cases[] = {
        {DOVECOT, "secret"},
        {RFC, "pencil"},
        {"{scram-sha-256}" RFC, "pencil"},
        {"{SCRAM-SHA-256}4096:W22ZaJ0SNY7soEsUEjb6gQ==$" STORED ":" SERVER,
         "pencil"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "pencil"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scram_verifier verifier;
        assert_null(scram_verifier_read(str_from(cases[i].text), &verifier));
        assert_int_equal(verifier.iterations, 4096);
        assert_int_equal(verifier.salt_length, 16);
        assert_true(
            scram_verifier_fits(&verifier, str_from(cases[i].password)));
        assert_false(scram_verifier_fits(&verifier, STR("Secret")));
        assert_false(scram_verifier_fits(&verifier, STR("")));
    }
}

static void what_is_written_is_what_was_read(void **state)
{
    struct scram_verifier verifier, again;
    char text[SCRAM_VERIFIER_TEXT];
    (void)state;
    assert_null(scram_verifier_read(STR(DOVECOT), &verifier));
    scram_verifier_write(&verifier, text);
    assert_string_equal(text, DOVECOT);
    /* The longest that there is. */
    verifier.salt_length = SCRAM_SALT_MAX;
    verifier.iterations = SCRAM_VERIFIER_ITERATIONS_MAX;
    memset(verifier.salt, 0xff, sizeof verifier.salt);
    scram_verifier_write(&verifier, text);
    assert_null(scram_verifier_read(str_from(text), &again));
    assert_memory_equal(verifier.salt, again.salt, SCRAM_SALT_MAX);
    assert_memory_equal(verifier.stored_key, again.stored_key, 32);
    assert_memory_equal(verifier.server_key, again.server_key, 32);
    assert_int_equal(again.iterations, verifier.iterations);
}

static void keys_are_those_of_the_standard(void **state)
{
    struct scram_verifier verifier, made;
    (void)state;
    assert_null(scram_verifier_read(STR(RFC), &verifier));
    made = verifier;
    memset(made.stored_key, 0, sizeof made.stored_key);
    memset(made.server_key, 0, sizeof made.server_key);
    assert_int_equal(scram_verifier_derive(&made, STR("pencil")), 0);
    assert_memory_equal(&made, &verifier, sizeof made);
}

static void passwords_are_prepared(void **state)
{
    struct scram_verifier verifier;
    (void)state;
    assert_null(scram_verifier_read(STR(RFC), &verifier));
    /* U+2168 is "IX" by RFC 4013. */
    assert_int_equal(scram_verifier_derive(&verifier, STR("\xe2\x85\xa8")), 0);
    assert_true(scram_verifier_fits(&verifier, STR("IX")));
    assert_true(scram_verifier_fits(&verifier, STR("\xe2\x85\xa8")));
    assert_int_equal(scram_verifier_derive(&verifier, STR("\xc3\xa9\nb")), -1);
    assert_int_equal(scram_verifier_derive(&verifier, STR("\xff")), -1);
    assert_int_equal(scram_verifier_derive(&verifier, STR("")), -1);
}

/* Even if the keys were made of just these octets. */
static void what_can_t_be_prepared_never_fits(void **state)
{
    struct scram_verifier verifier;
    uint8_t client_key[SCRAM_KEY_OCTETS];
    (void)state;
    assert_null(scram_verifier_read(STR(RFC), &verifier));
    struct str salt =
        str_span((const char *)verifier.salt, verifier.salt_length);
    assert_int_equal(
        scram_derive(STR("\xff"), salt, 4096, client_key, verifier.server_key),
        0);
    assert_false(scram_verifier_fits(&verifier, STR("\xff")));
}

static void damaged_texts_are_told(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", "damaged"},
        {"{SCRAM-SHA-256}", "damaged"},
        {"{SCRAM-SHA-256}4096", "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED, "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER ",", "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER "x", "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ=," STORED "," SERVER, "damaged"},
        {"4096,," STORED "," SERVER, "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==,AAAA," SERVER, "damaged"},
        {"4096,W22ZaJ0SNY7soEsUEjb6gQ==," STORED ",AAAA", "damaged"},
        {"4096:W22ZaJ0SNY7soEsUEjb6gQ==:" STORED ":" SERVER, "damaged"},
        {",W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "damaged"},
        {"-1,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "damaged"},
        {"99999999999,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "damaged"},
        {"4095,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "fewer than"},
        {"1000001,W22ZaJ0SNY7soEsUEjb6gQ==," STORED "," SERVER, "over 1000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scram_verifier verifier;
        print_message("  %s\n", cases[i].text);
        const char *wrong =
            scram_verifier_read(str_from(cases[i].text), &verifier);
        assert_non_null(wrong);
        assert_non_null(strstr(wrong, cases[i].want));
        assert_int_equal(verifier.salt_length, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_texts_are_read),
        cmocka_unit_test(what_is_written_is_what_was_read),
        cmocka_unit_test(keys_are_those_of_the_standard),
        cmocka_unit_test(passwords_are_prepared),
        cmocka_unit_test(what_can_t_be_prepared_never_fits),
        cmocka_unit_test(damaged_texts_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
