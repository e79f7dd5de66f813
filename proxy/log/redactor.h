/* Hides what the decision log must not hold in clear (log.redact): a value
 * becomes a keyed hash, and so does each place in a text where a hidden value
 * stands, whatever its case. Pure but for its memory. */
#ifndef PROXY_LOG_REDACTOR_H
#define PROXY_LOG_REDACTOR_H

#include "config/redaction.h"

#define REDACTED_ROOM 26
/* A text behind this many octets is cut. */
#define REDACTED_TEXT_ROOM 1100

struct hidden_value {
    struct str text;
    size_t next; /* with the same first octet: its index and 1; 0: none */
};

struct redactor {
    const struct redaction *redaction; /* NULL: nothing is hidden */
    struct hidden_value *values;       /* owned */
    size_t count, capacity;
    size_t first[256]; /* as `next` */
    bool is_blind;     /* not all values are known: no text can be told */
};

/* "redacted:0123456789abcdef": of equal values, but for the case of ASCII, the
 * same. An empty value stays one. Valid as long as `room` and `value`. */
struct str redaction_token(const struct redaction *redaction, struct str value,
                           char room[REDACTED_ROOM]);

/* `redaction` with no names, or NULL, hides nothing. Borrowed. */
void redactor_init(struct redactor *redactor,
                   const struct redaction *redaction);
void redactor_release(struct redactor *redactor);
static inline bool redactor_is_on(const struct redactor *redactor)
{
    return redactor->redaction != NULL;
}
/* The value is borrowed; of an address its local part alone is hidden too. */
void redactor_hide(struct redactor *redactor, struct str value);
/* The text without hidden values. Valid as long as `room` and `text`. */
struct str redactor_text(const struct redactor *redactor, struct str text,
                         char room[REDACTED_TEXT_ROOM]);

#endif
