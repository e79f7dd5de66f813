/* A JSON object out of foreign octets (RFC 8259), read strictly: members that
 * stand twice, NULs in texts, octets behind the end and deep nesting are
 * refused. Pure. For the files of this folder. */
#ifndef PROXY_SASL_JSON_OBJECT_H
#define PROXY_SASL_JSON_OBJECT_H

#include "rules/base/str.h"

#define JSON_DEPTH_MAX 16

struct json_t;

/* To be given to json_decref(). NULL: it is no such object, or memory is out;
 * `wrong` (may be NULL) then has words. */
struct json_t *json_object_read(struct str text, const char **wrong);

/* The text of a member; p NULL when it is missing or no text. Borrowed from
 * the object. */
struct str json_object_text(const struct json_t *object, const char *name);

#endif
