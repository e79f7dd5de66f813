/* A message's header block as a list of fields, in order, as it will go on.
 * smtp/header_reader fills it; header rules edit it; what is left at the end
 * is what the upstream sees, each field's raw octets one after the other.
 * All memory is the arena's. */
#ifndef RULES_HEADER_FIELDS_H
#define RULES_HEADER_FIELDS_H

#include "rules/base/arena.h"

struct header_field {
    struct str name; /* as written, without white space before the colon */
    struct str body; /* behind the colon, folds and all, without last CRLF */
    struct str raw;  /* the whole field, with its last CRLF */
};

struct header_fields {
    struct header_field *items;
    size_t count;
    size_t capacity;
    struct arena *arena;
};

enum header_edit_kind {
    HEADER_EDIT_REMOVE,     /* every field whose name matches the glob */
    HEADER_EDIT_SET,        /* remove that name, then add */
    HEADER_EDIT_ADD,        /* one more, at the end */
    HEADER_EDIT_ADD_MISSING /* only if there is none of that name */
};

struct header_edit {
    enum header_edit_kind kind;
    struct str name;
    struct str value;
};

void header_fields_init(struct header_fields *fields, struct arena *arena);

/* Borrows all three. 0, or -1 when the arena is full. */
int header_fields_append(struct header_fields *fields,
                         const struct header_field *field);

/* Applies one edit. The name must be a field name of RFC 5322 3.6.8 and the
 * value free of CR, LF and NUL; the value is folded at white space where the
 * line would pass 998 octets. 0, -1 when the arena is full, -2 when name or
 * value are not valid. */
int header_fields_edit(struct header_fields *fields,
                       const struct header_edit *edit);

/* Total octets of the raw fields; how many are named Received. */
size_t header_fields_bytes(const struct header_fields *fields);
size_t header_fields_hops(const struct header_fields *fields);

#endif
