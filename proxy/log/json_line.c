#include "proxy/log/json_line.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/base/utf8.h"

#define TEXT_MAX 1024
#define FIRST_CAPACITY 1024

void json_line_init(struct json_line *line, size_t cap)
{
    *line = (struct json_line){.cap = cap};
}

void json_line_release(struct json_line *line)
{
    free(line->text);
    *line = (struct json_line){.cap = line->cap};
}

/* One octet of the cap is kept for the LF. */
static bool make_room(struct json_line *line, size_t octets)
{
    if (line->is_full || octets >= line->cap ||
        line->length > line->cap - 1 - octets)
        return false;
    size_t needed = line->length + octets + 1;
    if (needed <= line->capacity)
        return true;
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

static void put(struct json_line *line, const char *octets, size_t count)
{
    if (!make_room(line, count)) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->length, octets, count);
    line->length += count;
}

static void put_literal(struct json_line *line, const char *literal)
{
    put(line, literal, strlen(literal));
}

/* The comma before an item, and its key. */
static void begin_item(struct json_line *line, const char *key)
{
    if (line->needs_comma)
        put(line, ",", 1);
    line->needs_comma = true;
    if (key == NULL)
        return;
    put(line, "\"", 1);
    put_literal(line, key);
    put(line, "\":", 2);
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

/* Plain runs are copied whole; what stands between them is escaped. An octet
 * that is no UTF-8 becomes U+FFFD. */
static void put_escaped(struct json_line *line, struct str value)
{
    size_t plain = 0;
    while (plain < value.n) {
        uint32_t character = 0;
        size_t octets = utf8_next(str_skip(value, plain), &character);
        bool is_plain = octets > 0 && character != '"' && character != '\\' &&
                        !utf8_is_control(character);
        if (is_plain) {
            plain += octets;
            continue;
        }
        put(line, value.p, plain);
        put_escape(line, octets == 0 ? 0xfffd : character);
        value = str_skip(value, plain + (octets == 0 ? 1 : octets));
        plain = 0;
    }
    if (plain > 0)
        put(line, value.p, plain);
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
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64, value);
    begin_item(line, key);
    put(line, text, (size_t)length);
}

void json_flag(struct json_line *line, const char *key, bool value)
{
    begin_item(line, key);
    put_literal(line, value ? "true" : "false");
}

void json_ms(struct json_line *line, const char *key, uint64_t us)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRIu64 ".%03u", us / 1000,
                          (unsigned)(us % 1000));
    begin_item(line, key);
    put(line, text, (size_t)length);
}

void json_time(struct json_line *line, const char *key, uint64_t us)
{
    char text[64];
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL)
        tm = (struct tm){.tm_year = 70, .tm_mday = 1};
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + length, sizeof text - length, ".%06uZ",
             (unsigned)(us % 1000000));
    json_text(line, key, str_from(text));
}

struct str json_line_end(struct json_line *line)
{
    put(line, "\n", 0); /* an empty line has room for its LF too */
    if (line->is_full)
        return (struct str){NULL, 0};
    line->text[line->length] = '\n';
    return str_span(line->text, line->length + 1);
}
