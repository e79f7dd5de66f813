/* A strict reader walks the list element by element; the moment something is
 * not as RFC 5322 3.4 has it (obsolete forms within an address included), it
 * stops and a scan takes everything around every @ instead. */
#include "rules/address_list.h"

#include "rules/address.h"
#include "rules/address_scan.h"
#include "rules/encoded_word.h"

#include <string.h>

#define MALFORMED_TEXT_MAX 200
#define DISTINCT_MAX 64 /* below this many, no address is listed twice */

struct reader {
    struct arena *arena;
    struct str body;
    size_t at;
    struct address_list *out;
    bool is_malformed;
    bool is_in_group;
    bool is_full; /* the arena */
};

static void add(struct reader *r, const struct mailbox *mailbox)
{
    struct address_list *list = r->out;
    struct mailbox *items = arena_grow(r->arena, list->items, list->count,
                                       &list->capacity, sizeof *items);
    if (items == NULL) {
        r->is_full = true;
        return;
    }
    list->items = items;
    items[list->count++] = *mailbox;
}

static bool is_listed(const struct address_list *list, struct str address)
{
    if (list->count > DISTINCT_MAX)
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (str_equals_nocase(list->items[i].address, address))
            return true;
    return false;
}

/* What a careless reader might take for an address. */
static void scan(struct reader *r, struct str text)
{
    struct str found;
    size_t at = 0;
    while (address_scan_next(text, &at, &found))
        if (!is_listed(r->out, found))
            add(r, &(struct mailbox){.address = found, .name = STR("")});
}

/* The text without comments, white space and backslashes outside quotes. */
static struct str squeeze(struct reader *r, struct str text)
{
    char *out = arena_alloc(r->arena, text.n + 1);
    size_t n = 0, depth = 0;
    bool is_quoted = false;
    if (out == NULL) {
        r->is_full = true;
        return STR("");
    }
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' && depth == 0)
            is_quoted = !is_quoted;
        if (c == '(' && !is_quoted)
            depth++;
        else if (c == ')' && !is_quoted && depth > 0)
            depth--;
        else if (depth == 0 &&
                 (is_quoted || (c != ' ' && c != '\t' && c != '\\')))
            out[n++] = c;
    }
    return str_span(out, n);
}

static void add_malformed(struct reader *r, struct str text)
{
    struct mailbox mailbox = {.name = STR("")};
    text = str_head(text, MALFORMED_TEXT_MAX);
    mailbox.address = arena_printf(r->arena, "<malformed %.*s>", (int)text.n,
                                   text.n == 0 ? "" : text.p);
    if (mailbox.address.p == NULL)
        r->is_full = true;
    else
        add(r, &mailbox);
    r->out->is_malformed = true;
}

static void read_all_readings(struct reader *r)
{
    struct str plain = header_text_unfold(r->arena, r->body);
    struct str decoded = header_text_decode(r->arena, r->body);
    if (plain.p == NULL || decoded.p == NULL) {
        r->is_full = true;
        return;
    }
    scan(r, plain);
    if (decoded.p != plain.p && !str_equals(plain, decoded))
        scan(r, decoded);
    struct str squeezed = squeeze(r, decoded);
    if (squeezed.n != plain.n)
        scan(r, squeezed);
    add_malformed(r, plain);
}

static size_t count_of(struct str text, char octet)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == octet;
    return count;
}

/* A reader that decodes before it parses sees what is inside of encoded
 * words, wherever they stand: names of groups, comments, quotes. An @ alone
 * in a display name is no address. */
static void read_decoded(struct reader *r)
{
    struct str plain, decoded;
    if (!encoded_word_is_in(r->body))
        return;
    if (encoded_word_is_opaque(r->body)) {
        r->is_malformed = true;
        return;
    }
    plain = header_text_unfold(r->arena, r->body);
    decoded = header_text_decode(r->arena, r->body);
    if (plain.p == NULL || decoded.p == NULL) {
        r->is_full = true;
        return;
    }
    for (const char *c = "<>,;:()"; *c != '\0'; c++) {
        if (count_of(decoded, *c) > count_of(plain, *c)) {
            scan(r, decoded);
            return;
        }
    }
}

