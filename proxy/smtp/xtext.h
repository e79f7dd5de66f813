/* xtext: printable ASCII in which "+" begins two upper-case hexadecimal
 * digits (RFC 3461 4). Pure. */
#ifndef PROXY_SMTP_XTEXT_H
#define PROXY_SMTP_XTEXT_H

#include "rules/base/arena.h"

/* And stands for printable ASCII. */
bool xtext_is_valid(struct str text);
/* Encodes octets; p is NULL when the arena is full. */
struct str xtext_encode(struct arena *arena, struct str octets);

#endif
