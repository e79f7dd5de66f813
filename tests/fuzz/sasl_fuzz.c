/* AUTH exchanges: the first octet chooses the mechanism, initial response, and
 * whether the responses, one a line, are base64 already. Those that are not
 * are made so here, and what comes of PLAIN is known beforehand. Who is to
 * prove a secret that the octets can't know is never let in. */
#include "proxy/sasl/sasl.h"

#include "rules/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sasl_channel channel = {
    .binding = STR_INIT("0123456789abcdef0123456789abcdef"),
    .offers_plus = true,
    .hostname = STR_INIT("mx.example"),
    .certificate = STR_INIT("bob@example.com"),
};

#define KEYS                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                             \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"                            \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

/* Of which the octets know nothing. */
static enum sasl_next take_secrets(struct sasl *sasl, const char **challenge)
{
    struct scram_verifier verifier;
    uint8_t contexts[CRAM_CONTEXTS] = {1, 2, 3};
    if (sasl->mechanism == SASL_CRAM_MD5)
        return sasl_take_cram(sasl, contexts);
    const char *wrong = scram_verifier_read(STR(KEYS), &verifier);
    assert(wrong == NULL);
    return sasl_take_scram(sasl, &verifier, challenge);
}

static bool has_any_below(struct str text, unsigned char least)
{
    for (size_t i = 0; i < text.n; i++)
        if ((uint8_t)text.p[i] < least || text.p[i] == 0x7f)
            return true;
    return false;
}

static void assert_name(const char *name, size_t length)
{
    struct str text = {name, length};
    assert(length <= SASL_NAME_MAX && name[length] == '\0');
    assert(!has_any_below(text, ' ') && utf8_is_valid(text));
}

static bool has_secret(enum sasl_mechanism mechanism)
{
    return mechanism == SASL_PLAIN || mechanism == SASL_LOGIN ||
           mechanism == SASL_OAUTHBEARER || mechanism == SASL_XOAUTH2;
}

static void assert_claim(const struct sasl *sasl)
{
    struct str secret = {sasl->secret, sasl->secret_length};
    assert(has_secret(sasl->mechanism) || sasl->mechanism == SASL_EXTERNAL);
    assert(has_secret(sasl->mechanism) == (secret.p != NULL));
    assert(sasl->name_length > 0 || sasl->mechanism == SASL_OAUTHBEARER);
    assert_name(sasl->name, sasl->name_length);
    if (sasl->authzid != NULL) {
        assert(sasl->authzid_length > 0);
        assert_name(sasl->authzid, sasl->authzid_length);
    }
    if (secret.p == NULL)
        return;
    assert(secret.n > 0 && secret.p[secret.n] == '\0');
    assert(str_index(secret, '\0') < 0 && str_index(secret, '\n') < 0);
}

static void assert_state(const struct sasl *sasl, enum sasl_next next)
{
    if (next == SASL_CLAIM) {
        assert_claim(sasl);
        return;
    }
    if (next != SASL_CHALLENGE && next != SASL_SECRETS)
        assert(sasl->name == NULL && sasl->authzid == NULL &&
               sasl->secret == NULL && sasl->state == NULL);
}

/* Base64 (RFC 4648 4) by the plainest means; the caller frees it. */
static struct str encode(struct str octets)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789+/";
    char *to = malloc(octets.n * 2 + 5);
    size_t n = 0;
    assert(to != NULL);
    for (size_t bit = 0; bit < octets.n * 8; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            bool is_there = i < octets.n * 8;
            unsigned octet = is_there ? (uint8_t)octets.p[i / 8] : 0u;
            value = value * 2 + (octet >> (7 - i % 8) & 1);
        }
        to[n++] = DIGITS[value];
    }
    while (n % 4 != 0)
        to[n++] = '=';
    return str_span(to, n);
}

