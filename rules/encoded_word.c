#include "rules/encoded_word.h"

#include <string.h>

#define CHUNK 45 /* octets a word: 60 of base64, below 75 in all */

/* Octets written so far; the room was made for the worst case. */
struct out {
    char *p;
    size_t n;
};

static void put(struct out *out, unsigned char octet)
{
    out->p[out->n++] = (char)octet;
}

struct encoded_word {
    struct str charset;
    char encoding;
    struct str text;
    size_t length; /* of the whole word */
};

/* =?charset?encoding?text?= at the start of `s`; no white space in it. */
static bool word_at_start(struct str s, struct encoded_word *word)
{
    struct str charset, encoding, rest;
    if (!str_starts_with(s, STR("=?")))
        return false;
    if (!str_cut(str_skip(s, 2), '?', &charset, &rest) ||
        !str_cut(rest, '?', &encoding, &rest) || encoding.n != 1 ||
        charset.n == 0 || charset.n > 40)
        return false;
    char kind = ascii_lower(encoding.p[0]);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '?')
        end++;
    if ((kind != 'b' && kind != 'q') || end + 1 >= rest.n ||
        rest.p[end + 1] != '=')
        return false;
    *word = (struct encoded_word){
        .charset = charset, .encoding = kind, .text = str_head(rest, end)};
    word->length = (size_t)(rest.p - s.p) + end + 2;
    return true;
}

static int hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int base64_digit(char c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789+/";
    return (int)str_index(STR(DIGITS), c);
}

static bool is_latin(struct str charset)
{
    static const struct str NAMES[] = {
        STR_INIT("iso-8859-1"),
        STR_INIT("iso-8859-15"),
        STR_INIT("windows-1252"),
    };
    struct str plain;
    struct str language;
    str_cut(charset, '*', &plain, &language); /* RFC 2231 5 */
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (str_equals_nocase(plain, NAMES[i]))
            return true;
    return false;
}

static void put_decoded(struct out *out, bool latin, unsigned char octet)
{
    if (octet < ' ' || octet == 0x7f)
        octet = ' ';
    if (latin && octet >= 0x80) {
        put(out, (unsigned char)(0xc0 | octet >> 6));
        octet = (unsigned char)(0x80 | (octet & 0x3f));
    }
    put(out, octet);
}

static void decode_q(struct out *out, struct str text, bool latin)
{
    for (size_t i = 0; i < text.n; i++) {
        int high = -1, low = -1;
        if (text.p[i] == '=' && i + 2 < text.n) {
            high = hex_digit(text.p[i + 1]);
            low = hex_digit(text.p[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            put_decoded(out, latin, (unsigned char)(high << 4 | low));
            i += 2;
        } else {
            char c = text.p[i] == '_' ? ' ' : text.p[i];
            put_decoded(out, latin, (unsigned char)c);
        }
    }
}

/* What is not base64 in it is passed over, as readers do. */
static void decode_b(struct out *out, struct str text, bool latin)
{
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = base64_digit(text.p[i]);
        if (digit < 0)
            continue;
        held = (held << 6 | (unsigned)digit) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            put_decoded(out, latin, (unsigned char)(held >> bits & 0xff));
        }
    }
}

static size_t blanks_at_start(struct str s)
{
    size_t n = 0;
    while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
        n++;
    return n;
}

static void decode_all(struct out *out, struct str text)
{
    struct encoded_word word;
    while (text.n > 0) {
        if (!word_at_start(text, &word)) {
            put(out, (unsigned char)text.p[0]);
            text = str_skip(text, 1);
            continue;
        }
        if (word.encoding == 'q')
            decode_q(out, word.text, is_latin(word.charset));
        else
            decode_b(out, word.text, is_latin(word.charset));
        text = str_skip(text, word.length);
        /* Blanks between two encoded words are not shown (RFC 2047 6.2). */
        struct str behind = str_skip(text, blanks_at_start(text));
        if (word_at_start(behind, &word))
            text = behind;
    }
}

