#include "proxy/log/redactor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/base/octet_writer.h"

#define VALUES_MAX 10000
#define FIRST_CAPACITY 64
/* A shorter value is hidden only where it is a word, so that a login "o" does
 * not make texts unreadable. */
#define ANYWHERE_MIN 4
#define FOLDED_MAX 1024

static size_t octet_of(char octet)
{
    return (unsigned char)ascii_lower(octet);
}

struct str redaction_token(const struct redaction *redaction, struct str value,
                           char room[REDACTED_ROOM])
{
    char folded[FOLDED_MAX];
    struct str text = value;
    if (value.n == 0)
        return value;
    if (value.n <= sizeof folded) {
        for (size_t i = 0; i < value.n; i++)
            folded[i] = ascii_lower(value.p[i]);
        text = str_span(folded, value.n);
    }
    int length =
        snprintf(room, REDACTED_ROOM, "redacted:%016llx",
                 (unsigned long long)keyed_hash(redaction->secret, text));
    return str_span(room, (size_t)length);
}

void redactor_init(struct redactor *redactor, const struct redaction *redaction)
{
    redactor->redaction = NULL;
    redactor->values = NULL;
    if (redaction == NULL || redaction->name_count == 0)
        return;
    *redactor = (struct redactor){.redaction = redaction};
}

void redactor_release(struct redactor *redactor)
{
    free(redactor->values);
    redactor->values = NULL;
}

static bool is_hidden(const struct redactor *redactor, struct str value)
{
    size_t at = redactor->first[octet_of(value.p[0])];
    while (at != 0 && !str_equals_nocase(redactor->values[at - 1].text, value))
        at = redactor->values[at - 1].next;
    return at != 0;
}

static bool make_room(struct redactor *redactor)
{
    if (redactor->count < redactor->capacity)
        return true;
    size_t capacity =
        redactor->capacity == 0 ? FIRST_CAPACITY : 2 * redactor->capacity;
    if (redactor->count >= VALUES_MAX)
        return false;
    struct hidden_value *values =
        realloc(redactor->values, capacity * sizeof *values);
    if (values == NULL)
        return false;
    redactor->values = values;
    redactor->capacity = capacity;
    return true;
}

static void hide(struct redactor *redactor, struct str value)
{
    if (value.n == 0 || is_hidden(redactor, value))
        return;
    if (!make_room(redactor)) {
        redactor->is_blind = true;
        return;
    }
    size_t *first = &redactor->first[octet_of(value.p[0])];
    redactor->values[redactor->count++] = (struct hidden_value){value, *first};
    *first = redactor->count;
}

void redactor_hide(struct redactor *redactor, struct str value)
{
    ptrdiff_t at = str_last_index(value, '@');
    hide(redactor, value);
    if (at > 0)
        hide(redactor, str_head(value, (size_t)at));
}

static bool is_alnum(char octet)
{
    return ascii_is_alpha(octet) || ascii_is_digit(octet);
}

static bool is_word(struct str text, size_t start, size_t end)
{
    return (start == 0 || !is_alnum(text.p[start - 1])) &&
           (end == text.n || !is_alnum(text.p[end]));
}

/* The longest hidden value that begins there; n 0: none does. */
static struct str value_at(const struct redactor *redactor, struct str text,
                           size_t start)
{
    struct str found = STR(""), rest = str_skip(text, start);
    for (size_t at = redactor->first[octet_of(text.p[start])]; at != 0;
         at = redactor->values[at - 1].next) {
        struct str value = redactor->values[at - 1].text;
        if (value.n > found.n && str_starts_with_nocase(rest, value) &&
            (value.n >= ANYWHERE_MIN || is_word(text, start, start + value.n)))
            found = value;
    }
    return found;
}

struct str redactor_text(const struct redactor *redactor, struct str text,
                         char room[REDACTED_TEXT_ROOM])
{
    struct octet_writer writer = {.to = room, .room = REDACTED_TEXT_ROOM};
    char token[REDACTED_ROOM];
    if (redactor->redaction == NULL || text.n == 0)
        return text;
    if (redactor->is_blind)
        return STR("redacted");
    size_t i = 0;
    while (i < text.n && !writer.is_full) {
        struct str value = value_at(redactor, text, i);
        octet_writer_put(
            &writer, value.n == 0
                         ? str_span(text.p + i, 1)
                         : redaction_token(redactor->redaction, value, token));
        i += value.n == 0 ? 1 : value.n;
    }
    return str_span(room, writer.used);
}
