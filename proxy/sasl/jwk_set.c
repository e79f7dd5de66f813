#include "proxy/sasl/jwk_set.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/json_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/curve25519.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define COORDINATE_OCTETS 32 /* of P-256 */
#define TRIES_MAX 8          /* keys that one token is held against */

struct jwk {
    enum jws_algorithm algorithm; /* the only one it is good for */
    struct str id;                /* n 0: none; owned */
    RSA *rsa;
    EC_KEY *ec;
    uint8_t ed25519[ED25519_PUBLIC_KEY_LEN];
};

struct jwk_set {
    struct jwk *keys;
    size_t count;
};

static const char *const NAMES[] = {
    [JWS_RS256] = "RS256",
    [JWS_ES256] = "ES256",
    [JWS_EDDSA] = "EdDSA",
};

int jws_algorithm_parse(struct str name, enum jws_algorithm *out)
{
    for (unsigned i = 0; i < JWS_ALGORITHMS; i++) {
        if (str_equals(name, str_from(NAMES[i]))) {
            *out = (enum jws_algorithm)i;
            return 0;
        }
    }
    return -1;
}

static void release_key(struct jwk *key)
{
    RSA_free(key->rsa);
    EC_KEY_free(key->ec);
    free((char *)key->id.p);
    *key = (struct jwk){0};
}

/* The octets of a member in base64url, at most `room`. 0, or -1. */
static int octets_of(const json_t *json, const char *name, uint8_t *to,
                     size_t room, size_t *length)
{
    char decoded[RSA_BITS_MAX / 8 * 2];
    struct str text = json_object_text(json, name);
    if (text.n == 0 || text.n > sizeof decoded ||
        base64url_decode(text, decoded, length) != 0 || *length > room)
        return -1;
    memcpy(to, decoded, *length);
    return 0;
}

/* RFC 7518 6.3.1. NULL, or what is wrong with it. */
static const char *read_rsa(const json_t *json, struct jwk *key)
{
    uint8_t n[RSA_BITS_MAX / 8], e[8];
    size_t n_length, e_length;
    if (octets_of(json, "n", n, sizeof n, &n_length) != 0 ||
        octets_of(json, "e", e, sizeof e, &e_length) != 0)
        return "its n or e is missing, malformed or too long";
    BIGNUM *modulus = BN_bin2bn(n, n_length, NULL);
    BIGNUM *exponent = BN_bin2bn(e, e_length, NULL);
    key->algorithm = JWS_RS256;
    key->rsa = RSA_new();
    if (modulus == NULL || exponent == NULL || key->rsa == NULL ||
        RSA_set0_key(key->rsa, modulus, exponent, NULL) != 1) {
        BN_free(modulus);
        BN_free(exponent);
        return "out of memory";
    }
    if (RSA_bits(key->rsa) < RSA_BITS_MIN || RSA_bits(key->rsa) > RSA_BITS_MAX)
        return "an RSA key must have 2048 bits at least and 8192 at most";
    return RSA_check_key(key->rsa) == 1 ? NULL : "it is no sound RSA key";
}

/* RFC 7518 6.2.1: the coordinates have their full length. */
static const char *read_p256(const json_t *json, struct jwk *key)
{
    uint8_t x[COORDINATE_OCTETS], y[COORDINATE_OCTETS];
    size_t x_length, y_length;
    if (!str_equals(json_object_text(json, "crv"), STR("P-256")))
        return "its curve is not P-256";
    if (octets_of(json, "x", x, sizeof x, &x_length) != 0 ||
        octets_of(json, "y", y, sizeof y, &y_length) != 0 ||
        x_length != sizeof x || y_length != sizeof y)
        return "its x or y is missing or malformed";
    BIGNUM *x_number = BN_bin2bn(x, sizeof x, NULL);
    BIGNUM *y_number = BN_bin2bn(y, sizeof y, NULL);
    key->algorithm = JWS_ES256;
    key->ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    bool is_set = x_number != NULL && y_number != NULL && key->ec != NULL &&
                  EC_KEY_set_public_key_affine_coordinates(key->ec, x_number,
                                                           y_number) == 1;
    BN_free(x_number);
    BN_free(y_number);
    return is_set ? NULL : "it is no point of its curve";
}

