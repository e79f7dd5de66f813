/* A file to which whole lines are appended: a line is complete or absent.
 * One thread at a time. What is no file but a pipe, a terminal or a socket
 * takes octets back from nobody: there the rest of a line that was begun is
 * kept, and goes first next time; meanwhile other processes that write there
 * with log_file_append() wait. */
#ifndef PROXY_LOG_LOG_FILE_H
#define PROXY_LOG_LOG_FILE_H

#include "rules/base/str.h"

struct log_file {
    int fd; /* -1: closed */
    enum log_file_kind {
        LOG_FILE_REGULAR,
        LOG_FILE_STREAM, /* a pipe, a terminal, /dev/null */
        LOG_FILE_SOCKET
    } kind;
    bool is_torn;    /* what stands there ends without LF: close it first */
    bool is_waiting; /* a stream whose writes wait, since others share it */
    char *rest;      /* owned; of the line that was begun in a stream */
    size_t rest_length, rest_done;
};

/* Opens or creates it. A torn last line is found here. 0, or -1 with errno. */
int log_file_open(struct log_file *file, const char *path);
/* Takes a descriptor over. 0, or -1 with errno (then it is not closed). */
int log_file_adopt(struct log_file *file, int fd);
/* A rest that is not taken now is given up. */
void log_file_close(struct log_file *file);

/* Appends one or more lines, their LFs included. The octets of those that
 * stand in the file now, or whose rest is kept: all, or less with errno.
 * Nothing is left of the line that failed or, where octets can't be taken back
 * (another writer behind them), the torn piece is closed by a LF before the
 * next line. A stream that takes nothing is waited for, for a second. */
size_t log_file_append(struct log_file *file, struct str lines);

#endif
