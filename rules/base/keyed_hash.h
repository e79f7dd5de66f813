/* Hashes: one keyed with a secret, for tables whose keys strangers choose,
 * and SHA-256. The only place of rules/ that knows the library. */
#ifndef RULES_BASE_KEYED_HASH_H
#define RULES_BASE_KEYED_HASH_H

#include "rules/base/str.h"

#define KEYED_HASH_SECRET 16

/* A secret out of octets of any length. */
void keyed_hash_secret(struct str octets, uint8_t secret[KEYED_HASH_SECRET]);
/* SipHash-2-4. */
uint64_t keyed_hash(const uint8_t secret[KEYED_HASH_SECRET], struct str text);
/* Of several texts in a row; where one ends and the next begins counts. */
uint64_t keyed_hash_parts(const uint8_t secret[KEYED_HASH_SECRET],
                          const struct str *parts, size_t count);

/* 64 lower-case hexadecimal digits and a NUL. */
void sha256_hex(struct str text, char out[65]);
/* Of all texts as if they stood in a row. */
void sha256_hex_parts(const struct str *parts, size_t count, char out[65]);

#endif
