/* What may stand in a rule, as tables: its keys, those of `limit` and
 * `headers`, the words of a test. The builder checks by them, and whatever
 * describes the language to people or editors is made from them. */
#ifndef RULES_RULE_TABLE_H
#define RULES_RULE_TABLE_H

#include "rules/fact.h"
#include "rules/header_fields.h"

/* What a key takes. */
enum value_form {
    VALUE_NAME,          /* the rule's own, unique */
    VALUE_CONDITION,     /* {FACT: test} */
    VALUE_LIMIT,         /* {UNIT: amount, ...} */
    VALUE_TRUE,          /* true, nothing else */
    VALUE_WORD,          /* one of `words` */
    VALUE_REPLY,         /* "550 5.7.1 text", its first digit in `classes` */
    VALUE_REWRITE,       /* {FACT: template} */
    VALUE_HEADERS,       /* {remove: [names], set: {Name: template}} */
    VALUE_RECIPIENT,     /* a template, {address, required}, a list */
    VALUE_UPSTREAM,      /* the name of an upstream */
    VALUE_POLICY_SERVER, /* the name of a policy server */
    VALUE_LIST_CHANGE,   /* {add: {LIST: template}, for: 12h} */
    VALUE_TIME,          /* 2s */
    VALUE_TEMPLATE,      /* one text */
    VALUE_TEMPLATES,     /* one text, or a list of them */
    VALUE_FIELDS,        /* {Name: template} */
    VALUE_GLOBS,         /* a name with *, or a list of them */
    VALUE_COUNT,         /* a number or a size */
    VALUE_PERCENT,       /* 80% */
    VALUE_AMOUNT,        /* what a unit takes */
    VALUE_TEST,          /* a value to compare with, or a list of them */
    VALUE_PATTERN,       /* a regular expression between slashes, or several */
    VALUE_FLAG           /* true or false */
};

#define AT_STAGE(stage) (1u << STAGE_##stage)
#define AT_ALL_STAGES ((1u << STAGE_COUNT) - 1)

struct rule_key {
    const char *name;
    enum value_form form;
    unsigned stages;          /* bit 1 << enum stage */
    const char *where;        /* the same in words */
    char classes;             /* VALUE_REPLY: '5' or '4'; 'c' is 421 */
    const char *const *words; /* VALUE_WORD: up to NULL */
    const char *help;
};

extern const struct rule_key rule_keys[];
extern const size_t rule_key_count;
/* NULL: there is none of that name. */
const struct rule_key *rule_key_find(struct str name);

/* The fact whose value `rewrite` replaces at this stage; false: none. */
bool rule_rewrites(enum stage stage, enum fact *out);

/* Keys of `limit` besides the units, which are the table of limit.h. */
enum limit_key {
    LIMIT_KEY_BY,
    LIMIT_KEY_BURST,
    LIMIT_KEY_COUNT,
    LIMIT_KEY_WARN,
    LIMIT_KEYS
};

extern const struct rule_key limit_keys[LIMIT_KEYS];

/* Keys of `headers`, by enum header_edit_kind. */
extern const struct rule_key header_keys[];
extern const size_t header_key_count;

/* The long forms of a test. */
enum test_word {
    WORD_SHORT, /* no word: the short form */
    WORD_IS,
    WORD_IN,
    WORD_NOT_IN,
    WORD_EVERY_IN,
    WORD_NONE_IN,
    WORD_MATCHES,
    WORD_ABOVE,
    WORD_BELOW,
    WORD_EXISTS,
    WORD_COUNT
};

struct test_word_row {
    const char *name;
    enum value_form form;
    const char *help;
};

extern const struct test_word_row test_words[WORD_COUNT];

#endif
