/* Globs: `*` stands for any run of octets, dots included; all else for
 * itself, without regard to ASCII case. Pure. */
#ifndef RULES_GLOB_H
#define RULES_GLOB_H

#include "rules/base/str.h"

/* Bounded by the product of the two lengths. */
bool glob_matches(struct str glob, struct str text);
bool glob_has_star(struct str text);

/* For domains and host names, as rules write them: `.example.org` is that
 * name and all below, anything else a glob or an exact name. */
bool glob_matches_name(struct str pattern, struct str name);

/* For mail addresses: `local@domain`, both sides such patterns; without an @
 * `.example.org` and `*.example.org` are for the domain, any other glob for
 * the whole address. Only what is a mailbox is ever matched: a text with a
 * second @ or a comment in it never is. */
bool glob_matches_address(struct str pattern, struct str address);

#endif
