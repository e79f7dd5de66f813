/* The lines of the decision log about one session, found by an id. */
#ifndef PROXY_EXPLAIN_PAST_H
#define PROXY_EXPLAIN_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define PAST_ID_ROOM 13
/* A client says how many lines its session has: those beyond are passed over.
 * Half of the room is for the lines of the id itself and the session's. */
#define PAST_LINES_MAX 10000
#define PAST_OCTETS_MAX (16 * 1024 * 1024)

struct past_line {
    json_t *entry;
    char *text; /* the same, as it stands; owned */
    size_t length;
};

struct past {
    char id[PAST_ID_ROOM]; /* in capitals */
    bool is_session;       /* the id is a session's */
    struct past_line *lines;
    size_t count, capacity;
    size_t octets; /* of the lines */
    size_t files;  /* that were looked through */
};

/* 0, or -1: no id looks like this. */
int past_init(struct past *past, const char *id);
void past_release(struct past *past);

/* Adds what `path` holds. 0, or -1 with errno; a line that can't be read is
 * passed over. */
int past_look(struct past *past, const char *path);
/* The same of no more than its last octets. */
int past_look_near_end(struct past *past, const char *path, uint64_t octets);

/* The line of that id and event; NULL: there is none. */
const struct past_line *past_line(const struct past *past, const char *event);

#endif
