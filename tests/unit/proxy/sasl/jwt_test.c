#include "proxy/sasl/jwt.h"

#include "tests/support/signed_token.h"
#include "tests/unit/proxy/sasl/known_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/digest.h>
#include <openssl/hmac.h>

#define NOW_S 1700000000
#define NOW_MS (NOW_S * 1000ULL)
#define EDDSA "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"
/* What all good tokens of this file say; more follows behind the comma. */
#define BASE                                                                   \
    "\"iss\":\"https://id.example\",\"aud\":\"postern\",\"sub\":\"bob\""
#define FRESH BASE ",\"exp\":1700000600"

static const char keys_text[] =
    "{\"keys\":[" RS256_JWK ",{\"kid\":\"ec\",\"kty\":\"EC\",\"crv\":\"P-256\","
    "\"x\":\"" ES256_X "\",\"y\":\"" ES256_Y "\"},{\"kid\":\"ed\","
    "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED25519_X "\"}]}";

static const struct token_wants wants = {
    .issuer = STR_INIT("https://id.example"),
    .audience = STR_INIT("postern"),
    .user_claim = STR_INIT("sub"),
    .addresses_claim = STR_INIT("email"),
    .groups_claim = STR_INIT("groups"),
    .needs_expiry = true,
    .skew_ms = 60000,
};

struct checked {
    struct arena arena;
    struct token_claims claims;
    enum token_verdict verdict;
};

static void check_token(struct checked *out, const char *token,
                        const struct token_wants *wanted, uint64_t now_ms)
{
    char wrong[200];
    struct jwk_set *keys =
        jwk_set_new(str_from(keys_text), wrong, sizeof wrong);
    assert_non_null(keys);
    arena_init(&out->arena, 64 * 1024);
    out->verdict = jwt_check(str_from(token), keys, wanted, now_ms, &out->arena,
                             &out->claims);
    jwk_set_free(keys);
}

static enum token_verdict verdict_of(const char *token)
{
    struct checked checked;
    check_token(&checked, token, &wants, NOW_MS);
    arena_release(&checked.arena);
    return checked.verdict;
}

static enum token_verdict verdict_of_parts(const char *header,
                                           const char *payload)
{
    char token[SIGNED_TOKEN_ROOM];
    token_make(token, header, payload);
    return verdict_of(token);
}

static void the_tokens_of_the_standards_are_read(void **state)
{
    const struct token_wants of_joe = {
        .issuer = STR("joe"), .user_claim = STR("iss"), .needs_expiry = true};
    static const char *const tokens[] = {
        RS256_HEADER "." JOE_PAYLOAD "." RS256_SIGNATURE,
        ES256_HEADER "." JOE_PAYLOAD "." ES256_SIGNATURE,
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct checked checked;
        check_token(&checked, tokens[i], &of_joe, 1300819379000);
        assert_int_equal(checked.verdict, TOKEN_GOOD);
        assert_true(str_equals(checked.claims.user, STR("joe")));
        assert_int_equal(checked.claims.expires_ms, 1000);
        arena_release(&checked.arena);
        check_token(&checked, tokens[i], &of_joe, 1300819380000);
        assert_int_equal(checked.verdict, TOKEN_EXPIRED);
        arena_release(&checked.arena);
    }
}

static void the_claims_of_a_token_are_told(void **state)
{
    char token[SIGNED_TOKEN_ROOM];
    struct checked checked;
    (void)state;
    token_make(token, EDDSA,
               "{" FRESH ",\"email\":[\"Bob@Example.com\",\"*@example.com\",7,"
               "\"bob\"],\"groups\":[\"staff\",\"a\\u000ab\",\"it\"]}");
    check_token(&checked, token, &wants, NOW_MS);
    assert_int_equal(checked.verdict, TOKEN_GOOD);
    assert_true(str_equals(checked.claims.user, STR("bob")));
    assert_true(checked.claims.has_addresses);
    assert_int_equal(checked.claims.address_count, 1);
    assert_true(
        str_equals(checked.claims.addresses[0], STR("bob@example.com")));
    assert_int_equal(checked.claims.group_count, 2);
    assert_true(str_equals(checked.claims.groups[1], STR("it")));
    assert_int_equal(checked.claims.expires_ms, 660000);
    arena_release(&checked.arena);
}

static void an_address_that_is_not_proven_is_nobodys(void **state)
{
    char token[SIGNED_TOKEN_ROOM];
    struct checked checked;
    struct token_wants by_address = wants;
    (void)state;
    token_make(token, EDDSA,
               "{" FRESH
               ",\"email\":\"ceo@example.com\",\"email_verified\":false}");
    check_token(&checked, token, &wants, NOW_MS);
    assert_int_equal(checked.verdict, TOKEN_GOOD);
    assert_true(checked.claims.has_addresses);
    assert_int_equal(checked.claims.address_count, 0);
    arena_release(&checked.arena);
    by_address.user_claim = STR("email");
    check_token(&checked, token, &by_address, NOW_MS);
    assert_int_equal(checked.verdict, TOKEN_USER);
    arena_release(&checked.arena);
}

