/* What the evaluation of one rule looks at and works with: the facts, the
 * captures so far, room for what is worked out on the way. */
#ifndef RULES_VIEW_H
#define RULES_VIEW_H

#include "rules/captures.h"
#include "rules/fact_values.h"

struct trace;

struct view {
    struct fact_reader reader; /* and the arena of the question */
    struct regex_scratch *regexes;
    struct captures captures;
    const struct trace *trace; /* hears of tests; NULL: nobody does */
    const char *fault; /* what broke; NULL: nothing yet */
};

#endif
