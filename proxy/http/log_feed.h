/* The decision log for a page that is open in a browser: the newest entries
 * that a filter lets through, then those that follow, over a rotation too. A
 * place in the log is a file and an offset, so that whoever asks can go on
 * where another process answered before. Blocks; one thread. */
#ifndef PROXY_HTTP_LOG_FEED_H
#define PROXY_HTTP_LOG_FEED_H

#include <stdint.h>

#include "proxy/log/entry_filter.h"
#include "rules/base/str.h"

#define LOG_FEED_LINES_MAX 500
/* How far back is looked, how much is read of what follows, and how much of
 * it is given: at a time. */
#define LOG_FEED_BACK (64 * 1024 * 1024)
#define LOG_FEED_READ (16 * 1024 * 1024)
#define LOG_FEED_GIVEN (1024 * 1024)
#define LOG_PLACE_TEXT 48

struct log_place {
    uint64_t file; /* its inode */
    uint64_t offset;
};

struct log_feed {
    const char *path;                  /* borrowed */
    const struct entry_filter *filter; /* borrowed */
    size_t lines_max;                  /* at most LOG_FEED_LINES_MAX */

    struct str lines[LOG_FEED_LINES_MAX]; /* owned; objects of JSON */
    size_t first, count;                  /* a ring */
    size_t octets;
    struct log_place place; /* behind what was read */
    bool has_more;          /* there is more to read at once */
    bool has_gap;           /* entries before these were passed over */
};

void log_feed_init(struct log_feed *feed, const char *path,
                   const struct entry_filter *filter, size_t lines_max);
void log_feed_release(struct log_feed *feed);

/* The newest. 0, or an errno; a log that is not there yet is empty. */
int log_feed_recent(struct log_feed *feed);
/* What follows behind that place. Where that can't be found any more, the
 * newest, with a gap. */
int log_feed_after(struct log_feed *feed, struct log_place place);

/* In order, 0 ... count - 1. */
struct str log_feed_line(const struct log_feed *feed, size_t i);

void log_place_text(const struct log_place *place, char out[LOG_PLACE_TEXT]);
/* 0, or -1: it is none. */
int log_place_parse(struct str text, struct log_place *out);

#endif