struct header_case {
    const char *header;
    enum token_verdict want;
};

static const struct header_case headers[] = {
    {"{\"alg\":\"EdDSA\"}", TOKEN_GOOD},
    {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", TOKEN_GOOD},
    {"{\"alg\":\"EdDSA\",\"typ\":\"AT+jwt\"}", TOKEN_GOOD},
    {"{\"alg\":\"EdDSA\",\"typ\":\"application/at+jwt\"}", TOKEN_GOOD},
    {"{\"alg\":\"EdDSA\",\"jwk\":{},\"jku\":\"http://x\"}", TOKEN_GOOD},
    {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", TOKEN_TYPE},
    {"{\"alg\":\"EdDSA\",\"typ\":\"\"}", TOKEN_TYPE},
    {"{\"alg\":\"EdDSA\",\"typ\":7}", TOKEN_TYPE},
    {"{\"alg\":\"none\"}", TOKEN_ALGORITHM},
    {"{\"alg\":\"None\"}", TOKEN_ALGORITHM},
    {"{\"alg\":\"HS256\"}", TOKEN_ALGORITHM},
    {"{\"alg\":\"RS512\"}", TOKEN_ALGORITHM},
    {"{\"alg\":\"PS256\"}", TOKEN_ALGORITHM},
    {"{\"alg\":\"eddsa\"}", TOKEN_ALGORITHM},
    {"{\"alg\":[\"EdDSA\"]}", TOKEN_ALGORITHM},
    {"{}", TOKEN_ALGORITHM},
    /* Of another kind of key, by another key. */
    {"{\"alg\":\"RS256\"}", TOKEN_SIGNATURE},
    {"{\"alg\":\"ES256\"}", TOKEN_SIGNATURE},
    {"{\"alg\":\"EdDSA\",\"kid\":\"ec\"}", TOKEN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":\"ed2\"}", TOKEN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", TOKEN_KEY},
    {"{\"alg\":\"EdDSA\",\"kid\":7}", TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"crit\":[\"exp\"]}", TOKEN_CRITICAL},
    {"{\"alg\":\"EdDSA\",\"crit\":[]}", TOKEN_CRITICAL},
    {"{\"alg\":\"none\",\"alg\":\"EdDSA\"}", TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"\\u0061lg\":\"none\"}", TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\"} x", TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}",
     TOKEN_MALFORMED},
    {"[\"EdDSA\"]", TOKEN_MALFORMED},
    {"{\"alg\":\"EdDSA\"", TOKEN_MALFORMED},
};

static void a_header_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        print_message("  %s\n", headers[i].header);
        assert_int_equal(verdict_of_parts(headers[i].header, "{" FRESH "}"),
                         headers[i].want);
    }
}

struct payload_case {
    const char *payload;
    enum token_verdict want;
};

