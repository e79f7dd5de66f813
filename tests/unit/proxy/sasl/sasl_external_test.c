#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct external_case {
    struct str certificate;
    struct str response;
    enum sasl_next want;
    const char *want_authzid; /* NULL: none */
};

static const struct external_case cases[] = {
    {STR_INIT("bob@example.com"), STR_INIT(""), SASL_CLAIM, NULL},
    {STR_INIT("bob@example.com"), STR_INIT("bob@example.com"), SASL_CLAIM,
     NULL},
    {STR_INIT("bob@example.com"), STR_INIT("alice"), SASL_CLAIM, "alice"},
    {STR_INIT("bob"), STR_INIT("al\0ice"), SASL_MALFORMED, NULL},
    {STR_INIT("bob"), STR_INIT("al\nice"), SASL_MALFORMED, NULL},
    {STR_INIT("bob"), STR_INIT("\xff"), SASL_MALFORMED, NULL},
    {STR_INIT(""), STR_INIT(""), SASL_REFUSED, NULL},
    {STR_INIT(""), STR_INIT("bob"), SASL_REFUSED, NULL},
    {STR_INIT("b\nob"), STR_INIT(""), SASL_REFUSED, NULL},
};

static void assert_case(const struct external_case *c, bool has_initial)
{
    const struct sasl_channel channel = {.certificate = c->certificate};
    struct sasl sasl;
    char encoded[BASE64_ROOM(256)];
    const char *challenge;
    struct str line = base64_encode(c->response, encoded);
    sasl_init(&sasl, SASL_EXTERNAL, &channel);
    enum sasl_next next =
        sasl_begin(&sasl, has_initial,
                   has_initial && line.n == 0 ? STR("=") : line, &challenge);
    if (!has_initial) {
        assert_int_equal(next, SASL_CHALLENGE);
        assert_string_equal(challenge, "");
        next = sasl_respond(&sasl, line, &challenge);
    }
    assert_int_equal(next, c->want);
    if (c->want != SASL_CLAIM) {
        assert_null(sasl.name);
        return;
    }
    assert_true(
        str_equals(str_span(sasl.name, sasl.name_length), c->certificate));
    assert_null(sasl.secret);
    if (c->want_authzid == NULL)
        assert_null(sasl.authzid);
    else
        assert_string_equal(sasl.authzid, c->want_authzid);
    sasl_release(&sasl);
}

static void the_certificate_s_name_is_claimed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_case(&cases[i], true);
        assert_case(&cases[i], false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_certificate_s_name_is_claimed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
