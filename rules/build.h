/* How a policy becomes a ruleset. The reader of postern.yaml walks its tree
 * and calls these functions; what is wrong is said here, where it is known,
 * and the reader adds file, line and column. No YAML in here.
 *
 * Every int function gives 0, or -1 with one sentence in build_error(). A
 * failure leaves the builder usable: the reader goes on to find more errors,
 * but a builder that failed once gives no ruleset in the end. Texts that come
 * in may be temporary: all that is kept is copied.
 *
 * Order: every list, then the rules of each stage as they stand. Within one
 * rule: build_rule_start(), the conditions and build_when(), every key of
 * `limit`, the actions, build_rule_end(). (The templates of a limit and of
 * actions are checked against the captures of `when`, whatever the order in
 * the file.) After a failure inside a rule build_rule_end() is still called.
 *
 * `origin` is any pointer of the caller's that tells where a list or rule
 * stands; it comes back with warnings. */
#ifndef RULES_BUILD_H
#define RULES_BUILD_H

#include "rules/fact.h"
#include "rules/ruleset.h"

struct condition;
struct ruleset_builder;

/* NULL when out of memory. */
struct ruleset_builder *ruleset_builder_new(void);
void ruleset_builder_free(struct ruleset_builder *builder);
/* Frees the builder in any case. NULL after a failure of any of the
 * functions below. */
struct ruleset *ruleset_builder_finish(struct ruleset_builder *builder);

/* What the last failure was: a sentence without a full stop at its end, such
 * as `mail.from is not known at connect; it may be used from mail on`. */
const char *build_error(const struct ruleset_builder *builder);
/* Which of the values given to the failed call is wrong, from 0 on. */
size_t build_error_item(const struct ruleset_builder *builder);

/* --- lists --- */

/* lists: {NAME: [entries]} or one entry. An entry is one word or, after white
 * space, a second one: the value that it maps to. */
int build_list(struct ruleset_builder *builder, struct str name,
               const struct str *entries, size_t count, const void *origin);
/* lists: {NAME: {file: …}}: the octets of the file; one entry a line, `#`
 * begins a comment at the start of a line or behind white space. On failure
 * *line is the line of the file, or 0. */
int build_list_file(struct ruleset_builder *builder, struct str name,
                    struct str octets, const void *origin, size_t *line);
/* lists: {NAME: {dynamic: true}} */
int build_list_dynamic(struct ruleset_builder *builder, struct str name,
                       const void *origin);

/* --- a rule --- */

/* `name` is the text of the key `rule`; names are unique in the ruleset. */
int build_rule_start(struct ruleset_builder *builder, enum stage stage,
                     struct str name, const void *origin);
/* Whether a rule knows this key; when not, the error says the nearest one. */
int build_rule_key(struct ruleset_builder *builder, struct str key);
/* Whether the rule names this fact, so that it does not act without it. */
bool build_rule_requires(const struct ruleset_builder *builder, enum fact fact);
/* Says what is missing or does not go together. */
int build_rule_end(struct ruleset_builder *builder);

/* --- when --- */

/* A key of `when` other than any, all and not: a fact that is known at the
 * stage of this rule. The error belongs to the key. */
int build_fact(struct ruleset_builder *builder, struct str name,
               struct fact_ref *out);
/* A value of `when`. `word` is empty for the short form (a scalar, or a list
 * of them) and else the key of the long form: is, in, not_in, every_in,
 * none_in, matches, above, below, exists. A long form of several keys is a
 * build_all() of several tests. build_error_item() is meaningful; an unknown
 * `word` is an error too. */
int build_test(struct ruleset_builder *builder, const struct fact_ref *fact,
               struct str word, const struct str *values, size_t count,
               struct condition **out);
int build_all(struct ruleset_builder *builder, struct condition *const *parts,
              size_t count, struct condition **out);
int build_any(struct ruleset_builder *builder, struct condition *const *parts,
              size_t count, struct condition **out);
int build_not(struct ruleset_builder *builder, struct condition *part,
              struct condition **out);
int build_when(struct ruleset_builder *builder, struct condition *condition);

/* --- limit --- */

/* One key of `limit`, in any order: a unit with its value, by (one template
 * or several), burst, count, warn. build_error_item() is meaningful for by. */
int build_limit(struct ruleset_builder *builder, struct str key,
                const struct str *values, size_t count);

/* --- actions --- */

/* accept: the text must be "true". */
int build_accept(struct ruleset_builder *builder, struct str text);
/* "550 5.7.1 text"; the enhanced code may be left out. */
int build_reject(struct ruleset_builder *builder, struct str text);
int build_defer(struct ruleset_builder *builder, struct str text);
int build_close(struct ruleset_builder *builder, struct str text);
/* One entry of `rewrite`: {FACT: template}. */
int build_rewrite(struct ruleset_builder *builder, struct str fact,
                  struct str text);
/* One entry of `headers`. `word` is remove (name is the glob, value unused),
 * set, add or add_missing. */
int build_headers(struct ruleset_builder *builder, struct str word,
                  struct str name, struct str value);
/* The reader checks that such an upstream exists. */
int build_route(struct ruleset_builder *builder, struct str upstream);
/* `list`: {add: {LIST: template}, for: 12h}; without `for` its text is
 * empty. */
int build_list_add(struct ruleset_builder *builder, struct str list,
                   struct str text, struct str duration);
int build_list_remove(struct ruleset_builder *builder, struct str list,
                      struct str text);
/* One tag: a template too. */
int build_tag(struct ruleset_builder *builder, struct str text);
int build_note(struct ruleset_builder *builder, struct str text);
/* One more recipient: a template. */
int build_add_recipient(struct ruleset_builder *builder, struct str text,
                        bool is_required);
/* The reader checks that such a policy server exists. */
int build_ask(struct ruleset_builder *builder, struct str server);
/* "2s": at most BUILD_DELAY_MS_MAX. */
#define BUILD_DELAY_MS_MAX ((uint64_t)2 * 60 * 1000)
int build_delay(struct ruleset_builder *builder, struct str text);
/* live, shadow or off. */
int build_mode(struct ruleset_builder *builder, struct str text);

/* --- what `check` warns of --- */

typedef void build_on_warning(void *owner, const void *origin,
                              const char *text);

/* Rules behind one that always decides, lists that nothing uses, not_in on a
 * fact with several values, a route by facts of rcpt. Call it when all is
 * built, before ruleset_builder_finish(). */
void build_warnings(const struct ruleset_builder *builder,
                    build_on_warning *on_warning, void *owner);

#endif
