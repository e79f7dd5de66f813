#include "proxy/sasl/jwt.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/json_object.h"

#include <jansson.h>
#include <openssl/mem.h>

#define HEADER_OCTETS_MAX 4096
#define SIGNATURE_OCTETS_MAX 1024 /* RSA's, of 8192 bits */

struct parts {
    struct str header, payload, signature; /* in base64url */
    struct str input;                      /* what is signed */
};

/* RFC 7515 7.1. Five parts are an encrypted token. */
static bool split(struct str token, struct parts *out)
{
    struct str behind;
    return token.n <= JWT_OCTETS_MAX &&
           str_cut(token, '.', &out->header, &behind) &&
           str_cut(behind, '.', &out->payload, &out->signature) &&
           str_index(out->signature, '.') < 0 && out->header.n > 0 &&
           out->payload.n > 0;
}

/* A part's JSON object; NULL when it is none. What it was decoded to is
 * wiped. */
static json_t *read_part(struct str part)
{
    char decoded[JWT_OCTETS_MAX];
    size_t length;
    json_t *object = NULL;
    if (part.n <= sizeof decoded &&
        base64url_decode(part, decoded, &length) == 0)
        object = json_object_read(str_span(decoded, length), NULL);
    OPENSSL_cleanse(decoded, sizeof decoded);
    return object;
}

/* RFC 9068 4 and RFC 8725 3.11: what is marked as another kind, such as a
 * logout token, is no access token. */
static bool is_fitting_type(const json_t *header)
{
    static const char *const prefix = "application/";
    struct str type = json_object_text(header, "typ");
    if (json_object_get(header, "typ") == NULL)
        return true;
    if (str_starts_with_nocase(type, str_from(prefix)))
        type = str_skip(type, str_from(prefix).n);
    return str_equals_nocase(type, STR("at+jwt")) ||
           str_equals_nocase(type, STR("JWT"));
}

struct chosen {
    enum jws_algorithm algorithm;
    struct str id;
};

/* Keys and addresses of keys that the header brings along (jwk, jku, x5u) are
 * the sender's own: they are never looked at. */
static enum token_verdict read_header(const json_t *header, struct chosen *out)
{
    struct str algorithm = json_object_text(header, "alg");
    out->id = json_object_text(header, "kid");
    if (algorithm.p == NULL ||
        jws_algorithm_parse(algorithm, &out->algorithm) != 0)
        return TOKEN_ALGORITHM;
    if (json_object_get(header, "crit") != NULL)
        return TOKEN_CRITICAL;
    if (!is_fitting_type(header))
        return TOKEN_TYPE;
    if (json_object_get(header, "kid") != NULL &&
        (out->id.p == NULL || out->id.n > JWK_ID_MAX))
        return TOKEN_MALFORMED;
    return TOKEN_GOOD;
}

static enum token_verdict check_signature(const struct parts *parts,
                                          const struct jwk_set *keys)
{
    char signature[SIGNATURE_OCTETS_MAX * 2];
    size_t length;
    struct chosen chosen;
    if (parts->header.n > HEADER_OCTETS_MAX)
        return TOKEN_MALFORMED;
    json_t *header = read_part(parts->header);
    if (header == NULL)
        return TOKEN_MALFORMED;
    enum token_verdict verdict = read_header(header, &chosen);
    if (verdict == TOKEN_GOOD &&
        (parts->signature.n > sizeof signature ||
         base64url_decode(parts->signature, signature, &length) != 0))
        verdict = TOKEN_MALFORMED;
    if (verdict == TOKEN_GOOD) {
        static const enum token_verdict verdicts[] = {
            [JWK_VERIFIED] = TOKEN_GOOD,
            [JWK_UNKNOWN] = TOKEN_KEY,
            [JWK_DIFFERS] = TOKEN_SIGNATURE,
        };
        verdict =
            verdicts[jwk_set_verify(keys, chosen.algorithm, chosen.id,
                                    parts->input, str_span(signature, length))];
    }
    OPENSSL_cleanse(signature, sizeof signature);
    json_decref(header);
    return verdict;
}

enum token_verdict jwt_check(struct str token, const struct jwk_set *keys,
                             const struct token_wants *wants, uint64_t now_ms,
                             struct arena *arena, struct token_claims *out)
{
    struct parts parts;
    *out = (struct token_claims){0};
    if (!split(token, &parts))
        return TOKEN_MALFORMED;
    parts.input = str_head(token, parts.header.n + 1 + parts.payload.n);
    enum token_verdict verdict = check_signature(&parts, keys);
    if (verdict != TOKEN_GOOD)
        return verdict;
    json_t *claims = read_part(parts.payload);
    if (claims == NULL)
        return TOKEN_MALFORMED;
    verdict = token_claims_check(claims, wants, now_ms, arena, out);
    json_decref(claims);
    return verdict;
}
