/* The builder's inside, shared by the build_*.c files, template_parse.c and
 * matcher_compile.c. All functions give 0, or -1 after build_fail(). */
#ifndef RULES_BUILD_INTERNAL_H
#define RULES_BUILD_INTERNAL_H

#include "rules/build.h"
#include "rules/problem.h"
#include "rules/ruleset_internal.h"

struct ruleset_builder {
    struct ruleset *ruleset;
    struct problem problem;
    size_t item;
    bool has_failed;
    struct string_map rule_names;
    size_t entries_ahead; /* of the list being compiled: room for all */
    struct rule *rule; /* the one being built; NULL: none */
    struct rule spare; /* takes its place when memory is out */
    bool rule_failed;
    bool rule_has_value; /* its limit has a unit and a value */
    /* Patterns of its `when` whose groups its templates may name. */
    const struct regex **captures;
    size_t capture_count, capture_capacity;
};

/* Sets the error; always -1. */
int build_fail(struct ruleset_builder *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int build_out_of_memory(struct ruleset_builder *builder);

/* The arguments of "%s%s%.*s" for a fact's name. */
#define PROBLEM_FACT(ref)                                                      \
    fact_name((ref)->fact), (ref)->header.n > 0 ? "." : "",                    \
        PROBLEM_STR((ref)->header)

/* Room for one more item behind `*items`, of an array of the ruleset. */
void *build_grow(struct ruleset_builder *builder, void *items, size_t count,
                 size_t *capacity, size_t item_bytes);
struct arena *build_arena(struct ruleset_builder *builder);

/* A known fact of a stage that has come; fails otherwise. */
int build_check_fact(struct ruleset_builder *builder, struct str name,
                     struct fact_ref *out);
/* A rule names it: the decision log is to hold it. */
int build_name_fact(struct ruleset_builder *builder,
                    const struct fact_ref *fact);
/* The rule does not act when this fact is absent. */
int build_require(struct ruleset_builder *builder, const struct fact_ref *fact);

/* Fails when there is none, naming the nearest. Marks it used. */
struct list *build_find_list(struct ruleset_builder *builder, struct str name);
/* A pattern that the ruleset frees. NULL after failing. */
struct regex *build_regex(struct ruleset_builder *builder, struct str literal);

/* Whether a key of a rule may be used at this rule's stage. */
int build_check_stage(struct ruleset_builder *builder, const char *key);

/* What a template may name besides facts. */
#define TEMPLATE_MAY_CAPTURE 1u
#define TEMPLATE_MAY_LIMIT 2u
/* Absent facts in it do not keep the rule from acting: `by`. */
#define TEMPLATE_OPTIONAL 4u

int build_template(struct ruleset_builder *builder, struct str text,
                   unsigned flags, struct template *out);

/* The form in which entries compare: the text itself where it is that already,
 * else a copy. p is NULL when memory is out, which is not yet said. */
struct str build_fold(struct ruleset_builder *builder, struct str text);

/* How the text of an entry is to be read. */
enum entry_form {
    ENTRY_OF_TEST, /* the short forms, "@list" and templates included */
    ENTRY_OF_LIST, /* the short forms */
    ENTRY_EXACT,   /* is: the text itself, or a template */
    ENTRY_PATTERN  /* matches: /…/ */
};

/* Adds one entry to a set for facts of its type. `fact` is the tested one, or
 * NULL for a list's entry. */
int build_entry(struct ruleset_builder *builder, struct matcher *matcher,
                const struct fact_ref *fact, enum entry_form form,
                struct str text);
/* What is wrong with an entry of a list: says so of the error just set. */
int build_fail_in_list(struct ruleset_builder *builder, const struct list *list,
                       const struct list_entry *entry);

/* Domains are written as A-labels. `fact` is NULL for an entry of a list, which
 * serves several facts: then the list is checked with each. */
int build_check_labels(struct ruleset_builder *builder, struct matcher *matcher,
                       const struct fact_ref *fact, struct str text);
int build_check_list_labels(struct ruleset_builder *builder,
                            const struct list *list,
                            const struct matcher *compiled,
                            const struct fact_ref *fact);
/* When all entries are added: puts them in the order that look-ups want. */
void matcher_seal(struct matcher *matcher);

#endif