/* --- the strict reader --- */

static char peek(const struct reader *r)
{
    return r->at < r->body.n ? r->body.p[r->at] : '\0';
}

static bool is_done(const struct reader *r)
{
    return r->at >= r->body.n;
}

static bool contains_any(struct str text, const char *octets)
{
    for (const char *c = octets; *c != '\0'; c++)
        if (str_index(text, *c) >= 0)
            return true;
    return false;
}

/* Comments nest; a counter is all it takes. */
static void skip_comment(struct reader *r)
{
    size_t start = r->at, depth = 0;
    do {
        char c = peek(r);
        if (c == '\\')
            r->at++;
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
        r->at++;
    } while (depth > 0 && !is_done(r));
    if (depth > 0 || r->at > r->body.n) {
        r->at = r->body.n;
        r->is_malformed = true;
        return;
    }
    scan(r, str_span(r->body.p + start, r->at - start));
}

static void skip_cfws(struct reader *r)
{
    while (!is_done(r) && !r->is_malformed) {
        char c = peek(r);
        if (c == '(')
            skip_comment(r);
        else if (c == ' ' || c == '\t')
            r->at++;
        else if (str_starts_with(str_skip(r->body, r->at), STR("\r\n")))
            r->at += 2;
        else
            return;
    }
}

/* A quoted string, quotes included; folds may stand inside. */
static void skip_quoted(struct reader *r)
{
    size_t start = r->at++;
    while (!is_done(r) && peek(r) != '"') {
        unsigned char c = (unsigned char)peek(r);
        if (c == '\\')
            r->at++;
        else if (c == '\0' || c == 0x7f)
            r->is_malformed = true;
        r->at++;
    }
    if (is_done(r)) {
        r->at = r->body.n; /* not behind what a last backslash escapes */
        r->is_malformed = true;
        return;
    }
    r->at++;
    struct str quoted = str_span(r->body.p + start, r->at - start);
    if (contains_any(quoted, "<"))
        scan(r, quoted);
}

/* What may stand in a phrase or an address outside quotes. Square brackets
 * are not allowed in phrases, but no reader stumbles over them. */
static bool is_word_octet(char c)
{
    unsigned char u = (unsigned char)c;
    return u > ' ' && u != 0x7f && strchr("()<>:;,\"\\", c) == NULL;
}

/* One run of words up to the next `,` `;` `:` `<` or the end. */
struct run {
    size_t start, end; /* without white space around it */
    bool has_gap;      /* white space or a comment in it */
    bool has_at;       /* an @ outside quotes */
    bool is_empty;
};

static struct run read_run(struct reader *r)
{
    struct run run = {.start = r->at, .end = r->at, .is_empty = true};
    while (!is_done(r) && !r->is_malformed) {
        char c = peek(r);
        if (strchr("<,;:", c) != NULL && c != '\0')
            break;
        if (run.end != r->at)
            run.has_gap = true;
        if (c == '"') {
            skip_quoted(r);
        } else if (is_word_octet(c)) {
            run.has_at = run.has_at || c == '@';
            r->at++;
        } else {
            r->is_malformed = true;
        }
        run.is_empty = false;
        run.end = r->at;
        skip_cfws(r);
    }
    return run;
}

/* An IPv6 literal holds colons, which end a run: take the rest of it in. */
static void extend_literal(struct reader *r, struct run *run)
{
    struct str seen = str_span(r->body.p + run->start, run->end - run->start);
    ptrdiff_t open = str_last_index(seen, '[');
    if (open < 1 || seen.p[open - 1] != '@' || peek(r) != ':' ||
        run->end != r->at)
        return;
    ptrdiff_t close = str_index(str_skip(r->body, r->at), ']');
    if (close < 0)
        return;
    r->at += (size_t)close + 1;
    run->end = r->at;
    skip_cfws(r);
    if (!is_done(r) && peek(r) != ',' && peek(r) != ';')
        r->is_malformed = true;
}

