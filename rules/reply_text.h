/* What a refusal may say: its codes and its text. For the rules of a policy
 * and for what policy servers answer. Pure. */
#ifndef RULES_REPLY_TEXT_H
#define RULES_REPLY_TEXT_H

#include "rules/base/arena.h"

#define REPLY_TEXT_MAX 400

/* An enhanced status code, RFC 3463 2: "5.7.1". */
bool reply_is_enhanced(struct str text);
/* Codes that answer AUTH and would confuse a client anywhere else. */
bool reply_is_of_auth(int code);
/* What strangers wrote may be in it: one line of printable ASCII, bounded.
 * p is NULL when the arena is full. */
struct str reply_text(struct arena *arena, struct str text);

#endif
