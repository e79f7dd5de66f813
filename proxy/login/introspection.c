#include "proxy/login/introspection.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/json_object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define PAIR_ROOM ((INTROSPECTION_ID_MAX + INTROSPECTION_SECRET_MAX) * 3 + 1)

/* The application/x-www-form-urlencoded of RFC 6749 appendix B, but for the
 * plus sign: %20 is read as a space by all. */
static size_t encode(struct str text, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) ||
            (c != '\0' && strchr("-._~", c) != NULL)) {
            to[n++] = (char)c;
            continue;
        }
        to[n++] = '%';
        to[n++] = digits[c >> 4];
        to[n++] = digits[c & 15];
    }
    return n;
}

static size_t put(struct str text, char *to)
{
    memcpy(to, text.p, text.n);
    return text.n;
}

int introspection_form(struct str token, char *to, size_t *length)
{
    if (token.n > INTROSPECTION_TOKEN_MAX)
        return -1;
    size_t n = put(STR("token="), to);
    n += encode(token, to + n);
    n += put(STR("&token_type_hint=access_token"), to + n);
    *length = n;
    return 0;
}

struct str introspection_basic(struct str id, struct str secret, char *to)
{
    char pair[PAIR_ROOM];
    assert(id.n <= INTROSPECTION_ID_MAX &&
           secret.n <= INTROSPECTION_SECRET_MAX);
    size_t n = encode(id, pair);
    pair[n++] = ':';
    n += encode(secret, pair + n);
    size_t scheme = put(STR("Basic "), to);
    struct str text = base64_encode(str_span(pair, n), to + scheme);
    explicit_bzero(pair, sizeof pair);
    return str_span(to, scheme + text.n);
}

static enum introspection_verdict
read_object(const json_t *object, const struct token_wants *wants,
            uint64_t now_ms, struct arena *arena, struct token_claims *out,
            enum token_verdict *why)
{
    const json_t *active = json_object_get(object, "active");
    *why = TOKEN_GOOD;
    if (json_is_false(active))
        return INTROSPECTION_REFUSED;
    if (!json_is_true(active))
        return INTROSPECTION_BROKEN;
    *why = token_claims_check(object, wants, now_ms, arena, out);
    if (*why == TOKEN_GOOD)
        return INTROSPECTION_GOOD;
    return *why == TOKEN_MALFORMED || *why == TOKEN_MEMORY
               ? INTROSPECTION_BROKEN
               : INTROSPECTION_REFUSED;
}

enum introspection_verdict
introspection_read(struct str body, const struct token_wants *wants,
                   uint64_t now_ms, struct arena *arena,
                   struct token_claims *out, enum token_verdict *why)
{
    *out = (struct token_claims){0};
    *why = TOKEN_MALFORMED;
    json_t *object = json_object_read(body, NULL);
    if (object == NULL)
        return INTROSPECTION_BROKEN;
    enum introspection_verdict verdict =
        read_object(object, wants, now_ms, arena, out, why);
    json_decref(object);
    return verdict;
}
