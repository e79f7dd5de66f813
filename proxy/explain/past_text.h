/* A recorded session or transaction for people: what the client said, which
 * rules acted, the limits, the upstream's answer. */
#ifndef PROXY_EXPLAIN_PAST_TEXT_H
#define PROXY_EXPLAIN_PAST_TEXT_H

#include <stdio.h>

#include "proxy/explain/past.h"

void past_text_transaction(const struct past *past, const json_t *entry,
                           FILE *to, bool is_coloured);
/* The session, its logins and transactions, a line each. */
void past_text_session(const struct past *past, FILE *to, bool is_coloured);

#endif
