/* Borrowed octets: a pointer and a length, never owned, never terminated.
 * A struct str is valid as long as the memory it was taken from; to keep it,
 * copy it into an arena with arena_str(). Case folding is ASCII only. */
#ifndef RULES_BASE_STR_H
#define RULES_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

/* A literal as a struct str; STR_INIT is for static initialisers. */
#define STR_INIT(literal)                                                      \
    {                                                                          \
        (literal), sizeof(literal) - 1                                         \
    }
#define STR(literal) ((struct str)STR_INIT(literal))

struct str str_from(const char *terminated);
struct str str_span(const char *p, size_t n);

bool str_equals(struct str a, struct str b);
bool str_equals_nocase(struct str a, struct str b);
/* Orders by octets, shorter first: for qsort and bsearch. */
int str_compare(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_starts_with_nocase(struct str s, struct str prefix);
bool str_ends_with_nocase(struct str s, struct str suffix);

bool str_has_8bit(struct str s);

/* The first (last) index of an octet, or -1. */
ptrdiff_t str_index(struct str s, char octet);
ptrdiff_t str_last_index(struct str s, char octet);

/* From `start` to the end; up to `end`. Both are clipped to the length. */
struct str str_skip(struct str s, size_t start);
struct str str_head(struct str s, size_t end);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);

/* Cuts at the first `octet`: head before it, tail after it. Without one the
 * head is all and the tail empty; returns whether one was found. */
bool str_cut(struct str s, char octet, struct str *head, struct str *tail);

/* The same at a line's end, LF or CR LF: the line is without either. */
void str_cut_line(struct str s, struct str *line, struct str *rest);

/* Decimal digits only, no sign; 0, or -1 when empty, foreign or too large. */
int str_to_u64(struct str s, uint64_t *out);

/* ASCII only, whatever the locale. */
char ascii_lower(char c);
bool ascii_is_alpha(char c);
bool ascii_is_digit(char c);

#endif
