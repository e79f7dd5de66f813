/* The decision log: one JSON object a line, appended by one writer thread
 * from bounded queues. A line is complete or absent. If its queue is full
 * the line is lost, counted, and the loss is told in the next line written.
 * Lines of one lane keep their order. A strict log keeps what can't be written
 * until it can, and says meanwhile that it takes no mail. */
#ifndef PROXY_LOG_DECISION_LOG_H
#define PROXY_LOG_DECISION_LOG_H

#include <stdatomic.h>

#include "config/settings.h"
#include "proxy/log/server_log.h"

struct decision_log;
struct decision_lane;

/* Whether the log's folder exists; creates nothing. 0, or -1 with a
 * diagnostic. For `postern check`. */
int decision_log_check(const struct log_settings *settings,
                       struct diags *diags);

/* Opens (creates) the file for appending, or takes standard output; NULL with
 * a diagnostic at the key's mark when that fails: the folder must exist. A log
 * without either takes lines and drops them. A torn last line (no LF) is closed
 * with one first. */
struct decision_log *decision_log_new(const struct log_settings *settings,
                                      struct diags *diags);
/* Whoever wrote before has died, perhaps within a line. A file shows whether,
 * standard output does not, and gets an empty line then. */
void decision_log_follow_a_crash(struct decision_log *log);
/* Where a file that can't be written, and its recovery, are told. It must
 * outlive the decision log. */
void decision_log_report_to(struct decision_log *log,
                            struct server_log *server);
/* Where lines that were written are counted, and lines that were lost; they
 * must outlive the decision log. */
void decision_log_count_in(struct decision_log *log, _Atomic uint64_t *lines,
                           _Atomic uint64_t *lost);
/* A way in for one thread, where it meets the writer alone. NULL when out of
 * memory. The log's: it ends with it. */
struct decision_lane *decision_log_lane(struct decision_log *log);
/* Copies one line as decision_log_write() does; for the lane's thread. */
void decision_lane_write(struct decision_lane *lane, struct str line);
/* The line of a transaction that decision_lane_takes_mail() let begin: a
 * strict log has room for it, but for lack of memory. */
void decision_lane_write_mail(struct decision_lane *lane, struct str line);
/* Whether what is decided now will stand in the log: false in a strict one
 * that can't be written, or whose lane is over half full. */
bool decision_lane_takes_mail(struct decision_lane *lane);
/* The same but for lanes. */
bool decision_log_takes_mail(struct decision_log *log);
/* Thread-safe; copies one line (with or without its LF). An empty one (what
 * json_line_end() gives for a line that did not fit) counts as lost. */
void decision_log_write(struct decision_log *log, struct str line);
/* Opens the path anew before the next line (after a rotation). Standard output
 * stays what it is. */
void decision_log_reopen(struct decision_log *log);
/* Writes what is queued, then ends. */
void decision_log_free(struct decision_log *log);

#endif
