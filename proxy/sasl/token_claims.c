#include "proxy/sasl/token_claims.h"

#include "proxy/sasl/json_object.h"
#include "rules/address.h"
#include "rules/base/utf8.h"

#include <string.h>

#include <jansson.h>

/* The year 9999, in seconds. */
#define SECONDS_MAX 253402300800.0

static const char *const WORDS[TOKEN_VERDICTS] = {
    [TOKEN_GOOD] = "it is good",
    [TOKEN_MALFORMED] = "it is no JWT",
    [TOKEN_ALGORITHM] = "its alg is none of RS256, ES256 and EdDSA",
    [TOKEN_CRITICAL] = "its header has crit, which is not supported",
    [TOKEN_TYPE] = "its typ is neither at+jwt nor JWT",
    [TOKEN_KEY] = "no key of the JWK set has its kid and fits its alg",
    [TOKEN_SIGNATURE] = "its signature is wrong",
    [TOKEN_ISSUER] = "its issuer is another one (iss)",
    [TOKEN_AUDIENCE] = "it is meant for another audience (aud)",
    [TOKEN_NO_EXPIRY] = "it does not say when it expires (exp)",
    [TOKEN_EXPIRED] = "it has expired (exp)",
    [TOKEN_NOT_YET] = "it is not valid yet (nbf, iat); are the clocks right?",
    [TOKEN_SCOPE] = "it lacks the scope",
    [TOKEN_USER] = "it names no user in the claim that was set",
    [TOKEN_MEMORY] = "out of memory",
};

const char *token_verdict_words(enum token_verdict verdict)
{
    return WORDS[verdict];
}

static struct str text_of(const json_t *json)
{
    return str_span(json_string_value(json), json_string_length(json));
}

/* Names of claims come from the settings, terminated. */
static const json_t *claim_of(const json_t *claims, struct str name)
{
    return name.n == 0 ? NULL : json_object_getn(claims, name.p, name.n);
}

/* How many texts: a list's, or one that stands alone. */
static size_t texts_count(const json_t *json)
{
    return json_is_array(json) ? json_array_size(json) : json != NULL;
}

static struct str texts_item(const json_t *json, size_t i)
{
    return text_of(json_is_array(json) ? json_array_get(json, i) : json);
}

static bool has_text(const json_t *json, struct str wanted)
{
    for (size_t i = 0; i < texts_count(json); i++)
        if (texts_item(json, i).p != NULL &&
            str_equals(texts_item(json, i), wanted))
            return true;
    return false;
}

/* RFC 8693 4.2: words with spaces between; some issuers make a list. */
static bool has_scope(const json_t *json, struct str wanted)
{
    for (size_t i = 0; i < texts_count(json); i++) {
        struct str rest = texts_item(json, i);
        while (rest.n > 0) {
            struct str word, behind;
            str_cut(rest, ' ', &word, &behind);
            if (str_equals(word, wanted))
                return true;
            rest = behind;
        }
    }
    return false;
}

static bool has_scopes(const json_t *claims, struct str wanted)
{
    const json_t *scope = json_object_get(claims, "scope");
    if (scope == NULL)
        scope = json_object_get(claims, "scp");
    while (wanted.n > 0) {
        struct str word, rest;
        str_cut(wanted, ' ', &word, &rest);
        wanted = rest;
        if (word.n > 0 && !has_scope(scope, word))
            return false;
    }
    return true;
}

/* RFC 7519 2, NumericDate: seconds, perhaps with a fraction. False: it is
 * there and is none. A missing one leaves *ms. */
static bool read_date(const json_t *claims, const char *name, uint64_t *ms)
{
    const json_t *json = json_object_get(claims, name);
    if (json == NULL)
        return true;
    double seconds = json_number_value(json);
    if (!json_is_number(json) || !(seconds >= 0 && seconds < SECONDS_MAX))
        return false;
    *ms = (uint64_t)(seconds * 1000);
    return true;
}

static enum token_verdict check_dates(const json_t *claims,
                                      const struct token_wants *wants,
                                      uint64_t now_ms, uint64_t *expires_ms)
{
    uint64_t until_ms = UINT64_MAX, from_ms = 0, issued_ms = 0;
    uint64_t skew_ms = wants->skew_ms;
    if (!read_date(claims, "exp", &until_ms) ||
        !read_date(claims, "nbf", &from_ms) ||
        !read_date(claims, "iat", &issued_ms))
        return TOKEN_MALFORMED;
    bool does_expire = until_ms != UINT64_MAX;
    if (!does_expire && wants->needs_expiry)
        return TOKEN_NO_EXPIRY;
    if (does_expire && now_ms >= until_ms + skew_ms)
        return TOKEN_EXPIRED;
    if (from_ms > now_ms + skew_ms || issued_ms > now_ms + skew_ms)
        return TOKEN_NOT_YET;
    *expires_ms = does_expire ? until_ms + skew_ms - now_ms : 0;
    return TOKEN_GOOD;
}

