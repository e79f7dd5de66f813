/* Text of header fields: unfolding (RFC 5322 2.2.3) and encoded words (RFC
 * 2047). Reading is lenient, as mail readers are: an encoded word counts
 * wherever it stands. Results are UTF-8 where the charset is known (UTF-8,
 * US-ASCII, ISO-8859-1 and -15, Windows-1252), else the octets it encodes;
 * control characters become spaces. p is NULL when the arena is full. */
#ifndef RULES_ENCODED_WORD_H
#define RULES_ENCODED_WORD_H

#include "rules/base/arena.h"

/* Without line ends and without white space around it. */
struct str header_text_unfold(struct arena *arena, struct str body);
/* The same, then with encoded words decoded. */
struct str header_text_decode(struct arena *arena, struct str body);
bool encoded_word_is_in(struct str text);
/* Whether one is there in a charset whose octets are not those of ASCII, so
 * that what a reader shows is not what decoding gives here. */
bool encoded_word_is_opaque(struct str text);

/* ASCII as it is; else UTF-8 as a row of encoded words. */
struct str encoded_word_encode(struct arena *arena, struct str text);

#endif
