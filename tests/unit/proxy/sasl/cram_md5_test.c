#include "proxy/sasl/cram_md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* As doveadm made them. */
#define OF_SECRET                                                              \
    "{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b" \
    "56"
#define OF_RFC                                                                 \
    "{CRAM-MD5}"                                                               \
    "d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b"
#define OF_LONG                                                                \
    "{CRAM-MD5}"                                                               \
    "52197db948d0932512a61b183e7d05b04e94d60a3bb0d00f92d3df52a5d275ca"

static void what_dovecot_made_fits(void **state)
{
    static const struct {
        const char *text, *password;
    } cases[] = {
        {OF_SECRET, "secret"},
        {OF_RFC, "tanstaaftanstaaf"},
        {OF_LONG, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        {"{cram-md5}"
         "CD3BA7DEAAD6E5CA23448BA42E379747A9E0F7F1FBC00C8A81BBAAC395731B56",
         "secret"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t contexts[CRAM_CONTEXTS];
        assert_int_equal(cram_contexts_read(str_from(cases[i].text), contexts),
                         0);
        assert_true(cram_contexts_fit(contexts, str_from(cases[i].password)));
        assert_false(cram_contexts_fit(contexts, STR("Secret")));
        assert_false(cram_contexts_fit(contexts, STR("secre")));
    }
}

static void the_digest_is_that_of_the_standard(void **state)
{
    uint8_t contexts[CRAM_CONTEXTS], digest[CRAM_DIGEST], want[CRAM_DIGEST];
    (void)state;
    assert_int_equal(cram_contexts_read(STR(OF_RFC), contexts), 0);
    cram_digest(contexts, STR("<1896.697170952@postoffice.reston.mci.net>"),
                digest);
    assert_int_equal(hex_read(STR("b913a602c7eda7a495b4e6e7334d3890"), false,
                              want, sizeof want),
                     0);
    assert_memory_equal(digest, want, sizeof want);
}

static void damaged_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "{CRAM-MD5}",
        "{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac3957"
        "31b5",
        OF_SECRET "0",
        OF_SECRET "00",
        "{CRAM-MD5}gd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac3957"
        "31b56",
        "{CRAM-MD5} d3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac3957"
        "31b56",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t contexts[CRAM_CONTEXTS];
        assert_int_equal(cram_contexts_read(str_from(cases[i]), contexts), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_dovecot_made_fits),
        cmocka_unit_test(the_digest_is_that_of_the_standard),
        cmocka_unit_test(damaged_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
