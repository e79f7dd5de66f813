/* A file to which whole lines are appended: a line is complete or absent.
 * One thread at a time. */
#ifndef PROXY_LOG_LOG_FILE_H
#define PROXY_LOG_LOG_FILE_H

#include "rules/base/str.h"

struct log_file {
    int fd;       /* -1: closed */
    bool is_torn; /* what stands there ends without LF: close it first */
};

/* Opens or creates it. A torn last line is found here. 0, or -1 with errno. */
int log_file_open(struct log_file *file, const char *path);
void log_file_close(struct log_file *file);

/* Appends one or more lines, their LFs included. The octets of those that
 * stand in the file now: all, or less with errno. Nothing is left of the line
 * that failed or, where octets can't be taken back (a pipe, another writer
 * behind them), the torn piece is closed by a LF before the next line. */
size_t log_file_append(struct log_file *file, struct str lines);

#endif
