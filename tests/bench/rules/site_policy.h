/* A configuration as a site with many customers would write it, of as many
 * rules as are wanted, its lists beside it; or one whose rules are all of one
 * kind. */
#ifndef TESTS_BENCH_SITE_POLICY_H
#define TESTS_BENCH_SITE_POLICY_H

#include "config/settings.h"
#include "tests/bench/rules/rule_kinds.h"

/* The rules that every site has: of `rules` they are the first. */
#define SITE_BASE_RULES 10

/* Loads it through files in a fresh folder, which goes again. The program ends
 * where it can't. */
const struct settings *site_policy(size_t rules, size_t entries);

const struct settings *family_policy(const struct rule_family *family,
                                     size_t rules);

#endif
