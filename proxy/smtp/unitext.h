/* Addresses in ORCPT=utf-8 (RFC 6533 3): UTF-8 in which "\x{2B}" and the like
 * stands for what a parameter may not hold, as xtext has it for ASCII. Pure. */
#ifndef PROXY_SMTP_UNITEXT_H
#define PROXY_SMTP_UNITEXT_H

#include "rules/base/arena.h"

bool unitext_is_valid(struct str text);
/* Encodes what is UTF-8; p is NULL when the arena is full. */
struct str unitext_encode(struct arena *arena, struct str utf8);

#endif
