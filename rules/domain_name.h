/* Names of domains beyond ASCII (RFC 5890, 6531). They compare and key as
 * A-labels, the form in which the other half of the world writes them. Pure.
 */
#ifndef RULES_DOMAIN_NAME_H
#define RULES_DOMAIN_NAME_H

#include "rules/base/arena.h"

#define DOMAIN_MAX_OCTETS 254

/* Whether octets may stand between two dots of a host's name, however many
 * they are: letters, digits, inner hyphens, and underscores, since there are
 * hosts of that name and mail from them. */
bool domain_label_is_valid(struct str label);

/* A host name in ASCII or with U-labels (RFC 5321 Domain, RFC 6531 3.3). Each
 * label beyond ASCII must have an A-label of its own: what would become plain
 * letters, or a dot, is no name. An "xn--" label is taken as it stands. */
bool domain_is_valid(struct str text);
/* In ASCII alone: DNS, certificates and greetings know no other. */
bool domain_is_host(struct str text);
/* The octets of its canonical form; 0: it is no valid name. */
size_t domain_canonical_octets(struct str text);

/* The same name in A-labels and lower case. p is NULL when the arena is full;
 * of what is no valid name, the text in ASCII lower case. */
struct str domain_canonical(struct arena *arena, struct str text);

#endif
