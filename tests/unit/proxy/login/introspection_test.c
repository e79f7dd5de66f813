#include "proxy/login/introspection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1700000000000ULL

static const struct token_wants wants = {
    .issuer = STR_INIT("https://id.example"),
    .audience = STR_INIT("postern"),
    .scope = STR_INIT("smtp"),
    .user_claim = STR_INIT("username"),
    .other_user_claim = STR_INIT("sub"),
    .groups_claim = STR_INIT("groups"),
};

struct form_case {
    const char *token;
    const char *want;
};

static const struct form_case forms[] = {
    {"abc-._~XYZ019", "token=abc-._~XYZ019&token_type_hint=access_token"},
    {"a+b/c=", "token=a%2Bb%2Fc%3D&token_type_hint=access_token"},
    {"a&active=true", "token=a%26active%3Dtrue&token_type_hint=access_token"},
    {"a b%\r\n\xc3\xa9",
     "token=a%20b%25%0D%0A%C3%A9&token_type_hint=access_token"},
    {"", "token=&token_type_hint=access_token"},
};

static void a_token_is_encoded_for_the_form(void **state)
{
    static char to[INTROSPECTION_FORM_ROOM];
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t length;
        assert_int_equal(
            introspection_form(str_from(forms[i].token), to, &length), 0);
        assert_true(str_equals(str_span(to, length), str_from(forms[i].want)));
    }
}

static void the_longest_token_fits_and_no_longer_one(void **state)
{
    static char token[INTROSPECTION_TOKEN_MAX + 1];
    char *to = malloc(INTROSPECTION_FORM_ROOM);
    size_t length;
    (void)state;
    memset(token, '=', sizeof token);
    assert_int_equal(introspection_form(
                         str_span(token, INTROSPECTION_TOKEN_MAX), to, &length),
                     0);
    assert_true(length <= INTROSPECTION_FORM_ROOM);
    assert_int_equal(
        introspection_form(str_span(token, sizeof token), to, &length), -1);
    free(to);
}

/* RFC 6749 2.3.1 and its appendix B. */
static void id_and_secret_are_encoded_before_base64(void **state)
{
    char to[INTROSPECTION_BASIC_ROOM];
    (void)state;
    assert_true(
        str_equals(introspection_basic(STR("s6BhdRkqt3"),
                                       STR("7Fjfp0ZBr1KtDRbnfVdmIw"), to),
                   STR("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3")));
    /* "a%3Ab:%C2%A3%2B" */
    assert_true(
        str_equals(introspection_basic(STR("a:b"), STR("\xc2\xa3+"), to),
                   STR("Basic YSUzQWI6JUMyJUEzJTJC")));
}

static void the_longest_id_and_secret_fit(void **state)
{
    char id[INTROSPECTION_ID_MAX], secret[INTROSPECTION_SECRET_MAX];
    char *to = malloc(INTROSPECTION_BASIC_ROOM);
    (void)state;
    memset(id, '\xff', sizeof id);
    memset(secret, '\xff', sizeof secret);
    struct str basic = introspection_basic(str_span(id, sizeof id),
                                           str_span(secret, sizeof secret), to);
    assert_true(basic.n < INTROSPECTION_BASIC_ROOM);
    free(to);
}

struct answer_case {
    const char *body;
    enum introspection_verdict want;
    enum token_verdict want_why;
    const char *want_user;
    uint64_t want_expires_ms;
};

#define ACTIVE                                                                 \
    "{\"active\":true,\"iss\":\"https://id.example\",\"aud\":\"postern\","     \
    "\"scope\":\"openid smtp\""

static const struct answer_case answers[] = {
    {ACTIVE ",\"username\":\"bob\",\"sub\":\"17\",\"exp\":1700000009}",
     INTROSPECTION_GOOD, TOKEN_GOOD, "bob", 9000},
    {ACTIVE ",\"sub\":\"17\"}", INTROSPECTION_GOOD, TOKEN_GOOD, "17", 0},
    {"{\"active\":false}", INTROSPECTION_REFUSED, TOKEN_GOOD, NULL, 0},
    {"{\"active\":false,\"username\":\"bob\"}", INTROSPECTION_REFUSED,
     TOKEN_GOOD, NULL, 0},
    {ACTIVE ",\"username\":\"bob\",\"exp\":1700000000}", INTROSPECTION_REFUSED,
     TOKEN_EXPIRED, NULL, 0},
    {ACTIVE ",\"username\":\"bob\",\"nbf\":1700000001}", INTROSPECTION_REFUSED,
     TOKEN_NOT_YET, NULL, 0},
    {ACTIVE "}", INTROSPECTION_REFUSED, TOKEN_USER, NULL, 0},
    {"{\"active\":true,\"username\":\"bob\"}", INTROSPECTION_REFUSED,
     TOKEN_ISSUER, NULL, 0},
    {"{\"active\":true,\"iss\":\"https://id.example\",\"aud\":[\"webmail\"],"
     "\"username\":\"bob\"}",
     INTROSPECTION_REFUSED, TOKEN_AUDIENCE, NULL, 0},
    {"{\"active\":true,\"iss\":\"https://id.example\",\"aud\":[\"postern\"],"
     "\"username\":\"bob\",\"scope\":\"imap\"}",
     INTROSPECTION_REFUSED, TOKEN_SCOPE, NULL, 0},
    {"{}", INTROSPECTION_BROKEN, TOKEN_GOOD, NULL, 0},
    {"{\"active\":\"true\"}", INTROSPECTION_BROKEN, TOKEN_GOOD, NULL, 0},
    {"{\"active\":1}", INTROSPECTION_BROKEN, TOKEN_GOOD, NULL, 0},
    {"{\"active\":false,\"active\":true}", INTROSPECTION_BROKEN,
     TOKEN_MALFORMED, NULL, 0},
    {ACTIVE ",\"username\":\"bob\",\"exp\":\"soon\"}", INTROSPECTION_BROKEN,
     TOKEN_MALFORMED, NULL, 0},
    {"", INTROSPECTION_BROKEN, TOKEN_MALFORMED, NULL, 0},
    {"<html>", INTROSPECTION_BROKEN, TOKEN_MALFORMED, NULL, 0},
    {"[true]", INTROSPECTION_BROKEN, TOKEN_MALFORMED, NULL, 0},
};

static void answers_are_held_against_what_is_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer_case *c = &answers[i];
        struct token_claims claims;
        enum token_verdict why;
        struct arena arena;
        arena_init(&arena, 64 * 1024);
        print_message("  %s\n", c->body);
        assert_int_equal(introspection_read(str_from(c->body), &wants, NOW_MS,
                                            &arena, &claims, &why),
                         c->want);
        assert_int_equal(why, c->want_why);
        if (c->want_user != NULL) {
            assert_true(str_equals(claims.user, str_from(c->want_user)));
            assert_int_equal(claims.expires_ms, c->want_expires_ms);
        }
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_encoded_for_the_form),
        cmocka_unit_test(the_longest_token_fits_and_no_longer_one),
        cmocka_unit_test(id_and_secret_are_encoded_before_base64),
        cmocka_unit_test(the_longest_id_and_secret_fit),
        cmocka_unit_test(answers_are_held_against_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
