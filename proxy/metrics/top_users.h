/* Who sends most, of any number of users, in memory that does not grow: the
 * Space-Saving sketch, by six spans of ten minutes. When there is no room for
 * one more user the one who sent least makes it, and the new one begins with
 * what that one had, as an error: so that of each user that is told
 *     what was <= estimate <= what was + error,
 * and whoever sent more than a 512th of all in a span is there. Open, zeros are
 * empty, for memory that is shared; not thread-safe: the owner locks. */
#ifndef PROXY_METRICS_TOP_USERS_H
#define PROXY_METRICS_TOP_USERS_H

#include "rules/base/str.h"

#define TOP_USERS_ROOM 512
#define TOP_USERS_INDEX 1024 /* a power of two, twice the room */
/* Of longer names the beginning is told, and of their hash as much as tells
 * them from others that begin so: no two have the same. */
#define TOP_USERS_NAME 80
#define TOP_USERS_SPANS 6
#define TOP_USERS_SPAN_MINUTES 10

/* One transaction of a user, or several. */
struct top_use {
    uint64_t hash; /* of the name, as it is known everywhere; not 0 */
    struct str name;
    uint64_t weight; /* what users are ordered by */
    uint64_t messages, recipients, refused;
};

struct top_user {
    uint64_t hash;
    uint64_t weight, error; /* the estimate; by how much it may be too large */
    /* Since the user was taken up last: exact where the error is 0. */
    uint64_t messages, recipients, refused;
    uint8_t name_length;
    char name[TOP_USERS_NAME];
};

struct top_span {
    uint64_t number; /* which ten minutes since 1970; 0: none yet */
    uint32_t used;
    uint16_t index[TOP_USERS_INDEX]; /* 1 + a number in `users`; 0: free */
    uint64_t weights[TOP_USERS_ROOM];
    struct top_user users[TOP_USERS_ROOM]; /* their weights are above */
};

struct top_users {
    struct top_span spans[TOP_USERS_SPANS];
};

void top_users_add(struct top_users *top, uint64_t minute,
                   const struct top_use *use);

/* The sum over several sketches and the last hour. */
struct top_sum {
    struct top_user *users; /* owned */
    size_t count, capacity;
    uint64_t missed; /* what a user who is nowhere may have at most */
};
void top_sum_init(struct top_sum *sum);
void top_sum_release(struct top_sum *sum);
/* 0, or -1: out of memory. */
int top_sum_add(struct top_sum *sum, const struct top_users *top,
                uint64_t minute);
/* Puts together what is of the same user, those first that have most. */
void top_sum_finish(struct top_sum *sum);

#endif
