/* Where the lines of a decision log are, in the order of their times: a line
 * is written at the end of what it tells of, so a log is not in the order in
 * which things began. Lines are read again from the file, which may be
 * rotated or cut meanwhile: then they are missing, and nothing worse. */
#ifndef PROXY_REPLAY_LOG_INDEX_H
#define PROXY_REPLAY_LOG_INDEX_H

#include "proxy/replay/recorded.h"

struct log_place {
    uint64_t time_us;
    uint64_t session; /* a hash of its id; 0: none */
    uint64_t offset;
    uint32_t length;
    uint8_t event;         /* enum recorded_event */
    bool has_session_line; /* the log tells of the session itself */
    bool is_last;          /* the last line of its session */
};

struct log_index {
    struct log_place *places;
    size_t count, capacity;
    uint64_t octets;     /* of the log */
    uint64_t unreadable; /* lines that are none of a decision log */
    uint64_t transactions;
    int fd;
    char *line; /* what was read last */
};

/* 0, or -1 with a sentence in `error`. Owns a descriptor until released. */
int log_index_open(struct log_index *index, const char *path, char *error,
                   size_t room);
void log_index_release(struct log_index *index);

/* 0, or -1: it is there no more. The text is valid until the next call. */
int log_index_read(struct log_index *index, const struct log_place *place,
                   struct str *line);

#endif