/* RFC 8037 2. */
static const char *read_ed25519(const json_t *json, struct jwk *key)
{
    size_t length;
    key->algorithm = JWS_EDDSA;
    if (!str_equals(json_object_text(json, "crv"), STR("Ed25519")))
        return "its curve is not Ed25519";
    if (octets_of(json, "x", key->ed25519, sizeof key->ed25519, &length) != 0 ||
        length != sizeof key->ed25519)
        return "its x is missing or malformed";
    return NULL;
}

/* RFC 7517 4.3. */
static bool may_verify(const json_t *json)
{
    const json_t *operations = json_object_get(json, "key_ops");
    const json_t *operation;
    size_t i;
    if (operations == NULL)
        return true;
    json_array_foreach(
        operations, i,
        operation) if (str_equals(str_span(json_string_value(operation),
                                           json_string_length(operation)),
                                  STR("verify"))) return true;
    return false;
}

static const char *read_by_kind(const json_t *json, struct jwk *key)
{
    struct str kind = json_object_text(json, "kty");
    if (str_equals(kind, STR("RSA")))
        return read_rsa(json, key);
    if (str_equals(kind, STR("EC")))
        return read_p256(json, key);
    if (str_equals(kind, STR("OKP")))
        return read_ed25519(json, key);
    return "its kty is none of RSA, EC and OKP";
}

static const char *keep_id(const json_t *json, struct jwk *key)
{
    struct str id = json_object_text(json, "kid");
    if (json_object_get(json, "kid") == NULL)
        return NULL;
    if (id.n == 0 || id.n > JWK_ID_MAX)
        return "its kid is no text of 1 to 256 octets";
    char *copy = strndup(id.p, id.n);
    if (copy == NULL)
        return "out of memory";
    key->id = str_span(copy, id.n);
    return NULL;
}

/* NULL, or why it is passed over. */
static const char *read_key(const json_t *json, struct jwk *key)
{
    struct str use = json_object_text(json, "use");
    struct str algorithm = json_object_text(json, "alg");
    *key = (struct jwk){0};
    if (!json_is_object(json))
        return "it is no JSON object";
    if ((json_object_get(json, "use") != NULL &&
         !str_equals(use, STR("sig"))) ||
        !may_verify(json))
        return "it is not for signatures";
    const char *wrong = read_by_kind(json, key);
    if (wrong == NULL && json_object_get(json, "alg") != NULL &&
        !str_equals(algorithm, str_from(NAMES[key->algorithm])))
        wrong = "its alg is none of RS256, ES256 and EdDSA";
    if (wrong == NULL)
        wrong = keep_id(json, key);
    if (wrong != NULL)
        release_key(key);
    return wrong;
}

/* Whoever reads the file, which need not be secret, could make tokens. */
static bool is_private(const json_t *json)
{
    return json_object_get(json, "d") != NULL;
}

static int read_keys(struct jwk_set *set, const json_t *keys, char *wrong,
                     size_t room)
{
    const json_t *json;
    size_t i;
    const char *why = NULL;
    json_array_foreach(keys, i, json)
    {
        if (is_private(json)) {
            snprintf(wrong, room,
                     "its key %zu holds what tokens are signed with: put the "
                     "public keys alone there",
                     i + 1);
            return -1;
        }
        const char *this = read_key(json, &set->keys[set->count]);
        if (this == NULL)
            set->count++;
        else if (why == NULL)
            why = this;
    }
    if (set->count > 0)
        return 0;
    snprintf(wrong, room, "it has no key that can be used%s%s%s",
             why == NULL ? "" : " (of the first: ", why == NULL ? "" : why,
             why == NULL ? "" : ")");
    return -1;
}

