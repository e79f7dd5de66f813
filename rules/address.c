#include "rules/address.h"

#include "rules/cidr.h"

#include <string.h>

#define LABEL_MAX_OCTETS 63

static bool is_atext(char c)
{
    if (ascii_is_alpha(c) || ascii_is_digit(c))
        return true;
    return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* Dot-string: atoms with single dots between. */
static bool is_dot_string(struct str text)
{
    bool after_dot = true;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && after_dot)
            return false;
        if (text.p[i] != '.' && !is_atext(text.p[i]))
            return false;
        after_dot = text.p[i] == '.';
    }
    return text.n > 0 && !after_dot;
}

/* The octets of the Quoted-string that `text` starts with, or 0. A quoted
 * pair takes printable ASCII only (RFC 5321 4.1.2), so no control can hide
 * behind a backslash. */
static size_t quoted_length(struct str text)
{
    for (size_t i = 1; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"')
            return i + 1;
        if (c == '\\' && ++i < text.n)
            c = text.p[i];
        if (c < ' ' || c > '~')
            return 0;
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
    if (address_is_domain(out->domain) || address_is_literal(out->domain))
        return ADDRESS_OK;
    return ADDRESS_SYNTAX;
}

bool address_is_label(struct str label)
{
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool address_is_domain(struct str text)
{
    struct str label;
    bool has_more = true;
    if (text.n > ADDRESS_MAX_OCTETS)
        return false;
    while (has_more) {
        has_more = str_cut(text, '.', &label, &text);
        if (label.n > LABEL_MAX_OCTETS || !address_is_label(label))
            return false;
    }
    return true;
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

struct str address_canonical(struct arena *arena, struct str text)
{
    struct address address;
    char plain[ADDRESS_MAX_OCTETS];
    char out[ADDRESS_MAX_OCTETS];
    if (address_parse(text, &address) != ADDRESS_OK ||
        address.local.p[0] != '"')
        return arena_lower(arena, text);
    struct str local = str_span(plain, unquote(address.local, plain));
    size_t n = local.n;
    /* The shortest quoting is never longer than the one that was parsed. */
    if (is_dot_string(local))
        memcpy(out, plain, n);
    else
        n = quote(local, out);
    size_t rest = text.n - address.local.n;
    memcpy(out + n, text.p + address.local.n, rest);
    return arena_lower(arena, str_span(out, n + rest));
}
