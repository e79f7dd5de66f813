/* Whose an address is, as back-ends tell it: an address, or a pattern of
 * addresses with * for any text. Pure. */
#ifndef PROXY_LOGIN_OWNED_ADDRESS_H
#define PROXY_LOGIN_OWNED_ADDRESS_H

#include "rules/base/arena.h"

enum owned_address {
    OWNED_ADDRESS_FINE,
    OWNED_ADDRESS_NONE,   /* neither an address nor a pattern of any */
    OWNED_ADDRESS_FOREIGN /* a pattern whose domain is not in ASCII: it has no
                             A-labels that it would compare as */
};

enum owned_address owned_address_check(struct str text);
/* As it is compared. p is NULL when the arena is full. */
struct str owned_address_keep(struct arena *arena, struct str text);

/* What a login owns of which nothing is told: a name that is an address owns
 * itself, but none that would be read as a pattern. 0, or -1 when the arena
 * is full. */
int owned_address_of_name(struct arena *arena, struct str name,
                          const struct str **items, size_t *count);

#endif
