#include "proxy/metrics/top_users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_THERE TOP_USERS_ROOM

/* --- the index: open addressing, by hash --- */

static size_t home_of(uint64_t hash)
{
    return (size_t)(hash % TOP_USERS_INDEX);
}

static size_t behind(size_t place)
{
    return (place + 1) % TOP_USERS_INDEX;
}

static size_t find(const struct top_span *span, uint64_t hash)
{
    for (size_t at = home_of(hash); span->index[at] != 0; at = behind(at)) {
        size_t number = (size_t)span->index[at] - 1;
        if (span->users[number].hash == hash)
            return number;
    }
    return NOT_THERE;
}

static void link_user(struct top_span *span, size_t number)
{
    size_t at = home_of(span->users[number].hash);
    while (span->index[at] != 0)
        at = behind(at);
    span->index[at] = (uint16_t)(number + 1);
}

/* Whether one whose home is `home` may move from `from` to the gap. */
static bool may_fill(size_t home, size_t gap, size_t from)
{
    return gap <= from ? home <= gap || home > from
                       : home <= gap && home > from;
}

/* What stood behind it and was pushed on moves up. */
static void unlink_user(struct top_span *span, size_t number)
{
    size_t gap = home_of(span->users[number].hash);
    while (span->index[gap] != number + 1)
        gap = behind(gap);
    for (size_t at = behind(gap); span->index[at] != 0; at = behind(at)) {
        const struct top_user *user = &span->users[span->index[at] - 1];
        if (!may_fill(home_of(user->hash), gap, at))
            continue;
        span->index[gap] = span->index[at];
        gap = at;
    }
    span->index[gap] = 0;
}

/* --- counting --- */

static size_t least(const struct top_span *span)
{
    size_t number = 0;
    for (size_t i = 1; i < TOP_USERS_ROOM; i++)
        if (span->weights[i] < span->weights[number])
            number = i;
    return number;
}

/* How long it is. */
static size_t write_name(char out[TOP_USERS_NAME], struct str name,
                         uint64_t hash)
{
    char mark[16];
    if (name.n <= TOP_USERS_NAME) {
        if (name.n > 0)
            memcpy(out, name.p, name.n);
        return name.n;
    }
    size_t marked =
        (size_t)snprintf(mark, sizeof mark, "~%08x", (unsigned)hash);
    size_t n = TOP_USERS_NAME - marked;
    while (n > 0 && ((uint8_t)name.p[n] & 0xc0) == 0x80)
        n--; /* not in the middle of a character */
    memcpy(out, name.p, n);
    memcpy(out + n, mark, marked);
    return n + marked;
}

static void take_up(struct top_span *span, size_t number,
                    const struct top_use *use, uint64_t error)
{
    struct top_user *user = &span->users[number];
    *user = (struct top_user){.hash = use->hash, .error = error};
    user->name_length = (uint8_t)write_name(user->name, use->name, use->hash);
    span->weights[number] = error;
    link_user(span, number);
}

static size_t place_of(struct top_span *span, const struct top_use *use)
{
    size_t number = find(span, use->hash);
    if (number != NOT_THERE)
        return number;
    if (span->used < TOP_USERS_ROOM) {
        number = span->used++;
        take_up(span, number, use, 0);
        return number;
    }
    number = least(span);
    unlink_user(span, number);
    take_up(span, number, use, span->weights[number]);
    return number;
}

static struct top_span *span_of(struct top_users *top, uint64_t minute)
{
    uint64_t number = minute / TOP_USERS_SPAN_MINUTES;
    struct top_span *span = &top->spans[number % TOP_USERS_SPANS];
    if (span->number != number) {
        memset(span->index, 0, sizeof span->index);
        span->used = 0;
        span->number = number;
    }
    return span;
}

void top_users_add(struct top_users *top, uint64_t minute,
                   const struct top_use *use)
{
    struct top_span *span = span_of(top, minute);
    size_t number = place_of(span, use);
    struct top_user *user = &span->users[number];
    span->weights[number] += use->weight;
    user->messages += use->messages;
    user->recipients += use->recipients;
    user->refused += use->refused;
}

/* --- reading --- */

void top_sum_init(struct top_sum *sum)
{
    *sum = (struct top_sum){0};
}

void top_sum_release(struct top_sum *sum)
{
    free(sum->users);
    top_sum_init(sum);
}

static int make_room(struct top_sum *sum, size_t count)
{
    if (sum->capacity - sum->count >= count)
        return 0;
    size_t capacity = 2 * sum->capacity + count;
    struct top_user *users =
        reallocarray(sum->users, capacity, sizeof *sum->users);
    if (users == NULL)
        return -1;
    sum->users = users;
    sum->capacity = capacity;
    return 0;
}

/* Whoever is not in a full span may have been, with as much as the least. For
 * all that is added to `missed`, and taken off those who are there. */
static int add_span(struct top_sum *sum, const struct top_span *span)
{
    bool is_full = span->used == TOP_USERS_ROOM;
    uint64_t floor = is_full ? span->weights[least(span)] : 0;
    if (make_room(sum, span->used) != 0)
        return -1;
    sum->missed += floor;
    for (size_t i = 0; i < span->used; i++) {
        struct top_user *user = &sum->users[sum->count++];
        *user = span->users[i];
        user->weight = span->weights[i] - floor;
        user->error = floor - user->error;
    }
    return 0;
}

int top_sum_add(struct top_sum *sum, const struct top_users *top,
                uint64_t minute)
{
    uint64_t now = minute / TOP_USERS_SPAN_MINUTES;
    for (size_t i = 0; i < TOP_USERS_SPANS; i++) {
        const struct top_span *span = &top->spans[i];
        bool is_of_hour = span->number != 0 && span->number <= now &&
                          now - span->number < TOP_USERS_SPANS;
        if (is_of_hour && add_span(sum, span) != 0)
            return -1;
    }
    return 0;
}

static int by_hash(const void *a, const void *b)
{
    const struct top_user *one = a, *other = b;
    return one->hash < other->hash ? -1 : one->hash > other->hash;
}

static int by_weight(const void *a, const void *b)
{
    const struct top_user *one = a, *other = b;
    if (one->weight != other->weight)
        return one->weight < other->weight ? 1 : -1;
    return by_hash(a, b);
}

static void put_together(struct top_user *one, const struct top_user *other)
{
    one->weight += other->weight;
    one->error += other->error;
    one->messages += other->messages;
    one->recipients += other->recipients;
    one->refused += other->refused;
}

void top_sum_finish(struct top_sum *sum)
{
    size_t count = 0;
    if (sum->count == 0)
        return;
    qsort(sum->users, sum->count, sizeof *sum->users, by_hash);
    for (size_t i = 0; i < sum->count; i++) {
        if (count > 0 && sum->users[count - 1].hash == sum->users[i].hash)
            put_together(&sum->users[count - 1], &sum->users[i]);
        else
            sum->users[count++] = sum->users[i];
    }
    sum->count = count;
    for (size_t i = 0; i < count; i++) {
        sum->users[i].weight += sum->missed;
        sum->users[i].error = sum->missed - sum->users[i].error;
    }
    qsort(sum->users, count, sizeof *sum->users, by_weight);
}
