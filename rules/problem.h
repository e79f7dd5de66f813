/* One sentence about what is wrong in a policy, bounded. Written where it is
 * known, carried up unchanged. */
#ifndef RULES_PROBLEM_H
#define RULES_PROBLEM_H

#include "rules/base/str.h"

struct problem {
    char text[400];
};

/* Always -1, so that a caller can return it. */
int problem_set(struct problem *problem, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The arguments of "%.*s" for text of any length: at most 80 octets. */
#define PROBLEM_STR(s) ((s).n < 80 ? (int)(s).n : 80), ((s).n ? (s).p : "")

#endif
