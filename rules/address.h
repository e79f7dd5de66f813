/* The one reading of a mailbox: Local-part "@" ( Domain / address-literal ),
 * RFC 5321 4.1.2, quoted local parts included, and UTF-8 in both parts (RFC
 * 6531 3.3). SMTP paths, rewritten values and header addresses all go through
 * here. Pure. */
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
 * domain is not accepted, and the limits hold for the canonical form too. The
 * result borrows from `text`. */
enum address_error address_parse(struct str text, struct address *out);

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": RFC 5321 4.1.3. */
bool address_is_literal(struct str text);

/* The form in which addresses compare and key: characters composed (NFC), the
 * local part in quotes only if it needs them, the domain in A-labels, all in
 * ASCII lower case. The form of an address is an address. "" stays "". For text
 * that is not a mailbox, the lower-cased text. p is NULL if the arena is full.
 */
struct str address_canonical(struct arena *arena, struct str text);
/* The same of a local part alone. */
struct str address_local_canonical(struct arena *arena, struct str local);

#endif