/* A name that goes into the log and into look-ups. */
static bool is_name(struct str name)
{
    if (name.n == 0 || name.n > TOKEN_NAME_MAX)
        return false;
    while (name.n > 0) {
        uint32_t character;
        size_t octets = utf8_next(name, &character);
        if (octets == 0 || utf8_is_control(character))
            return false;
        name = str_skip(name, octets);
    }
    return true;
}

/* OpenID Connect Core 5.1: whoever bears the token has yet to show that the
 * address is theirs. */
static bool is_unproven(const json_t *claims, struct str name)
{
    return str_equals(name, STR("email")) &&
           json_is_false(json_object_get(claims, "email_verified"));
}

static enum token_verdict read_user(const json_t *claims,
                                    const struct token_wants *wants,
                                    struct arena *arena,
                                    struct token_claims *out)
{
    struct str name = wants->user_claim;
    if (claim_of(claims, name) == NULL)
        name = wants->other_user_claim;
    struct str user = text_of(claim_of(claims, name));
    if (!is_name(user) || is_unproven(claims, name))
        return TOKEN_USER;
    out->user = arena_str(arena, user);
    return out->user.p == NULL ? TOKEN_MEMORY : TOKEN_GOOD;
}

/* An asterisk is a letter of an address, but what back-ends say of whose an
 * address is reads it as any text: such a one is nobody's. */
static bool is_address(struct str text)
{
    struct address parsed;
    return text.n > 0 && str_index(text, '*') < 0 &&
           address_parse(text, &parsed) == ADDRESS_OK;
}

/* What is no entry of the list is passed over. */
static int read_list(const json_t *json, bool is_of_addresses,
                     struct arena *arena, const struct str **items,
                     size_t *count)
{
    size_t given = texts_count(json);
    if (given > TOKEN_LIST_MAX)
        given = TOKEN_LIST_MAX;
    struct str *kept = arena_array(arena, given + 1, sizeof *kept);
    if (kept == NULL)
        return -1;
    *items = kept;
    for (size_t i = 0; i < given; i++) {
        struct str text = texts_item(json, i);
        if (is_of_addresses ? !is_address(text) : !is_name(text))
            continue;
        kept[*count] = is_of_addresses ? address_canonical(arena, text)
                                       : arena_str(arena, text);
        if (kept[*count].p == NULL)
            return -1;
        ++*count;
    }
    return 0;
}

static enum token_verdict read_lists(const json_t *claims,
                                     const struct token_wants *wants,
                                     struct arena *arena,
                                     struct token_claims *out)
{
    const json_t *addresses = claim_of(claims, wants->addresses_claim);
    const json_t *groups = claim_of(claims, wants->groups_claim);
    out->has_addresses = addresses != NULL;
    out->has_groups = groups != NULL;
    if (is_unproven(claims, wants->addresses_claim))
        addresses = NULL;
    if (read_list(addresses, true, arena, &out->addresses,
                  &out->address_count) != 0 ||
        read_list(groups, false, arena, &out->groups, &out->group_count) != 0)
        return TOKEN_MEMORY;
    return TOKEN_GOOD;
}

enum token_verdict token_claims_check(const json_t *claims,
                                      const struct token_wants *wants,
                                      uint64_t now_ms, struct arena *arena,
                                      struct token_claims *out)
{
    *out = (struct token_claims){0};
    if (wants->issuer.n > 0 &&
        !str_equals(json_object_text(claims, "iss"), wants->issuer))
        return TOKEN_ISSUER;
    if (wants->audience.n > 0 &&
        !has_text(json_object_get(claims, "aud"), wants->audience))
        return TOKEN_AUDIENCE;
    enum token_verdict verdict =
        check_dates(claims, wants, now_ms, &out->expires_ms);
    if (verdict == TOKEN_GOOD && !has_scopes(claims, wants->scope))
        verdict = TOKEN_SCOPE;
    if (verdict == TOKEN_GOOD)
        verdict = read_user(claims, wants, arena, out);
    if (verdict == TOKEN_GOOD)
        verdict = read_lists(claims, wants, arena, out);
    return verdict;
}
