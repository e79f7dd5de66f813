/* One request and its answer. A route's function fills the answer; where it
 * may take its time it runs on a thread of http_work, else on the one that all
 * connections share. */
#ifndef PROXY_HTTP_HTTP_JOB_H
#define PROXY_HTTP_HTTP_JOB_H

#include <jansson.h>

#include "proxy/control/control_verbs.h"

#define HTTP_ARGUMENTS_MAX 24
#define HTTP_REST_MAX 255
/* How long a request may wait for something to happen. */
#define HTTP_WAIT_MS 15000

struct http_means {
    const struct settings *settings; /* what the server began with */
    struct controlled *controlled;
    struct server_log *log;
    /* Asked on any thread: whether the loops turn; and why no new mail can be
     * taken, NULL: it can. */
    bool (*is_alive)(void *owner);
    const char *(*why_not_ready)(void *owner);
    void *owner;
};

enum http_next {
    HTTP_DONE, /* the answer is there */
    HTTP_LATER /* nothing has happened yet: ask again */
};

struct http_argument {
    char *name; /* owned */
    char *value;
};

struct http_job;

struct http_route {
    const char *path;     /* ends with a slash: a name follows */
    bool needs_dashboard; /* else it is not there without */
    bool is_quick;        /* waits for nothing */
    bool is_search;       /* may read much: one of them at a time */
    enum http_next (*run)(struct http_job *job);
};

struct http_job {
    const struct http_means *means;
    const struct http_route *route;
    char rest[HTTP_REST_MAX + 1]; /* the name behind the route's path */
    struct http_argument arguments[HTTP_ARGUMENTS_MAX];
    size_t argument_count;
    uint64_t until_ms; /* HTTP_LATER ends here: the answer is due */
    bool is_due;
    bool has_place; /* of the log, as far as it was read */
    uint64_t place[2];

    /* The answer. */
    unsigned status;
    const char *type; /* borrowed, for good */
    char *text;       /* owned; or NULL */
    const void *page; /* borrowed, for good; or NULL */
    int fd;           /* a file to send, owned; or -1 */
    size_t octets;
    char download[HTTP_REST_MAX + 8]; /* the name to keep it under; "" */
    const char *allow;                /* methods, with 405 */

    /* http_work's and http_server's own. */
    struct http_job *next;
    void *connection;
};

/* The first value of that name; NULL: there is none. */
const char *http_job_argument(const struct http_job *job, const char *name);
/* 0 ... max; what is absent is `otherwise`; -1: it is no such number. */
long http_job_number(const struct http_job *job, const char *name, long max,
                     long otherwise);

/* Answers. Text is one sentence for people, without its LF. */
enum http_next http_say(struct http_job *job, unsigned status,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes the text over, from malloc(); NULL: out of memory. */
enum http_next http_give(struct http_job *job, const char *type, char *text,
                         size_t octets);
/* Takes the body over; NULL: out of memory. */
enum http_next http_give_json(struct http_job *job, json_t *body);
/* {"error":…}: for what scripts of the page read. */
enum http_next http_refuse(struct http_job *job, unsigned status,
                           const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
