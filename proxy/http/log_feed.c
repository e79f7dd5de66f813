#include "proxy/http/log_feed.h"

#include "proxy/log/log_tail.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_ROOM 4096

void log_feed_init(struct log_feed *feed, const char *path,
                   const struct entry_filter *filter, size_t lines_max)
{
    *feed = (struct log_feed){
        .path = path, .filter = filter, .lines_max = lines_max};
}

static void drop_first(struct log_feed *feed)
{
    struct str *line = &feed->lines[feed->first];
    feed->octets -= line->n;
    free((char *)(uintptr_t)line->p);
    *line = (struct str){NULL, 0};
    feed->first = (feed->first + 1) % LOG_FEED_LINES_MAX;
    feed->count--;
}

static void drop_all(struct log_feed *feed)
{
    while (feed->count > 0)
        drop_first(feed);
}

void log_feed_release(struct log_feed *feed)
{
    drop_all(feed);
}

struct str log_feed_line(const struct log_feed *feed, size_t i)
{
    return feed->lines[(feed->first + i) % LOG_FEED_LINES_MAX];
}

static bool is_full(const struct log_feed *feed, size_t more)
{
    return feed->count == feed->lines_max ||
           (feed->count > 0 && feed->octets + more > LOG_FEED_GIVEN);
}

static int keep(struct log_feed *feed, struct str line)
{
    char *copy = malloc(line.n);
    if (copy == NULL)
        return ENOMEM;
    memcpy(copy, line.p, line.n);
    feed->lines[(feed->first + feed->count++) % LOG_FEED_LINES_MAX] =
        str_span(copy, line.n);
    feed->octets += line.n;
    return 0;
}

static bool is_wanted(const struct log_feed *feed, struct str line)
{
    if (line.n == 0 || line.n > LOG_FEED_GIVEN)
        return false;
    json_t *entry = json_loadb(line.p, line.n, 0, NULL);
    bool matches =
        json_is_object(entry) && entry_filter_matches(feed->filter, entry);
    json_decref(entry);
    return matches;
}

/* --- one file --- */

static uint64_t file_of(const struct log_tail *tail)
{
    struct stat status;
    return fstat(tail->fd, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* A pipe would keep whoever opens it, and a terminal has no past. */
static int open_regular(struct log_tail *tail, const char *path)
{
    struct stat status;
    log_tail_init(tail, path);
    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return ESPIPE;
    return log_tail_open(tail) == 0 ? 0 : errno;
}

/* All from here to the end; of what is too much the newest are kept, and then
 * nothing before it is wanted. */
static int read_newest(struct log_feed *feed, struct log_tail *tail,
                       bool *is_enough)
{
    struct str line;
    enum tail_next next;
    int error = 0;
    while ((next = log_tail_next(tail, &line)) == TAIL_LINE ||
           next == TAIL_OVERLONG) {
        if (next == TAIL_OVERLONG || !is_wanted(feed, line))
            continue;
        for (; is_full(feed, line.n); *is_enough = true)
            drop_first(feed);
        error = keep(feed, line);
        if (error != 0)
            return error;
    }
    return next == TAIL_ERROR ? errno : 0;
}

/* From here on until it is enough. */
static int read_on(struct log_feed *feed, struct log_tail *tail)
{
    struct str line;
    enum tail_next next = TAIL_LINE;
    off_t begin = log_tail_place(tail);
    feed->place = (struct log_place){file_of(tail), (uint64_t)begin};
    while ((next = log_tail_next(tail, &line)) == TAIL_LINE ||
           next == TAIL_OVERLONG) {
        off_t place = log_tail_place(tail);
        if (next == TAIL_LINE && is_wanted(feed, line)) {
            feed->has_more = is_full(feed, line.n);
            if (feed->has_more)
                return 0;
            int error = keep(feed, line);
            if (error != 0)
                return error;
        }
        feed->place.offset = (uint64_t)place;
        feed->has_more = place - begin >= LOG_FEED_READ;
        if (feed->has_more)
            return 0;
    }
    return next == TAIL_ERROR ? errno : 0;
}

/* --- the log --- */

static int read_recent(struct log_feed *feed, struct log_tail *tail)
{
    static const uint64_t windows[] = {LOG_FEED_BACK / 64, LOG_FEED_BACK / 8,
                                       LOG_FEED_BACK};
    int error = 0;
    bool is_enough = false;
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        drop_all(feed);
        if (log_tail_seek(tail, 0) != 0 ||
            log_tail_skip_to_end(tail, windows[i]) != 0)
            return errno;
        off_t begin = log_tail_place(tail);
        error = read_newest(feed, tail, &is_enough);
        feed->place =
            (struct log_place){file_of(tail), (uint64_t)log_tail_place(tail)};
        if (error != 0 || begin == 0 || is_enough ||
            feed->count == feed->lines_max)
            break;
    }
    return error;
}

int log_feed_recent(struct log_feed *feed)
{
    struct log_tail tail;
    int error = open_regular(&tail, feed->path);
    if (error == 0)
        error = read_recent(feed, &tail);
    log_tail_release(&tail);
    return error == ENOENT ? 0 : error;
}

static bool is_of(const struct log_tail *tail, const struct log_place *place)
{
    struct stat status;
    return fstat(tail->fd, &status) == 0 &&
           (uint64_t)status.st_ino == place->file &&
           (uint64_t)status.st_size >= place->offset;
}

/* What was left of the file that was rotated away. Whether it was found and is
 * read out. */
static bool read_older(struct log_feed *feed, const struct log_place *place,
                       int *error)
{
    char path[PATH_ROOM];
    struct log_tail tail;
    int length = snprintf(path, sizeof path, "%s.1", feed->path);
    bool is_found = length > 0 && (size_t)length < sizeof path &&
                    open_regular(&tail, path) == 0;
    if (!is_found)
        return false;
    is_found = is_of(&tail, place);
    if (is_found) {
        *error = log_tail_seek(&tail, (off_t)place->offset) == 0
                     ? read_on(feed, &tail)
                     : errno;
    }
    log_tail_release(&tail);
    return is_found;
}

static int read_behind(struct log_feed *feed, struct log_tail *tail,
                       const struct log_place *place)
{
    int error = 0;
    if (place->file == 0) /* there was none */
        return read_on(feed, tail);
    if (is_of(tail, place)) {
        if (log_tail_seek(tail, (off_t)place->offset) != 0)
            return errno;
        return read_on(feed, tail);
    }
    if (!read_older(feed, place, &error)) {
        feed->has_gap = true;
        return read_recent(feed, tail);
    }
    if (error != 0 || feed->has_more)
        return error;
    return read_on(feed, tail);
}

int log_feed_after(struct log_feed *feed, struct log_place place)
{
    struct log_tail tail;
    feed->place = place;
    int error = open_regular(&tail, feed->path);
    if (error == 0)
        error = read_behind(feed, &tail, &place);
    log_tail_release(&tail);
    return error == ENOENT ? 0 : error;
}

/* --- places --- */

void log_place_text(const struct log_place *place, char out[LOG_PLACE_TEXT])
{
    snprintf(out, LOG_PLACE_TEXT, "%" PRIu64 "-%" PRIu64, place->file,
             place->offset);
}

int log_place_parse(struct str text, struct log_place *out)
{
    ptrdiff_t dash = str_index(text, '-');
    if (dash < 0 || str_to_u64(str_head(text, (size_t)dash), &out->file) != 0 ||
        str_to_u64(str_skip(text, (size_t)dash + 1), &out->offset) != 0 ||
        out->offset > INT64_MAX)
        return -1;
    return 0;
}
