/* Two passes: this one looks at the head of each line only, as the log writes
 * it; a head that looks otherwise costs a whole reading. */
#include "proxy/replay/log_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/log/log_time.h"

#define LINE_MAX_OCTETS ((size_t)4 * 1024 * 1024)
#define HEAD_OCTETS 200
#define PLACES_MAX ((size_t)200 * 1000 * 1000)

static uint64_t hash(struct str text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
    return h == 0 ? 1 : h;
}

/* The text behind "key":" in the head of a line. */
static bool find_text(struct str head, const char *key, struct str *out)
{
    const char *at = memmem(head.p, head.n, key, strlen(key));
    if (at == NULL)
        return false;
    struct str rest = str_skip(head, (size_t)(at - head.p) + strlen(key));
    struct str text, tail;
    if (!str_cut(rest, '"', &text, &tail))
        return false;
    *out = text;
    return true;
}

static enum recorded_event event_of(struct str word)
{
    if (str_equals(word, STR("transaction")))
        return RECORDED_TRANSACTION;
    if (str_equals(word, STR("session")))
        return RECORDED_SESSION;
    if (str_equals(word, STR("auth")))
        return RECORDED_AUTH;
    return str_equals(word, STR("list")) ? RECORDED_LIST : RECORDED_OTHER;
}

static bool read_head(struct str line, struct log_place *place)
{
    struct str head = str_head(line, HEAD_OCTETS), time, event, session;
    if (!str_starts_with(line, STR("{\"time\":\"")) ||
        !find_text(head, "\"time\":\"", &time) ||
        !find_text(head, "\"event\":\"", &event) ||
        log_time_parse(time, &place->time_us) != 0)
        return false;
    place->event = (uint8_t)event_of(event);
    bool has_session = find_text(head, "\"session\":\"", &session);
    place->session = has_session ? hash(session) : 0;
    return has_session || place->event == RECORDED_LIST ||
           place->event == RECORDED_OTHER;
}

static bool read_whole(struct str line, struct log_place *place)
{
    struct recorded recorded;
    if (recorded_read(&recorded, line) != 0)
        return false;
    place->time_us = recorded.time_us;
    place->event = (uint8_t)recorded.event;
    place->session = recorded.session.p == NULL ? 0 : hash(recorded.session);
    recorded_release(&recorded);
    return true;
}

static int add_line(struct log_index *index, struct str line, uint64_t offset)
{
    struct log_place place = {.offset = offset, .length = (uint32_t)line.n};
    if (line.n == 0)
        return 0;
    if (!read_head(line, &place) && !read_whole(line, &place)) {
        index->unreadable++;
        return 0;
    }
    if (place.event == RECORDED_OTHER)
        return 0;
    index->transactions += place.event == RECORDED_TRANSACTION;
    if (index->count == index->capacity) {
        size_t capacity = index->capacity == 0 ? 1024 : index->capacity * 2;
        struct log_place *grown =
            capacity > PLACES_MAX
                ? NULL
                : realloc(index->places, capacity * sizeof *grown);
        if (grown == NULL)
            return -1;
        index->places = grown;
        index->capacity = capacity;
    }
    index->places[index->count++] = place;
    return 0;
}

/* The lines of a full buffer; what is left of the last one moves to its
 * front. SIZE_MAX: out of memory. */
static size_t take_lines(struct log_index *index, char *buffer, size_t length,
                         uint64_t offset)
{
    size_t done = 0;
    for (;;) {
        char *end = memchr(buffer + done, '\n', length - done);
        if (end == NULL)
            break;
        size_t n = (size_t)(end - (buffer + done));
        if (add_line(index, str_span(buffer + done, n), offset + done) != 0)
            return SIZE_MAX;
        done += n + 1;
    }
    if (done == 0 && length == LINE_MAX_OCTETS) {
        index->unreadable++;
        return 0; /* a line without an end */
    }
    memmove(buffer, buffer + done, length - done);
    return length - done;
}

static int scan(struct log_index *index)
{
    char *buffer = malloc(LINE_MAX_OCTETS);
    size_t kept = 0;
    uint64_t at = 0;
    ssize_t n = 0;
    if (buffer == NULL)
        return -1;
    while (kept != SIZE_MAX &&
           (n = pread(index->fd, buffer + kept, LINE_MAX_OCTETS - kept,
                      (off_t)at)) > 0) {
        size_t length = kept + (size_t)n;
        uint64_t start = at - kept;
        at += (uint64_t)n;
        kept = take_lines(index, buffer, length, start);
    }
    index->octets = at;
    free(buffer);
    errno = kept == SIZE_MAX ? ENOMEM : errno;
    return n < 0 || kept == SIZE_MAX ? -1 : 0;
}

static int by_time(const void *a, const void *b)
{
    const struct log_place *x = a, *y = b;
    if (x->time_us != y->time_us)
        return x->time_us < y->time_us ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

struct session_place {
    uint64_t session;
    size_t at;
};

static int by_session(const void *a, const void *b)
{
    const struct session_place *x = a, *y = b;
    if (x->session != y->session)
        return x->session < y->session ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Which lines belong together. */
static int mark_sessions(struct log_index *index)
{
    struct session_place *order = calloc(index->count + 1, sizeof *order);
    if (order == NULL)
        return -1;
    for (size_t i = 0; i < index->count; i++)
        order[i] = (struct session_place){index->places[i].session, i};
    qsort(order, index->count, sizeof *order, by_session);
    for (size_t from = 0, to; from < index->count; from = to) {
        bool has_line = false;
        for (to = from;
             to < index->count && order[to].session == order[from].session;
             to++)
            has_line = has_line ||
                       index->places[order[to].at].event == RECORDED_SESSION;
        for (size_t i = from; i < to; i++)
            index->places[order[i].at].has_session_line = has_line;
        index->places[order[to - 1].at].is_last = true;
    }
    free(order);
    return 0;
}

static int sort(struct log_index *index)
{
    if (index->count > 0)
        qsort(index->places, index->count, sizeof *index->places, by_time);
    return mark_sessions(index);
}

int log_index_open(struct log_index *index, const char *path, char *error,
                   size_t room)
{
    struct stat status;
    *index = (struct log_index){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    if (index->fd < 0 || fstat(index->fd, &status) != 0) {
        snprintf(error, room, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        snprintf(error, room, "%s: not a file: a replay reads it twice", path);
    } else if ((index->line = malloc(LINE_MAX_OCTETS)) == NULL ||
               scan(index) != 0 || sort(index) != 0) {
        snprintf(error, room, "%s: %s", path, strerror(errno));
    } else {
        return 0;
    }
    log_index_release(index);
    return -1;
}

void log_index_release(struct log_index *index)
{
    if (index->fd >= 0)
        close(index->fd);
    free(index->line);
    free(index->places);
    *index = (struct log_index){.fd = -1};
}

int log_index_read(struct log_index *index, const struct log_place *place,
                   struct str *line)
{
    ssize_t n =
        pread(index->fd, index->line, place->length, (off_t)place->offset);
    if (n != (ssize_t)place->length)
        return -1;
    *line = str_span(index->line, place->length);
    return 0;
}
