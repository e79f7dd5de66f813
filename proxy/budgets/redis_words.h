/* What a Redis answers instead of an answer, in plain words. Pure. */
#ifndef PROXY_BUDGETS_REDIS_WORDS_H
#define PROXY_BUDGETS_REDIS_WORDS_H

#include "rules/base/str.h"

enum redis_error {
    REDIS_ERROR_COMMAND,  /* this command alone failed */
    REDIS_ERROR_NOSCRIPT, /* it does not know the script (any more) */
    REDIS_ERROR_AWAY      /* it can't serve now, or not us */
};

/* The kind of an error reply, be it of a command or of one within a script.
 * For REDIS_ERROR_AWAY *words says what it means
 * and what to do; else it is NULL. */
enum redis_error redis_error_of(struct str error, const char **words);

#endif
