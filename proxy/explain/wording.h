/* Rules in words: what explanations say of facts, tests, limits and times.
 * Texts lie in the arena; what does not fit is empty. Pure. */
#ifndef PROXY_EXPLAIN_WORDING_H
#define PROXY_EXPLAIN_WORDING_H

#include "rules/rule.h"

/* header.from.domain */
struct str wording_fact(struct arena *arena, const struct fact_ref *ref);
/* mail.from not_in {auth.addresses} */
struct str wording_test(struct arena *arena, const struct test *test);
/* The values of a test: `one of a, b`, or those of the fact that it names. */
struct str wording_set(struct arena *arena, const struct test *test,
                       const struct facts *facts);
/* 10M of octets, 12 of what is counted. */
struct str wording_amount(struct arena *arena, enum limit_unit unit,
                          uint64_t amount);
/* 500/h; without a period the amount alone. */
struct str wording_rate(struct arena *arena, enum limit_unit unit,
                        const struct rate *rate);
/* Which option of `postern explain` states a fact: "--from". */
const char *wording_option(enum fact fact);

#endif