static const struct payload_case payloads[] = {
    {"{" BASE ",\"exp\":1700000000.5}", TOKEN_GOOD},
    {"{" BASE ",\"exp\":1699999941}", TOKEN_GOOD},
    {"{" BASE ",\"exp\":1699999940}", TOKEN_EXPIRED},
    {"{" BASE ",\"exp\":0}", TOKEN_EXPIRED},
    {"{" BASE ",\"exp\":-1}", TOKEN_MALFORMED},
    {"{" BASE ",\"exp\":1e300}", TOKEN_MALFORMED},
    {"{" BASE ",\"exp\":\"1700000600\"}", TOKEN_MALFORMED},
    {"{" BASE ",\"exp\":null}", TOKEN_MALFORMED},
    {"{" BASE "}", TOKEN_NO_EXPIRY},
    {"{" FRESH ",\"nbf\":1700000060}", TOKEN_GOOD},
    {"{" FRESH ",\"nbf\":1700000061}", TOKEN_NOT_YET},
    {"{" FRESH ",\"nbf\":\"now\"}", TOKEN_MALFORMED},
    {"{" FRESH ",\"iat\":1700000060}", TOKEN_GOOD},
    {"{" FRESH ",\"iat\":1700000061}", TOKEN_NOT_YET},
    {"{\"iss\":\"https://id.example/\",\"aud\":\"postern\",\"sub\":\"bob\","
     "\"exp\":1700000600}",
     TOKEN_ISSUER},
    {"{\"iss\":[\"https://id.example\"],\"aud\":\"postern\",\"sub\":\"bob\","
     "\"exp\":1700000600}",
     TOKEN_ISSUER},
    {"{\"aud\":\"postern\",\"sub\":\"bob\",\"exp\":1700000600}", TOKEN_ISSUER},
    {"{\"iss\":\"https://id.example\",\"aud\":\"webmail\",\"sub\":\"bob\","
     "\"exp\":1700000600}",
     TOKEN_AUDIENCE},
    {"{\"iss\":\"https://id.example\",\"aud\":[\"webmail\",\"postern\"],"
     "\"sub\":\"bob\",\"exp\":1700000600}",
     TOKEN_GOOD},
    {"{\"iss\":\"https://id.example\",\"aud\":[],\"sub\":\"bob\","
     "\"exp\":1700000600}",
     TOKEN_AUDIENCE},
    {"{\"iss\":\"https://id.example\",\"aud\":{\"postern\":1},"
     "\"sub\":\"bob\",\"exp\":1700000600}",
     TOKEN_AUDIENCE},
    {"{\"iss\":\"https://id.example\",\"sub\":\"bob\",\"exp\":1700000600}",
     TOKEN_AUDIENCE},
    {"{\"iss\":\"https://id.example\",\"aud\":\"postern\","
     "\"exp\":1700000600}",
     TOKEN_USER},
    {"{\"iss\":\"https://id.example\",\"aud\":\"postern\",\"sub\":\"\","
     "\"exp\":1700000600}",
     TOKEN_USER},
    {"{\"iss\":\"https://id.example\",\"aud\":\"postern\",\"sub\":1000,"
     "\"exp\":1700000600}",
     TOKEN_USER},
    {"{\"iss\":\"https://id.example\",\"aud\":\"postern\","
     "\"sub\":\"bob\\u000d\",\"exp\":1700000600}",
     TOKEN_USER},
    {"{\"iss\":\"https://id.example\",\"aud\":\"postern\","
     "\"sub\":\"bob\\u0000\",\"exp\":1700000600}",
     TOKEN_MALFORMED},
    {"{" FRESH ",\"sub\":\"eve\"}", TOKEN_MALFORMED},
    {"{" FRESH ",\"x\":\"\xff\"}", TOKEN_MALFORMED},
    {"{" FRESH ",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", TOKEN_MALFORMED},
    {"[]", TOKEN_MALFORMED},
    {"7", TOKEN_MALFORMED},
};

static void claims_are_held_against_what_is_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        print_message("  %s\n", payloads[i].payload);
        assert_int_equal(verdict_of_parts(EDDSA, payloads[i].payload),
                         payloads[i].want);
    }
}

struct scope_case {
    const char *claim;
    const char *wanted;
    enum token_verdict want;
};

static const struct scope_case scopes[] = {
    {"\"scope\":\"openid smtp\"", "smtp", TOKEN_GOOD},
    {"\"scope\":\"smtp\"", "smtp", TOKEN_GOOD},
    {"\"scope\":[\"openid\",\"smtp\"]", "smtp", TOKEN_GOOD},
    {"\"scp\":[\"smtp\"]", "smtp", TOKEN_GOOD},
    {"\"scp\":\"imap smtp\"", "smtp imap", TOKEN_GOOD},
    {"\"scope\":\"smtp.read\"", "smtp", TOKEN_SCOPE},
    {"\"scope\":\"SMTP\"", "smtp", TOKEN_SCOPE},
    {"\"scope\":\"imap\"", "smtp imap", TOKEN_SCOPE},
    {"\"scope\":\"imap\",\"scp\":\"smtp\"", "smtp", TOKEN_SCOPE},
    {"\"scope\":null", "smtp", TOKEN_SCOPE},
    {"\"x\":1", "smtp", TOKEN_SCOPE},
};

static void scopes_must_all_be_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        char payload[400], token[SIGNED_TOKEN_ROOM];
        struct token_wants scoped = wants;
        struct checked checked;
        scoped.scope = str_from(scopes[i].wanted);
        snprintf(payload, sizeof payload, "{" FRESH ",%s}", scopes[i].claim);
        token_make(token, EDDSA, payload);
        check_token(&checked, token, &scoped, NOW_MS);
        print_message("  %s\n", scopes[i].claim);
        assert_int_equal(checked.verdict, scopes[i].want);
        arena_release(&checked.arena);
    }
}

/* CVE-2015-9235: the public key taken as the secret of an HMAC. */
static void the_public_key_is_no_secret_of_an_hmac(void **state)
{
    char token[SIGNED_TOKEN_ROOM];
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    (void)state;
    token_begin(token, "{\"alg\":\"HS256\"}", "{" FRESH "}");
    HMAC(EVP_sha256(), RS256_N, strlen(RS256_N), (const uint8_t *)token,
         strlen(token), mac, &length);
    token_append(token, ".");
    token_append_url(token, mac, length);
    assert_int_equal(verdict_of(token), TOKEN_ALGORITHM);
}

