/* Builds one line of JSON by appending, without a tree: the hot path of the
 * decision log. Grows up to a cap; what would pass it sets is_full and is
 * left out. Text is escaped (controls, quotes, invalid UTF-8, U+2028/9 and
 * DEL), so that a line is always one line and always valid JSON. */
#ifndef PROXY_LOG_JSON_LINE_H
#define PROXY_LOG_JSON_LINE_H

#include "rules/base/str.h"

struct json_line {
    char *text; /* owned */
    size_t length, capacity, cap;
    bool is_full;
    bool needs_comma;
};

void json_line_init(struct json_line *line, size_t cap);
void json_line_release(struct json_line *line);
/* Forgets the text, keeps its memory. */
void json_line_reset(struct json_line *line);

/* `key` is NULL inside arrays. Keys are our own literals. */
void json_open_object(struct json_line *line, const char *key);
void json_close_object(struct json_line *line);
void json_open_array(struct json_line *line, const char *key);
void json_close_array(struct json_line *line);
/* A text is cut behind 1,024 octets, at a character. */
void json_text(struct json_line *line, const char *key, struct str value);
/* The whole of it, which the caller bounds. */
void json_long_text(struct json_line *line, const char *key, struct str value);
void json_number(struct json_line *line, const char *key, uint64_t value);
void json_flag(struct json_line *line, const char *key, bool value);
/* Milliseconds with three decimals, from microseconds. */
void json_ms(struct json_line *line, const char *key, uint64_t us);
/* "2026-01-05T09:30:01.123456Z" from microseconds since the epoch. */
void json_time(struct json_line *line, const char *key, uint64_t us);

/* The line, with its LF; n 0 when it did not fit. */
struct str json_line_end(struct json_line *line);

#endif
