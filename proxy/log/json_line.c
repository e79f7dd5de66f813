#include "proxy/log/json_line.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/log/log_time.h"
#include "rules/base/digits.h"
#include "rules/base/utf8.h"

#define TEXT_MAX 1024
#define FIRST_CAPACITY 4096

void json_line_init(struct json_line *line, size_t cap)
{
    *line = (struct json_line){.cap = cap};
}

void json_line_release(struct json_line *line)
{
    free(line->text);
    *line = (struct json_line){.cap = line->cap};
}

void json_line_reset(struct json_line *line)
{
    line->length = 0;
    line->is_full = line->needs_comma = false;
}

static bool grow(struct json_line *line, size_t needed)
{
    size_t capacity = line->capacity == 0 ? FIRST_CAPACITY : line->capacity;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > line->cap)
        capacity = line->cap;
    char *moved = realloc(line->text, capacity);
    if (moved == NULL)
        return false;
    line->text = moved;
    line->capacity = capacity;
    return true;
}

/* One octet of the cap is kept for the LF. */
static bool make_room(struct json_line *line, size_t octets)
{
    if (line->is_full || octets >= line->cap ||
        line->length > line->cap - 1 - octets)
        return false;
    size_t needed = line->length + octets + 1;
    return needed <= line->capacity || grow(line, needed);
}

static inline void put(struct json_line *line, const char *octets, size_t count)
{
    if (!make_room(line, count)) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->length, octets, count);
    line->length += count;
}

/* The comma before an item, and its key. */
static void begin_item(struct json_line *line, const char *key)
{
    size_t length = key == NULL ? 0 : strlen(key);
    size_t octets =
        (line->needs_comma ? 1 : 0) + (key == NULL ? 0 : length + 3);
    if (!make_room(line, octets)) {
        line->is_full = true;
        return;
    }
    char *to = line->text + line->length;
    if (line->needs_comma)
        *to++ = ',';
    if (key != NULL) {
        *to++ = '"';
        memcpy(to, key, length);
        memcpy(to + length, "\":", 2);
    }
    line->length += octets;
    line->needs_comma = true;
}

static void open_with(struct json_line *line, const char *key,
                      const char *bracket)
{
    begin_item(line, key);
    put(line, bracket, 1);
    line->needs_comma = false;
}

static void close_with(struct json_line *line, const char *bracket)
{
    put(line, bracket, 1);
    line->needs_comma = true;
}

void json_open_object(struct json_line *line, const char *key)
{
    open_with(line, key, "{");
}

void json_close_object(struct json_line *line)
{
    close_with(line, "}");
}

void json_open_array(struct json_line *line, const char *key)
{
    open_with(line, key, "[");
}

void json_close_array(struct json_line *line)
{
    close_with(line, "]");
}

static void put_escape(struct json_line *line, uint32_t character)
{
    char escape[8];
    switch (character) {
    case '"':
        put(line, "\\\"", 2);
        break;
    case '\\':
        put(line, "\\\\", 2);
        break;
    case '\n':
        put(line, "\\n", 2);
        break;
    case '\r':
        put(line, "\\r", 2);
        break;
    case '\t':
        put(line, "\\t", 2);
        break;
    default:
        /* All that utf8_is_control() knows lies below U+10000. */
        assert(character <= 0xffff);
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)character);
        put(line, escape, 6);
        break;
    }
}

/* What stands in a line as it is, of ASCII. */
static bool is_plain_octet(char octet)
{
    unsigned char c = (unsigned char)octet;
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH_OCTET(value) (UINT64_C(0x0101010101010101) * (value))

/* Whether all octets of a word are plain: a subtraction borrows into the high
 * bit of one that is below what is subtracted. */
static bool are_plain(uint64_t word)
{
    uint64_t quotes = word ^ EACH_OCTET('"');
    uint64_t backslashes = word ^ EACH_OCTET('\\');
    uint64_t marks = (word - EACH_OCTET(0x20)) | (word + EACH_OCTET(0x01)) |
                     (quotes - EACH_OCTET(0x01)) |
                     (backslashes - EACH_OCTET(0x01)) | word;
    return (marks & EACH_OCTET(0x80)) == 0;
}

static size_t plain_ascii(struct str text)
{
    size_t i = 0;
    for (uint64_t word; text.n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, text.p + i, sizeof word);
        if (!are_plain(word))
            break;
    }
    while (i < text.n && is_plain_octet(text.p[i]))
        i++;
    return i;
}

/* The octets that stand as they are before one that is escaped: `character`,
 * of so many octets (0: no UTF-8). */
static size_t unescaped_run(struct str value, uint32_t *character,
                            size_t *octets)
{
    size_t plain = 0;
    for (;;) {
        plain += plain_ascii(str_skip(value, plain));
        *character = 0;
        *octets = utf8_next(str_skip(value, plain), character);
        if (plain == value.n || *character < 0x80 ||
            utf8_is_control(*character))
            return plain;
        plain += *octets;
    }
}

/* Plain runs are copied whole; what stands between them is escaped. An octet
 * that is no UTF-8 becomes U+FFFD. */
static void put_escaped(struct json_line *line, struct str value)
{
    while (value.n > 0) {
        uint32_t character;
        size_t octets;
        size_t plain = unescaped_run(value, &character, &octets);
        put(line, value.p, plain);
        value = str_skip(value, plain);
        if (value.n == 0)
            return;
        put_escape(line, octets == 0 ? 0xfffd : character);
        value = str_skip(value, octets == 0 ? 1 : octets);
    }
}

/* At most TEXT_MAX octets, without half a character at the end. */
static struct str cut(struct str value)
{
    if (value.n <= TEXT_MAX)
        return value;
    size_t end = TEXT_MAX;
    while (end > TEXT_MAX - 3 && ((unsigned char)value.p[end] & 0xc0) == 0x80)
        end--;
    return str_head(value, end);
}

void json_text(struct json_line *line, const char *key, struct str value)
{
    json_long_text(line, key, cut(value));
}

void json_long_text(struct json_line *line, const char *key, struct str value)
{
    begin_item(line, key);
    put(line, "\"", 1);
    put_escaped(line, value);
    put(line, "\"", 1);
}

void json_number(struct json_line *line, const char *key, uint64_t value)
{
    char text[DIGITS_MAX];
    size_t n = digits_write(text, value, 1);
    begin_item(line, key);
    put(line, text, n);
}

void json_flag(struct json_line *line, const char *key, bool value)
{
    struct str word = value ? STR("true") : STR("false");
    begin_item(line, key);
    put(line, word.p, word.n);
}

void json_ms(struct json_line *line, const char *key, uint64_t us)
{
    char text[2 * DIGITS_MAX + 1];
    size_t n = digits_write(text, us / 1000, 1);
    text[n++] = '.';
    n += digits_write(text + n, us % 1000, 3);
    begin_item(line, key);
    put(line, text, n);
}

void json_time(struct json_line *line, const char *key, uint64_t us)
{
    char text[LOG_TIME_ROOM];
    json_text(line, key, str_span(text, log_time_write(us, text)));
}

struct str json_line_end(struct json_line *line)
{
    put(line, "\n", 0); /* an empty line has room for its LF too */
    if (line->is_full)
        return (struct str){NULL, 0};
    line->text[line->length] = '\n';
    return str_span(line->text, line->length + 1);
}
