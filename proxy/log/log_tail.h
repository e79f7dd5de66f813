/* Reads a growing log line by line, and goes on behind a rotation (another
 * file took its name) and a truncation. One thread. */
#ifndef PROXY_LOG_LOG_TAIL_H
#define PROXY_LOG_LOG_TAIL_H

#include <sys/types.h>

#include "rules/base/str.h"

#define LOG_TAIL_LINE_MAX (4 * 1024 * 1024)

struct log_tail {
    const char *path; /* borrowed; "-": standard input */
    int fd;           /* -1: not open */
    off_t offset;     /* of what was read */
    size_t line;      /* the number of the line given last */
    char *buffer;     /* owned */
    size_t start, end, capacity;
    bool is_skipping; /* the rest of an overlong line */
    bool is_leaving;  /* rotated: the old file is read out once more */
};

enum tail_next {
    TAIL_LINE,
    TAIL_OVERLONG, /* a line over LOG_TAIL_LINE_MAX; it is left out */
    TAIL_END,      /* nothing more at present */
    TAIL_ERROR     /* errno */
};

void log_tail_init(struct log_tail *tail, const char *path);
void log_tail_release(struct log_tail *tail);
/* 0, or -1 with errno. */
int log_tail_open(struct log_tail *tail);

/* Starts near the end: at the first line within the last `octets`, keeping
 * count of the lines before. Right after opening. 0, or -1 with errno. */
int log_tail_near_end(struct log_tail *tail, uint64_t octets);

/* The same without reading, or counting, what is before. */
int log_tail_skip_to_end(struct log_tail *tail, uint64_t octets);
/* Goes on at the beginning of a line, from where lines count from 1. 0, or -1
 * with errno. And where the next line begins. */
int log_tail_seek(struct log_tail *tail, off_t offset);
off_t log_tail_place(const struct log_tail *tail);

/* The line without its LF; valid until the next call. */
enum tail_next log_tail_next(struct log_tail *tail, struct str *line);
/* Octets behind the last LF; after TAIL_END. */
size_t log_tail_torn(const struct log_tail *tail);

/* After TAIL_END: whether it is worth asking again at once, because the file
 * was replaced or cut. *is_new tells that lines count from 1 again. */
bool log_tail_follow(struct log_tail *tail, bool *is_new);

#endif