struct str header_text_unfold(struct arena *arena, struct str body)
{
    struct out out = {.p = arena_alloc(arena, body.n + 1)};
    if (out.p == NULL)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < body.n; i++) {
        unsigned char c = (unsigned char)body.p[i];
        if (c == '\r' && i + 1 < body.n && body.p[i + 1] == '\n') {
            i++;
            continue;
        }
        put(&out, c < ' ' || c == 0x7f ? ' ' : c);
    }
    return str_trim(str_span(out.p, out.n));
}

bool encoded_word_is_in(struct str text)
{
    struct encoded_word word;
    for (size_t i = 0; i + 1 < text.n; i++)
        if (text.p[i] == '=' && word_at_start(str_skip(text, i), &word))
            return true;
    return false;
}

bool encoded_word_is_opaque(struct str text)
{
    static const struct str STARTS[] = {
        STR_INIT("utf-7"),     STR_INIT("utf7"),      STR_INIT("unicode"),
        STR_INIT("utf-16"),    STR_INIT("utf16"),     STR_INIT("utf-32"),
        STR_INIT("utf32"),     STR_INIT("ucs"),       STR_INIT("iso-10646"),
        STR_INIT("csunicode"), STR_INIT("cp037"),     STR_INIT("ibm037"),
        STR_INIT("ebcdic"),    STR_INIT("x-unicode"),
    };
    struct encoded_word word;
    for (size_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '=' || !word_at_start(str_skip(text, i), &word))
            continue;
        for (size_t k = 0; k < sizeof STARTS / sizeof STARTS[0]; k++)
            if (str_starts_with_nocase(word.charset, STARTS[k]))
                return true;
    }
    return false;
}

struct str header_text_decode(struct arena *arena, struct str body)
{
    struct str text = header_text_unfold(arena, body);
    if (text.p == NULL || memchr(text.p, '=', text.n) == NULL)
        return text;
    /* One octet of latin is two of UTF-8 at most. */
    struct out out = {.p = arena_alloc(arena, 2 * text.n + 1)};
    if (out.p == NULL)
        return (struct str){NULL, 0};
    decode_all(&out, text);
    return str_span(out.p, out.n);
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    return true;
}

/* At most CHUNK octets, without cutting a UTF-8 sequence. */
static size_t chunk_length(struct str text)
{
    size_t n = text.n < CHUNK ? text.n : CHUNK;
    if (n == text.n)
        return n;
    size_t cut = n;
    while (cut > n - 4 && ((unsigned char)text.p[cut] & 0xc0) == 0x80)
        cut--;
    return cut;
}

static void encode_chunk(struct out *out, struct str chunk)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789+/";
    memcpy(out->p + out->n, "=?utf-8?B?", 10);
    out->n += 10;
    for (size_t i = 0; i < chunk.n; i += 3) {
        unsigned value = 0;
        for (size_t j = 0; j < 3; j++)
            value = value << 8 |
                    (i + j < chunk.n ? (unsigned char)chunk.p[i + j] : 0u);
        put(out, (unsigned char)DIGITS[value >> 18 & 63]);
        put(out, (unsigned char)DIGITS[value >> 12 & 63]);
        bool has_second = i + 1 < chunk.n, has_third = i + 2 < chunk.n;
        put(out, (unsigned char)(has_second ? DIGITS[value >> 6 & 63] : '='));
        put(out, (unsigned char)(has_third ? DIGITS[value & 63] : '='));
    }
    put(out, '?');
    put(out, '=');
}

struct str encoded_word_encode(struct arena *arena, struct str text)
{
    if (is_plain(text))
        return arena_str(arena, text);
    size_t words = text.n / (CHUNK - 3) + 1;
    struct out out = {.p = arena_array(arena, words, CHUNK / 3 * 4 + 16)};
    if (out.p == NULL)
        return (struct str){NULL, 0};
    while (text.n > 0) {
        size_t n = chunk_length(text);
        if (out.n > 0)
            put(&out, ' ');
        encode_chunk(&out, str_head(text, n));
        text = str_skip(text, n);
    }
    return str_span(out.p, out.n);
}