/* Words joined by single blanks, quotes taken off, encoded words decoded. */
static struct str phrase_text(struct reader *r, struct str phrase)
{
    struct str decoded = header_text_decode(r->arena, phrase);
    char *out = decoded.p == NULL ? NULL : arena_alloc(r->arena, decoded.n + 1);
    size_t n = 0;
    if (out == NULL) {
        r->is_full = true;
        return STR("");
    }
    for (size_t i = 0; i < decoded.n; i++) {
        char c = decoded.p[i];
        if (c == '\\' && i + 1 < decoded.n)
            c = decoded.p[++i];
        else if (c == '"')
            continue;
        if (c == ' ' && (n == 0 || out[n - 1] == ' '))
            continue;
        out[n++] = c;
    }
    return str_trim(str_span(out, n));
}

static void add_mailbox(struct reader *r, struct str address, struct str name)
{
    struct address parsed;
    if (address_parse(address, &parsed) != ADDRESS_OK ||
        encoded_word_is_in(address) ||
        (parsed.local.p[0] == '"' && contains_any(parsed.local, "@<>,;:"))) {
        r->is_malformed = true;
        return;
    }
    size_t start = (size_t)(address.p - r->body.p);
    add(r, &(struct mailbox){.address = address,
                             .name = name,
                             .start = start,
                             .end = start + address.n});
}

/* Without the white space and folds around it. */
static struct str trim_folds(struct str text)
{
    static const char FOLD[] = " \t\r\n";
    while (text.n > 0 && memchr(FOLD, text.p[0], 4) != NULL)
        text = str_skip(text, 1);
    while (text.n > 0 && memchr(FOLD, text.p[text.n - 1], 4) != NULL)
        text.n--;
    return text;
}

static void read_angle(struct reader *r, const struct run *phrase)
{
    struct str words =
        str_span(r->body.p + phrase->start, phrase->end - phrase->start);
    size_t start = ++r->at;
    while (!is_done(r) && peek(r) != '>' && !r->is_malformed) {
        if (peek(r) == '"')
            skip_quoted(r);
        else
            r->at++;
    }
    if (is_done(r) || phrase->has_at)
        r->is_malformed = true;
    if (r->is_malformed)
        return;
    struct str address = str_span(r->body.p + start, r->at - start);
    r->at++;
    add_mailbox(r, trim_folds(address), phrase_text(r, words));
    skip_cfws(r);
    if (!is_done(r) && peek(r) != ',' && peek(r) != ';')
        r->is_malformed = true;
}

static void read_bare(struct reader *r, const struct run *run)
{
    if (run->is_empty)
        return;
    if (run->has_gap || !run->has_at) {
        r->is_malformed = true;
        return;
    }
    add_mailbox(r, str_span(r->body.p + run->start, run->end - run->start),
                STR(""));
}

static void read_element(struct reader *r)
{
    skip_cfws(r);
    struct run run = read_run(r);
    if (r->is_malformed)
        return;
    extend_literal(r, &run);
    if (r->is_malformed)
        return;
    switch (peek(r)) {
    case '<':
        read_angle(r, &run);
        break;
    case ':':
        if (r->is_in_group || run.is_empty || run.has_at)
            r->is_malformed = true;
        r->is_in_group = true;
        r->at++;
        return;
    default:
        read_bare(r, &run);
    }
    if (peek(r) == ';') {
        if (!r->is_in_group)
            r->is_malformed = true;
        r->is_in_group = false;
        r->at++;
        skip_cfws(r);
        if (is_done(r) || peek(r) != ',')
            r->is_malformed = r->is_malformed || !is_done(r);
    }
    if (peek(r) == ',')
        r->at++;
}

int address_list_read(struct arena *arena, struct str body,
                      struct address_list *out)
{
    struct reader r = {.arena = arena, .body = body, .out = out};
    while (!is_done(&r) && !r.is_malformed && !r.is_full)
        read_element(&r);
    if (r.is_in_group || str_index(body, '\0') >= 0)
        r.is_malformed = true;
    if (!r.is_malformed && !r.is_full)
        read_decoded(&r);
    if (r.is_malformed)
        read_all_readings(&r);
    return r.is_full ? -1 : 0;
}