static struct jwk_set *make_set(const json_t *root, char *wrong, size_t room)
{
    const json_t *keys = json_object_get(root, "keys");
    if (!json_is_array(keys) || json_array_size(keys) > JWK_SET_KEYS_MAX) {
        snprintf(wrong, room,
                 "it is no JWK set: {\"keys\": [...]} with %d keys at most",
                 JWK_SET_KEYS_MAX);
        return NULL;
    }
    struct jwk_set *set = calloc(1, sizeof *set);
    if (set != NULL)
        set->keys = calloc(json_array_size(keys) + 1, sizeof *set->keys);
    if (set == NULL || set->keys == NULL) {
        snprintf(wrong, room, "out of memory");
        jwk_set_free(set);
        return NULL;
    }
    if (read_keys(set, keys, wrong, room) == 0)
        return set;
    jwk_set_free(set);
    return NULL;
}

struct jwk_set *jwk_set_new(struct str text, char *wrong, size_t room)
{
    const char *why = "it is too large";
    json_t *root = NULL;
    if (text.n <= JWK_SET_OCTETS_MAX)
        root = json_object_read(text, &why);
    if (root == NULL) {
        snprintf(wrong, room, "%s", why);
        return NULL;
    }
    struct jwk_set *set = make_set(root, wrong, room);
    json_decref(root);
    ERR_clear_error();
    return set;
}

void jwk_set_free(struct jwk_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        release_key(&set->keys[i]);
    free(set->keys);
    free(set);
}

size_t jwk_set_count(const struct jwk_set *set)
{
    return set->count;
}

/* RFC 7518 3.4: R and S, of full length, behind each other. */
static bool verify_ecdsa(const struct jwk *key, const uint8_t *digest,
                         const uint8_t *octets, size_t length)
{
    if (length != (size_t)2 * COORDINATE_OCTETS)
        return false;
    BIGNUM *r = BN_bin2bn(octets, COORDINATE_OCTETS, NULL);
    BIGNUM *s = BN_bin2bn(octets + COORDINATE_OCTETS, COORDINATE_OCTETS, NULL);
    ECDSA_SIG *signature = ECDSA_SIG_new();
    if (r == NULL || s == NULL || signature == NULL ||
        ECDSA_SIG_set0(signature, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(signature);
        return false;
    }
    bool is_good =
        ECDSA_do_verify(digest, SHA256_DIGEST_LENGTH, signature, key->ec) == 1;
    ECDSA_SIG_free(signature);
    return is_good;
}

static bool verify(const struct jwk *key, struct str input,
                   struct str signature)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    const uint8_t *octets = (const uint8_t *)signature.p;
    if (key->algorithm == JWS_EDDSA)
        return signature.n == ED25519_SIGNATURE_LEN &&
               ED25519_verify((const uint8_t *)input.p, input.n, octets,
                              key->ed25519) == 1;
    SHA256((const uint8_t *)input.p, input.n, digest);
    if (key->algorithm == JWS_ES256)
        return verify_ecdsa(key, digest, octets, signature.n);
    return RSA_verify(NID_sha256, digest, sizeof digest, octets, signature.n,
                      key->rsa) == 1;
}

static bool fits(const struct jwk *key, enum jws_algorithm algorithm,
                 struct str id)
{
    return key->algorithm == algorithm &&
           (id.p == NULL || key->id.n == 0 || str_equals(key->id, id));
}

enum jwk_verdict jwk_set_verify(const struct jwk_set *set,
                                enum jws_algorithm algorithm, struct str id,
                                struct str input, struct str signature)
{
    enum jwk_verdict verdict = JWK_UNKNOWN;
    size_t tries = 0;
    for (size_t i = 0;
         i < set->count && tries < TRIES_MAX && verdict != JWK_VERIFIED; i++) {
        if (!fits(&set->keys[i], algorithm, id))
            continue;
        tries++;
        verdict = verify(&set->keys[i], input, signature) ? JWK_VERIFIED
                                                          : JWK_DIFFERS;
    }
    /* What a signature that differs leaves in this thread's list of errors
     * would be read there as TLS's. */
    ERR_clear_error();
    return verdict;
}
