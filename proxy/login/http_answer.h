/* One answer of an HTTP/1.1 server (RFC 9112), as octets come in: its status
 * and its body, both bounded. Interim answers are passed over. Pure. */
#ifndef PROXY_LOGIN_HTTP_ANSWER_H
#define PROXY_LOGIN_HTTP_ANSWER_H

#include "rules/base/str.h"

#define HTTP_HEAD_MAX ((size_t)16 * 1024) /* interim answers included */
#define HTTP_BODY_MAX ((size_t)64 * 1024)

enum http_next {
    HTTP_MORE,  /* the rest is still to come */
    HTTP_WHOLE, /* status and body are there */
    HTTP_BROKEN /* it is no HTTP, or beyond its bounds; see the error */
};

struct http_answer;

/* NULL when out of memory. */
struct http_answer *http_answer_new(void);
/* Wipes. NULL is fine. */
void http_answer_free(struct http_answer *answer);

/* Not after anything but HTTP_MORE. */
enum http_next http_answer_feed(struct http_answer *answer, struct str octets);
/* The server has closed in order, which ends a body without a length. */
enum http_next http_answer_end(struct http_answer *answer);

/* Whether anything came in. */
bool http_answer_has_begun(const struct http_answer *answer);
unsigned http_answer_status(const struct http_answer *answer);
struct str http_answer_body(const struct http_answer *answer);
/* The whole answer is read and nothing came behind it; another question may
 * be sent over the same connection. */
bool http_answer_keeps_connection(const struct http_answer *answer);
/* Of HTTP_BROKEN. */
const char *http_answer_error(const struct http_answer *answer);

#endif
