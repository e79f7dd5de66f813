/* Base64 as SASL exchanges have it (RFC 4954 4, RFC 4648 4), read strictly:
 * no white space, the padding right, no bits left over. Pure. */
#ifndef PROXY_SASL_BASE64_H
#define PROXY_SASL_BASE64_H

#include "rules/base/str.h"

#define BASE64_TEXT_MAX 12288 /* of a line of an exchange, RFC 4954 4 */
/* Room for the text of so many octets, with a NUL. */
#define BASE64_ROOM(octets) (((octets) + 2) / 3 * 4 + 1)

/* Into `to`, which has room for BASE64_TEXT_MAX octets. 0, or -1. */
int base64_decode(struct str text, char *to, size_t *length);
/* `to` has BASE64_ROOM(octets.n). A NUL is behind the text. */
struct str base64_encode(struct str octets, char *to);

/* The URL-safe alphabet without padding (RFC 7515 2), as strictly. `to` has
 * room for text.n octets, and may be where the text is. 0, or -1. */
int base64url_decode(struct str text, char *to, size_t *length);

#endif