/* RFC 4616 2, and what a name and a password may be. */
static void assert_plain(const struct sasl *sasl, enum sasl_next next,
                         struct str message)
{
    struct str authzid, authcid, passwd;
    bool is_good = utf8_is_valid(message) &&
                   str_cut(message, '\0', &authzid, &passwd) &&
                   str_cut(passwd, '\0', &authcid, &passwd);
    is_good = is_good && authcid.n > 0 && authcid.n <= 1024 &&
              !has_any_below(authcid, ' ') && passwd.n > 0 &&
              memchr(passwd.p, '\0', passwd.n) == NULL &&
              memchr(passwd.p, '\r', passwd.n) == NULL &&
              memchr(passwd.p, '\n', passwd.n) == NULL;
    if (!is_good) {
        assert(next == SASL_MALFORMED);
        return;
    }
    bool is_own = authzid.n == 0 || str_equals(authzid, authcid);
    if (!is_own && (authzid.n > 1024 || has_any_below(authzid, ' '))) {
        assert(next == SASL_MALFORMED);
        return;
    }
    assert(next == SASL_CLAIM && is_own == (sasl->authzid == NULL));
    assert(is_own ||
           str_equals(str_span(sasl->authzid, sasl->authzid_length), authzid));
    assert(str_equals(str_span(sasl->name, sasl->name_length), authcid));
    assert(str_equals(str_span(sasl->secret, sasl->secret_length), passwd));
}

/* A message of PLAIN whole, whatever octets it holds. */
static void give_plain(struct str message, bool has_initial)
{
    struct sasl sasl;
    const char *challenge = NULL;
    struct str encoded = encode(message);
    bool is_nothing = message.n == 0 && has_initial; /* RFC 4954 4 */
    struct str line = is_nothing ? STR("=") : encoded;
    sasl_init(&sasl, SASL_PLAIN, &channel);
    enum sasl_next next = sasl_begin(&sasl, has_initial, line, &challenge);
    if (!has_initial) {
        assert(next == SASL_CHALLENGE);
        next = sasl_respond(&sasl, line, &challenge);
    }
    assert_state(&sasl, next);
    if (line.n <= 12288)
        assert_plain(&sasl, next, message);
    else
        assert(next == SASL_MALFORMED);
    sasl_release(&sasl);
    free((char *)encoded.p);
}

/* A line as it came, or in base64. */
static enum sasl_next say(struct sasl *sasl, struct str line, bool is_base64,
                          const char **challenge)
{
    struct str encoded = is_base64 ? line : encode(line);
    enum sasl_next next = sasl_respond(sasl, encoded, challenge);
    if (!is_base64)
        free((char *)encoded.p);
    return next;
}

static void give_lines(struct str rest, enum sasl_mechanism mechanism,
                       bool has_initial, bool is_base64)
{
    struct str line = {NULL, 0};
    struct sasl sasl;
    const char *challenge = NULL;
    sasl_init(&sasl, mechanism, &channel);
    if (has_initial)
        str_cut(rest, '\n', &line, &rest);
    enum sasl_next next = sasl_begin(&sasl, has_initial, line, &challenge);
    assert_state(&sasl, next);
    while ((next == SASL_CHALLENGE && rest.n > 0) || next == SASL_SECRETS) {
        if (next == SASL_SECRETS) {
            next = take_secrets(&sasl, &challenge);
        } else {
            assert(challenge != NULL);
            str_cut(rest, '\n', &line, &rest);
            next = say(&sasl, line, is_base64, &challenge);
        }
        assert_state(&sasl, next);
    }
    if (next == SASL_CLAIM && sasl_refuse(&sasl, &challenge))
        assert(sasl_respond(&sasl, line, &challenge) == SASL_REFUSED);
    sasl_release(&sasl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = {(const char *)data + 1, size - 1};
    bool has_initial = (data[0] & 2) != 0;
    bool is_base64 = (data[0] & 4) == 0;
    enum sasl_mechanism mechanism =
        (enum sasl_mechanism)((data[0] >> 3) % SASL_MECHANISMS);
    if (mechanism == SASL_PLAIN && (data[0] & 1) != 0)
        mechanism = SASL_LOGIN;
    if (mechanism == SASL_PLAIN && !is_base64)
        give_plain(rest, has_initial);
    else
        give_lines(rest, mechanism, has_initial && is_base64, is_base64);
    return 0;
}
