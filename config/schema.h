/* Tables of keys: one a section. The loader reads by them, and whatever
 * describes postern.yaml to people or editors is made from them. A key's row
 * says its type, its default as one would write it, what it is for in one
 * line, and whether it is known but not built yet. */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/node.h"

enum key_type {
    KEY_TEXT,    /* struct str */
    KEY_PATH,    /* const char *, and a struct mark if mark_offset is set */
    KEY_NUMBER,  /* uint64_t */
    KEY_SIZE,    /* uint64_t, octets */
    KEY_TIME,    /* uint64_t, milliseconds */
    KEY_PERCENT, /* uint64_t, millionths */
    KEY_FLAG,    /* bool */
    KEY_WORD,    /* an enum: the index in `words` */
    KEY_SWITCH,  /* bool: whether it is the second of two words */
    KEY_SECTION, /* a struct, read by another table */
    KEY_OWN      /* by `read`; if that is NULL, by the loader */
};

/* How many values a key takes. KEY_OWN's reader sees to it. */
enum key_shape {
    SHAPE_ONE,
    SHAPE_LIST,
    SHAPE_ONE_OR_LIST,
    SHAPE_NAMED /* a map, whose keys are names that the user gives */
};

/* What a KEY_OWN's value is, for those who describe it. */
enum key_content {
    CONTENT_TEXT,
    CONTENT_HOST,     /* a host name */
    CONTENT_ENDPOINT, /* host:port */
    CONTENT_CIDR,
    CONTENT_WORD,  /* one of `words` */
    CONTENT_FACTS, /* {FACT: value}, beside the keys of `section` */
    CONTENT_REPLY, /* a code, or a whole reply */
    CONTENT_STAGE,
    CONTENT_TEMPLATE, /* a text with {facts} */
    CONTENT_LISTS,    /* the lists of a policy */
    CONTENT_RULES     /* the rules of each stage */
};

struct key {
    const char *name;
    enum key_type type;
    enum key_shape shape;
    enum key_content content;
    bool is_required;
    const char *fallback; /* the default; NULL: none */
    const char *help;
    size_t offset;            /* of the value in the section's struct */
    size_t mark_offset;       /* 0: no mark is kept */
    uint64_t min, max;        /* of numbers, sizes and times; max 0: any */
    const char *const *words; /* up to NULL */
    const struct schema *section;
    /* `into` is the struct of the section in which the key stands. */
    void (*read)(struct reader *reader, const struct node *node, void *into);
    /* KEY_OWN: puts the default in, if that is not all zero. */
    void (*fill)(void *into);
};

struct schema {
    const char *name; /* of the section, as messages call it */
    const struct key *keys;
    size_t count;
};

/* Fills `into` with the section's defaults, then with what `map` says, in the
 * table's order: a reader may use what stands above it. Unknown, unbuilt and
 * missing keys, and wrong values, are diagnostics. */
void schema_read(struct reader *reader, const struct schema *schema,
                 const struct node *map, void *into);
void schema_defaults(struct reader *reader, const struct schema *schema,
                     void *into);

/* An error for each key of the map that the table does not have; for readers
 * that have no struct to fill. */
void schema_check_keys(struct reader *reader, const struct schema *schema,
                       const struct node *map);

/* One of `words`. */
bool schema_word(struct reader *reader, const struct node *node,
                 const char *name, const char *const *words, unsigned *out);

#endif
