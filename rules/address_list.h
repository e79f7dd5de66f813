/* The one reading of From and its kin: every address that any reader of the
 * message could see there. A body that is plain RFC 5322 3.4 gives its
 * mailboxes. Where readers could disagree (a second angle, a source route, an
 * address in a comment, in brackets inside quotes or in an encoded word, white
 * space or a comment within an address) the list holds the addresses of every
 * reading and, unless the body is still well-formed, one more that is no
 * address: "<malformed …>", which no list and no glob for addresses holds. */
#ifndef RULES_ADDRESS_LIST_H
#define RULES_ADDRESS_LIST_H

#include "rules/base/arena.h"

struct mailbox {
    struct str address; /* as written, or "<malformed …>" */
    struct str name;    /* display name, decoded; perhaps empty */
    size_t start, end;  /* where the address stands in the body; 0, 0: it was
                           not read from one place and cannot be replaced */
};

struct address_list {
    struct mailbox *items;
    size_t count;
    size_t capacity;
    bool is_malformed;
};

/* Appends the mailboxes of one field's body, folds and all, so that several
 * fields give their union. Addresses borrow from the body or lie in the
 * arena. 0, or -1 when the arena is full. Linear in the body. */
int address_list_read(struct arena *arena, struct str body,
                      struct address_list *out);

#endif