static void a_signature_covers_header_and_payload(void **state)
{
    char token[SIGNED_TOKEN_ROOM], other[SIGNED_TOKEN_ROOM],
        mixed[SIGNED_TOKEN_ROOM];
    (void)state;
    token_make(token, EDDSA, "{" FRESH "}");
    token_make(other, EDDSA, "{" FRESH ",\"groups\":[\"admin\"]}");
    assert_int_equal(verdict_of(token), TOKEN_GOOD);
    const char *signature = strrchr(token, '.');
    snprintf(mixed, sizeof mixed, "%.*s%s", (int)(strrchr(other, '.') - other),
             other, signature);
    assert_int_equal(verdict_of(mixed), TOKEN_SIGNATURE);
    snprintf(mixed, sizeof mixed, "%.*s.", (int)(signature - token), token);
    assert_int_equal(verdict_of(mixed), TOKEN_SIGNATURE);
    snprintf(mixed, sizeof mixed, "%.*s", (int)(signature - token), token);
    assert_int_equal(verdict_of(mixed), TOKEN_MALFORMED);
}

static void what_is_no_compact_jws_is_refused(void **state)
{
    char token[SIGNED_TOKEN_ROOM], changed[SIGNED_TOKEN_ROOM];
    static const char *const none[] = {
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "e30.e30.e30",
        "x y.z.w",
        RS256_HEADER "..",
        "." JOE_PAYLOAD ".",
        RS256_HEADER "." JOE_PAYLOAD "." RS256_SIGNATURE "=",
        RS256_HEADER "=." JOE_PAYLOAD "." RS256_SIGNATURE,
        RS256_HEADER "." JOE_PAYLOAD "." RS256_SIGNATURE ".",
        RS256_HEADER "." JOE_PAYLOAD ".Zh",
        RS256_HEADER "." JOE_PAYLOAD ".+/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        enum token_verdict verdict = verdict_of(none[i]);
        print_message("  %s\n", none[i]);
        assert_true(verdict == TOKEN_MALFORMED || verdict == TOKEN_ALGORITHM);
    }
    /* Padding under a good signature: the payload has its own reading. */
    token_begin(token, EDDSA, "{" FRESH " }");
    changed[0] = '\0';
    token_append(changed, token);
    token_append(changed, "=");
    token_sign(changed);
    assert_int_equal(verdict_of(changed), TOKEN_MALFORMED);
}

static void a_token_that_is_too_long_is_refused(void **state)
{
    static const int lengths[] = {8800, 9300};
    static char payload[JWT_OCTETS_MAX];
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        snprintf(payload, sizeof payload, "{" FRESH ",\"x\":\"%0*d\"}",
                 lengths[i], 0);
        token_make(token, EDDSA, payload);
        assert_int_equal(strlen(token) > JWT_OCTETS_MAX, i == 1);
        assert_int_equal(verdict_of(token),
                         i == 1 ? TOKEN_MALFORMED : TOKEN_GOOD);
    }
}

/* A full arena is no refusal. */
static void memory_that_is_out_is_told_apart(void **state)
{
    char token[SIGNED_TOKEN_ROOM], wrong[200];
    struct arena arena;
    struct token_claims claims;
    (void)state;
    struct jwk_set *keys =
        jwk_set_new(str_from(keys_text), wrong, sizeof wrong);
    assert_non_null(keys);
    token_make(token, EDDSA, "{" FRESH "}");
    arena_init(&arena, 8);
    assert_int_equal(
        jwt_check(str_from(token), keys, &wants, NOW_MS, &arena, &claims),
        TOKEN_MEMORY);
    arena_release(&arena);
    jwk_set_free(keys);
}

static void every_verdict_has_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < TOKEN_VERDICTS; i++)
        assert_non_null(token_verdict_words((enum token_verdict)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tokens_of_the_standards_are_read),
        cmocka_unit_test(the_claims_of_a_token_are_told),
        cmocka_unit_test(an_address_that_is_not_proven_is_nobodys),
        cmocka_unit_test(a_header_is_read_strictly),
        cmocka_unit_test(claims_are_held_against_what_is_wanted),
        cmocka_unit_test(scopes_must_all_be_there),
        cmocka_unit_test(the_public_key_is_no_secret_of_an_hmac),
        cmocka_unit_test(a_signature_covers_header_and_payload),
        cmocka_unit_test(what_is_no_compact_jws_is_refused),
        cmocka_unit_test(a_token_that_is_too_long_is_refused),
        cmocka_unit_test(memory_that_is_out_is_told_apart),
        cmocka_unit_test(every_verdict_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
