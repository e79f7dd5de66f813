/* The log for the administrator: what the server does and what fails, a line
 * each, to stderr or a file. Thread-safe. Lines are bounded, control
 * characters escaped. Bursts of one message are counted, not repeated. */
#ifndef PROXY_LOG_SERVER_LOG_H
#define PROXY_LOG_SERVER_LOG_H

#include <stdatomic.h>

#include "config/settings.h"

struct server_log;

/* NULL with a diagnostic when the file can't be opened. */
struct server_log *server_log_new(const struct log_settings *settings,
                                  struct diags *diags);
void server_log_free(struct server_log *log);
/* Opens the file anew (after a rotation); if that fails the old one goes on.
 * Does nothing for stderr. */
void server_log_reopen(struct server_log *log);
/* Goes on in another file, or NULL: stderr. If that can't be opened the old one
 * goes on, and says so. Does nothing where it is the same. */
void server_log_move(struct server_log *log, const char *path);

/* Where messages are counted, one number a level in their order; they must
 * outlive the log. */
void server_log_count_in(struct server_log *log, _Atomic uint64_t *levels);

/* Whether debug lines are written from now on. */
void server_log_set_debug(struct server_log *log, bool is_debug);

/* Where it writes; the same number as long as it is there. */
int server_log_descriptor(const struct server_log *log);

enum server_log_level {
    SERVER_DEBUG,
    SERVER_INFO,
    SERVER_WARNING,
    SERVER_ERROR
};
/* `log` may be NULL: then nothing is written (tests). */
void server_log_write(struct server_log *log, enum server_log_level level,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
