/* What a client gives as a token. The first octet chooses: a whole token, of
 * which none may pass; or a header and, behind a line's end, claims, which are
 * signed here; one that passes names a user and an end. */
#include "proxy/sasl/base64.h"
#include "proxy/sasl/jwt.h"

#include <assert.h>
#include <string.h>

#include <openssl/curve25519.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS 1700000000000ULL
#define PART_MAX 2048

/* RFC 8037 A.1. */
static const char KEYS[] =
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":"
    "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
static const char SEED[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

static const struct token_wants wants = {
    .issuer = STR_INIT("i"),
    .audience = STR_INIT("a"),
    .scope = STR_INIT("s t"),
    .user_claim = STR_INIT("sub"),
    .other_user_claim = STR_INIT("username"),
    .addresses_claim = STR_INIT("email"),
    .groups_claim = STR_INIT("groups"),
    .needs_expiry = true,
    .skew_ms = 60000,
};

static size_t put_url(char *to, struct str octets)
{
    struct str text = base64_encode(octets, to);
    while (text.n > 0 && text.p[text.n - 1] == '=')
        text.n--;
    for (size_t i = 0; i < text.n; i++)
        to[i] = to[i] == '+' ? '-' : to[i] == '/' ? '_' : to[i];
    return text.n;
}

static struct str sign(struct str header, struct str claims, char *token)
{
    char seed[64];
    uint8_t public_key[32], private_key[64], signature[ED25519_SIGNATURE_LEN];
    size_t length, n = put_url(token, str_head(header, PART_MAX));
    token[n++] = '.';
    n += put_url(token + n, str_head(claims, PART_MAX));
    assert(base64url_decode(str_from(SEED), seed, &length) == 0);
    ED25519_keypair_from_seed(public_key, private_key, (const uint8_t *)seed);
    ED25519_sign(signature, (const uint8_t *)token, n, private_key);
    token[n++] = '.';
    n +=
        put_url(token + n, str_span((const char *)signature, sizeof signature));
    return str_span(token, n);
}

static void assert_claims(const struct token_claims *claims)
{
    assert(claims->user.n > 0 && claims->user.n <= TOKEN_NAME_MAX);
    assert(claims->expires_ms > 0);
    assert(claims->has_addresses || claims->address_count == 0);
    for (size_t i = 0; i < claims->address_count; i++)
        assert(str_index(claims->addresses[i], '*') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char made[3 * BASE64_ROOM(PART_MAX)];
    static struct jwk_set *keys;
    char wrong[100];
    struct arena arena;
    struct token_claims claims;
    struct str token = str_span((const char *)data, size), header, payload;
    if (size == 0)
        return 0;
    if (keys == NULL)
        keys = jwk_set_new(str_from(KEYS), wrong, sizeof wrong);
    token = str_skip(token, 1);
    bool is_signed = data[0] == 's';
    if (is_signed) {
        str_cut(token, '\n', &header, &payload);
        token = sign(header, payload, made);
    }
    arena_init(&arena, 64 * 1024);
    enum token_verdict verdict =
        jwt_check(token, keys, &wants, NOW_MS, &arena, &claims);
    assert(is_signed || verdict != TOKEN_GOOD);
    if (verdict == TOKEN_GOOD)
        assert_claims(&claims);
    arena_release(&arena);
    return 0;
}
