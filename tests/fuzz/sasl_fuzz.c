/* AUTH exchanges: the first octet chooses mechanism, initial response, and
 * whether the responses, one a line, are base64 already. Those that are not
 * are made so here, and what comes of PLAIN is known beforehand. */
#include "proxy/sasl/sasl.h"

#include "rules/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_state(const struct sasl *sasl, enum sasl_next next)
{
    struct str name = {sasl->name, sasl->name_length};
    struct str password = {sasl->password, sasl->password_length};
    if (next == SASL_CHALLENGE)
        return;
    if (next != SASL_CREDENTIALS) {
        assert(name.p == NULL && password.p == NULL);
        return;
    }
    assert(name.n > 0 && password.n > 0 && utf8_is_valid(name));
    assert(str_index(password, '\0') < 0 && str_index(password, '\n') < 0);
    for (size_t i = 0; i < name.n; i++)
        assert((uint8_t)name.p[i] >= ' ' && name.p[i] != 0x7f);
    assert(name.p[name.n] == '\0' && password.p[password.n] == '\0');
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

static bool has_any_below(struct str text, unsigned char least)
{
    for (size_t i = 0; i < text.n; i++)
        if ((uint8_t)text.p[i] < least || text.p[i] == 0x7f)
            return true;
    return false;
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
    assert(next == (is_own ? SASL_CREDENTIALS : SASL_MISMATCH));
    if (!is_own)
        return;
    assert(str_equals(str_span(sasl->name, sasl->name_length), authcid));
    assert(str_equals(str_span(sasl->password, sasl->password_length), passwd));
}

/* A message of PLAIN whole, whatever octets it holds. */
static void give_plain(struct str message, bool has_initial)
{
    struct sasl sasl;
    const char *challenge = NULL;
    struct str encoded = encode(message);
    bool is_nothing = message.n == 0 && has_initial; /* RFC 4954 4 */
    struct str line = is_nothing ? STR("=") : encoded;
    sasl_init(&sasl, SASL_PLAIN);
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

static void give_lines(struct str rest, enum sasl_mechanism mechanism,
                       bool has_initial)
{
    struct str line = {NULL, 0};
    struct sasl sasl;
    const char *challenge = NULL;
    sasl_init(&sasl, mechanism);
    if (has_initial)
        str_cut(rest, '\n', &line, &rest);
    enum sasl_next next = sasl_begin(&sasl, has_initial, line, &challenge);
    assert_state(&sasl, next);
    while (next == SASL_CHALLENGE && rest.n > 0) {
        assert(challenge != NULL);
        str_cut(rest, '\n', &line, &rest);
        next = sasl_respond(&sasl, line, &challenge);
        assert_state(&sasl, next);
    }
    sasl_release(&sasl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = {(const char *)data + 1, size - 1};
    bool has_initial = (data[0] & 2) != 0;
    if ((data[0] & 4) != 0)
        give_plain(rest, has_initial);
    else
        give_lines(rest, data[0] & 1 ? SASL_LOGIN : SASL_PLAIN, has_initial);
    return 0;
}
