/* What the server's log says of a store to which each worker has a link of its
 * own: that it is away when the first of them breaks, once for each reason, and
 * that it is back when the last of them is of use again. Thread-safe; outlives
 * the links. */
#ifndef PROXY_BUDGETS_STORE_WORD_H
#define PROXY_BUDGETS_STORE_WORD_H

#include "config/settings.h"

struct server_log;
struct store_word;

/* Both are borrowed. NULL when out of memory. */
struct store_word *store_word_new(const struct limits_settings *settings,
                                  struct server_log *log);
void store_word_free(struct store_word *word);

/* A NULL word says nothing in what follows; now_ms is of the loops' clock. */

/* A link is away, for this reason; is_again: it was before. */
void store_word_away(struct store_word *word, bool is_again, const char *why,
                     uint64_t now_ms);
/* A link that was away is of use again. */
void store_word_back(struct store_word *word, uint64_t now_ms);
/* A link that was away is no more. */
void store_word_leave(struct store_word *word);

#endif
