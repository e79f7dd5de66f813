/* OAUTHBEARER (RFC 7628) and the older XOAUTH2: a bearer token comes over in
 * pairs of key and value, each with ^A behind it. */
#include "proxy/sasl/gs2_header.h"
#include "proxy/sasl/sasl_internal.h"

#include "rules/base/utf8.h"

#define SEPARATOR '\001'

/* {"status":"invalid_token"}, RFC 7628 3.2.2. */
#define EXCUSE_OAUTHBEARER "eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0="
/* {"status":"401","schemes":"Bearer"} */
#define EXCUSE_XOAUTH2 "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiQmVhcmVyIn0="

struct pairs {
    struct str user; /* p NULL: there is none */
    struct str auth;
};

static bool is_key(struct str key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!ascii_is_alpha(key.p[i]))
            return false;
    return key.n > 0;
}

/* Which of two tokens is meant, nobody could say. */
static bool set_once(struct str *slot, struct str value)
{
    bool is_first = slot->p == NULL;
    *slot = value;
    return is_first;
}

/* The pairs, and one more ^A at the end. Keys that are not ours are passed
 * over: clients tell of host and port. */
static bool read_pairs(struct str text, struct pairs *out)
{
    *out = (struct pairs){0};
    while (text.n > 1) {
        struct str pair, key, value;
        if (!str_cut(text, SEPARATOR, &pair, &text) ||
            !str_cut(pair, '=', &key, &value) || !is_key(key))
            return false;
        if (str_equals(key, STR("user")) && !set_once(&out->user, value))
            return false;
        if (str_equals(key, STR("auth")) && !set_once(&out->auth, value))
            return false;
    }
    return text.n == 1 && text.p[0] == SEPARATOR;
}

/* RFC 6750 2.1: b64token. */
static bool is_token(struct str token)
{
    size_t end = token.n;
    while (end > 0 && token.p[end - 1] == '=')
        end--;
    for (size_t i = 0; i < end; i++)
        if (!ascii_is_alpha(token.p[i]) && !ascii_is_digit(token.p[i]) &&
            str_index(STR("-._~+/"), token.p[i]) < 0)
            return false;
    return end > 0 && token.n <= SASL_TOKEN_MAX;
}

/* A client may come without a token, or with another kind, to hear what is
 * wanted here (RFC 7628 4.3): it gets the words of a refusal. */
static enum sasl_next keep_token(struct sasl *sasl, struct str auth)
{
    struct str scheme, token;
    str_cut(auth, ' ', &scheme, &token);
    token = str_trim(token);
    if (!str_equals_nocase(scheme, STR("Bearer")) || token.n == 0)
        return SASL_REFUSED;
    return is_token(token) ? sasl_keep_secret(sasl, token) : SASL_MALFORMED;
}

static enum sasl_next keep_pairs(struct sasl *sasl, struct str name,
                                 struct str auth)
{
    enum sasl_next next = sasl_keep_name(sasl, name);
    return next == SASL_CLAIM ? keep_token(sasl, auth) : next;
}

static bool is_text(struct str message)
{
    return str_index(message, '\0') < 0 && utf8_is_valid(message);
}

static enum sasl_next take_oauthbearer(struct sasl *sasl, struct str message,
                                       const char **challenge)
{
    struct gs2_header header;
    struct pairs pairs;
    char name[SASL_NAME_MAX + 1];
    size_t length;
    (void)challenge;
    if (!is_text(message) || !gs2_header_read(message, &header) ||
        header.binding == GS2_BOUND ||
        !saslname_read(header.authzid, name, sizeof name, &length))
        return SASL_MALFORMED;
    struct str rest = str_skip(message, header.length);
    struct str user = str_span(name, length);
    if (rest.n == 0 || rest.p[0] != SEPARATOR ||
        !read_pairs(str_skip(rest, 1), &pairs) ||
        (user.n > 0 && !sasl_is_name(user)))
        return SASL_MALFORMED;
    return keep_pairs(sasl, user, pairs.auth);
}

static enum sasl_next take_xoauth2(struct sasl *sasl, struct str message,
                                   const char **challenge)
{
    struct pairs pairs;
    (void)challenge;
    if (!is_text(message) || !read_pairs(message, &pairs) ||
        !sasl_is_name(pairs.user))
        return SASL_MALFORMED;
    return keep_pairs(sasl, pairs.user, pairs.auth);
}

const struct sasl_kind sasl_kind_oauthbearer = {.name = "OAUTHBEARER",
                                                .take = take_oauthbearer,
                                                .excuse = EXCUSE_OAUTHBEARER};
const struct sasl_kind sasl_kind_xoauth2 = {
    .name = "XOAUTH2", .take = take_xoauth2, .excuse = EXCUSE_XOAUTH2};
