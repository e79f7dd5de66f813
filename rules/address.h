/* The one reading of a mailbox: Local-part "@" ( Domain / address-literal ),
 * RFC 5321 4.1.2, quoted local parts included. SMTP paths, rewritten values
 * and header addresses all go through here. Pure; ASCII only until SMTPUTF8
 * is built. */
#ifndef RULES_ADDRESS_H
#define RULES_ADDRESS_H

#include "rules/base/arena.h"

#define ADDRESS_MAX_OCTETS 254
#define ADDRESS_LOCAL_MAX_OCTETS 64

struct address {
    struct str text;   /* local@domain as written (borrowed) */
    struct str local;  /* as written, quotes included */
    struct str domain; /* as written; of a literal, brackets included */
};

enum address_error {
    ADDRESS_OK = 0,
    ADDRESS_SYNTAX = -1,     /* not a mailbox */
    ADDRESS_TOO_LONG = -2,   /* over the limits above */
    ADDRESS_UNQUALIFIED = -3 /* a local part alone */
};

/* Parses the whole of `text` (no angle brackets). A trailing dot of the
 * domain is not accepted. The result borrows from `text`. */
enum address_error address_parse(struct str text, struct address *out);

/* Whether octets may stand between two dots of a host's name, however many
 * they are: letters, digits, inner hyphens, and underscores, since there are
 * hosts of that name and mail from them. */
bool address_is_label(struct str label);
/* Whether a host name (RFC 5321 Domain) or an address literal. */
bool address_is_domain(struct str text);
bool address_is_literal(struct str text);

/* The form in which addresses compare and key: a quoted local part unquoted
 * if it needs no quotes, all in ASCII lower case. "" stays "". For text that
 * is not a mailbox, the lower-cased text. p is NULL if the arena is full. */
struct str address_canonical(struct arena *arena, struct str text);

#endif
