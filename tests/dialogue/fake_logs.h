/* The two logs of a dialogue, kept in memory: stands in for the writers of
 * proxy/log when linking. */
#ifndef TESTS_DIALOGUE_FAKE_LOGS_H
#define TESTS_DIALOGUE_FAKE_LOGS_H

#include "proxy/log/decision_log.h"
#include "proxy/log/server_log.h"
#include "tests/dialogue/octets.h"

struct log_line {
    struct octets text; /* without its LF */
    bool is_matched;
};

struct log_lines {
    struct log_line *items;
    size_t count, capacity;
};

struct decision_log {
    struct log_lines lines;
    bool is_failing; /* and strict */
};

struct server_log {
    struct log_lines lines;
};

void log_lines_add(struct log_lines *lines, struct str text);
void log_lines_release(struct log_lines *lines);

#endif
