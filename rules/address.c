#include "rules/address.h"

#include "rules/base/utf8.h"
#include "rules/cidr.h"
#include "rules/domain_name.h"

#include <assert.h>
#include <string.h>

#include <uninorm.h>

#define COMPOSED_MAX_OCTETS (3 * ADDRESS_LOCAL_MAX_OCTETS)
/* Quotes, and a backslash before each. */
#define LOCAL_FORM_MAX_OCTETS (2 * COMPOSED_MAX_OCTETS + 2)

static bool is_atext(char c)
{
    if (ascii_is_alpha(c) || ascii_is_digit(c))
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* The octets of one character that RFC 6531 3.3 adds, or 0. What moves the
 * cursor or turns the direction of writing shows people another address than
 * it is, and is left out. */
static size_t utf8_length(struct str text)
{
    uint32_t character;
    size_t n = utf8_next(text, &character);
    return n > 1 && !utf8_is_control(character) ? n : 0;
}

/* Dot-string: atoms with single dots between. */
static bool is_dot_string(struct str text)
{
    bool after_dot = true;
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        size_t n = c == '.' || is_atext(c) ? 1 : utf8_length(str_skip(text, i));
        if (n == 0 || (c == '.' && after_dot))
            return false;
        after_dot = c == '.';
        i += n;
    }
    return text.n > 0 && !after_dot;
}

/* The octets of the Quoted-string that `text` starts with, or 0. A quoted
 * pair takes printable ASCII only (RFC 5321 4.1.2), so no control can hide
 * behind a backslash. */
static size_t quoted_length(struct str text)
{
    for (size_t i = 1; i < text.n;) {
        char c = text.p[i];
        if (c == '"')
            return i + 1;
        bool is_pair = c == '\\';
        if (is_pair && ++i < text.n)
            c = text.p[i];
        size_t n = c >= ' ' && c <= '~' ? 1 : 0;
        if (n == 0 && !is_pair)
            n = utf8_length(str_skip(text, i));
        if (n == 0)
            return 0;
        i += n;
    }
    return 0;
}

/* The octets of the local part that `text` starts with, or 0. */
static size_t local_length(struct str text)
{
    if (text.n > 0 && text.p[0] == '"')
        return quoted_length(text);
    ptrdiff_t at = str_index(text, '@');
    size_t length = at < 0 ? text.n : (size_t)at;
    return is_dot_string(str_head(text, length)) ? length : 0;
}

/* Without quotes and backslashes, into `to`, which has room for all of it. */
static size_t unquote(struct str quoted, char *to)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < quoted.n; i++) {
        if (quoted.p[i] == '\\')
            i++;
        to[n++] = quoted.p[i];
    }
    return n;
}

/* Quoted, with as few backslashes as can be. */
static size_t quote(struct str plain, char *to)
{
    size_t n = 0;
    to[n++] = '"';
    for (size_t i = 0; i < plain.n; i++) {
        if (plain.p[i] == '"' || plain.p[i] == '\\')
            to[n++] = '\\';
        to[n++] = plain.p[i];
    }
    to[n++] = '"';
    return n;
}

/* In the form that all ways to compose its characters share, into `to`. That
 * is at most three times as long (UAX 15), so that it takes no memory. */
static size_t compose(struct str text, char to[COMPOSED_MAX_OCTETS])
{
    size_t n = COMPOSED_MAX_OCTETS;
    uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)text.p,
                                     text.n, (uint8_t *)to, &n);
    assert(composed == (uint8_t *)to);
    return n;
}

/* The local part as it compares, into `to`; what composing makes of characters
 * beyond ASCII may still be in upper case. Letters become small before that,
 * since some compose with a mark only then, and quotes come last: it makes
 * ASCII that needs them of some characters. */
static struct str canonical_local(struct str local,
                                  char to[LOCAL_FORM_MAX_OCTETS])
{
    char plain[ADDRESS_LOCAL_MAX_OCTETS];
    char composed[COMPOSED_MAX_OCTETS];
    if (local.p[0] == '"')
        local = str_span(plain, unquote(local, plain));
    for (size_t i = 0; i < local.n; i++)
        plain[i] = ascii_lower(local.p[i]);
    local = str_span(plain, local.n);
    if (str_has_8bit(local))
        local = str_span(composed, compose(local, composed));
    if (!is_dot_string(local))
        return str_span(to, quote(local, to));
    memcpy(to, local.p, local.n);
    return str_span(to, local.n);
}

/* Whether the address keeps to its limits in the form in which it compares
 * too: a form that is no address would slip by every rule about its domain. */
static bool form_fits(const struct address *address, size_t domain_octets)
{
    char room[LOCAL_FORM_MAX_OCTETS];
    if (!str_has_8bit(address->text))
        return true;
    struct str local = canonical_local(address->local, room);
    return local.n <= ADDRESS_LOCAL_MAX_OCTETS &&
           local.n + 1 + domain_octets <= ADDRESS_MAX_OCTETS;
}

enum address_error address_parse(struct str text, struct address *out)
{
    size_t length = local_length(text);
    if (length == 0)
        return ADDRESS_SYNTAX;
    *out = (struct address){
        .text = text,
        .local = str_head(text, length),
        .domain = str_skip(text, length + 1),
    };
    if (length < text.n && text.p[length] != '@')
        return ADDRESS_SYNTAX;
    if (length > ADDRESS_LOCAL_MAX_OCTETS || text.n > ADDRESS_MAX_OCTETS)
        return ADDRESS_TOO_LONG;
    if (length == text.n)
        return ADDRESS_UNQUALIFIED;
    size_t domain_octets = address_is_literal(out->domain)
                               ? out->domain.n
                               : domain_canonical_octets(out->domain);
    if (domain_octets == 0)
        return ADDRESS_SYNTAX;
    return form_fits(out, domain_octets) ? ADDRESS_OK : ADDRESS_TOO_LONG;
}

/* Only the two registered kinds: a General-address-literal means nothing to
 * anybody (RFC 5321 4.1.3). */
bool address_is_literal(struct str text)
{
    struct ip ip;
    struct str tag = STR("IPv6:");
    if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return false;
    text = str_span(text.p + 1, text.n - 2);
    bool is_v6 = str_starts_with_nocase(text, tag);
    if (is_v6)
        text = str_skip(text, tag.n);
    return ip_parse(text, &ip) == 0 && (str_index(text, ':') >= 0) == is_v6;
}

struct str address_canonical(struct arena *arena, struct str text)
{
    struct address address;
    char room[LOCAL_FORM_MAX_OCTETS];
    bool is_plain = !str_has_8bit(text) && str_index(text, '"') < 0;
    if (is_plain || address_parse(text, &address) != ADDRESS_OK)
        return arena_lower(arena, text);
    struct str local = canonical_local(address.local, room);
    struct str domain = domain_canonical(arena, address.domain);
    if (domain.p == NULL)
        return (struct str){NULL, 0};
    return arena_lower(arena, arena_printf(arena, "%.*s@%.*s", (int)local.n,
                                           local.p, (int)domain.n, domain.p));
}

struct str address_local_canonical(struct arena *arena, struct str local)
{
    char room[LOCAL_FORM_MAX_OCTETS];
    bool is_local = local.n <= ADDRESS_LOCAL_MAX_OCTETS && local.n > 0 &&
                    local_length(local) == local.n;
    return arena_lower(arena, is_local ? canonical_local(local, room) : local);
}
