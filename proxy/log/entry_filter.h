/* Which lines of the decision log somebody wants to see: words such as
 * user=bob, verdict=reject, since=1h. Of several with the same key any may
 * hold, of different keys all must. Pure; the time comes in. */
#ifndef PROXY_LOG_ENTRY_FILTER_H
#define PROXY_LOG_ENTRY_FILTER_H

#include "rules/base/str.h"

#include <jansson.h>

#define ENTRY_FILTER_MAX 32
#define ENTRY_FILTER_ERROR_MAX 256

struct filter_key;

struct filter_word {
    const struct filter_key *key;
    struct str value; /* borrowed from the caller of add */
};

struct entry_filter {
    struct filter_word words[ENTRY_FILTER_MAX];
    size_t count;
    bool has_since, has_until;
    uint64_t since_us, until_us;
    /* Without event= and id= what is routine is left out. */
    bool is_complete;
};

void entry_filter_init(struct entry_filter *filter);
/* Whether it looks like a filter: letters and "=". */
bool entry_filter_is_word(struct str word);
/* Keeps the word, borrowed. 0, or -1 with a sentence in `error`. */
int entry_filter_add(struct entry_filter *filter, struct str word,
                     uint64_t now_us, char error[ENTRY_FILTER_ERROR_MAX]);
bool entry_filter_matches(const struct entry_filter *filter,
                          const json_t *entry);

#endif
