/* Regular expressions, PCRE2 with JIT: the only place of the project that
 * knows the library. Patterns come from the policy, subjects from strangers:
 * work, depth, stack and subject length are bounded, and reaching a bound is
 * an error, never "no match"; but where the work was too much and the subject
 * lacks what any match must hold, that is known. Patterns and subjects are
 * octets.
 *
 * A struct regex is immutable and shared; a struct regex_scratch belongs to
 * one thread. */
#ifndef RULES_REGEX_H
#define RULES_REGEX_H

#include "rules/problem.h"

#define REGEX_GROUPS_MAX 32 /* the whole match included */
#define REGEX_PATTERN_MAX 4096
#define REGEX_SUBJECT_MAX ((size_t)16 * 1024)

struct regex;
struct regex_scratch;

struct regex_match {
    size_t count; /* groups of the pattern, the whole match included */
    struct str groups[REGEX_GROUPS_MAX]; /* of the subject; unset: empty */
};

/* Whether it is written /…/ or /…/flags. */
bool regex_is_literal(struct str text);
/* Compiles /…/ with flags of i, m, s and x. NULL with a sentence in problem.*/
struct regex *regex_new(struct str literal, struct problem *problem);
void regex_free(struct regex *regex);

/* A text without which nothing matches it; empty: none is known. Case may
 * matter or not. */
struct str regex_needs(const struct regex *regex);

/* How many groups it captures, without the whole match. */
size_t regex_group_count(const struct regex *regex);
/* The number of a named group, or -1. */
int regex_group_named(const struct regex *regex, struct str name);

struct regex_scratch *regex_scratch_new(void);
/* How many steps a match may take; else 50,000. */
void regex_scratch_limit(struct regex_scratch *scratch, uint32_t steps);
void regex_scratch_free(struct regex_scratch *scratch);

/* Whether machine code was made of it; without, the library interprets it
 * under the same limits. */
bool regex_is_jit(const struct regex *regex);

enum regex_jit {
    REGEX_JIT_ON,
    REGEX_JIT_NOT_BUILT, /* the library is without it */
    REGEX_JIT_REFUSED    /* the system gives no memory for machine code */
};

/* What patterns that this process compiles become: one is tried. */
enum regex_jit regex_jit_try(void);

enum regex_result {
    REGEX_NO_MATCH,
    REGEX_MATCH,
    REGEX_STEPS,   /* too many steps: nobody knows */
    REGEX_ERROR,   /* another limit was reached: nobody knows */
    REGEX_TOO_LONG /* the subject is over REGEX_SUBJECT_MAX: not looked at */
};

enum regex_result regex_match(const struct regex *regex,
                              struct regex_scratch *scratch, struct str subject,
                              struct regex_match *match);

#endif
