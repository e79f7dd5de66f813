/* One line of the decision log while it is written: what several events have
 * in common, and the room that each part may take, so that a line that would
 * be too long is kept with less in it and says what (its `cut`). */
#ifndef PROXY_SESSION_LOG_ENTRY_H
#define PROXY_SESSION_LOG_ENTRY_H

#include "proxy/log/json_line.h"
#include "proxy/log/redactor.h"
#include "proxy/session/session_internal.h"

#define LOG_CUT_MAX 16
#define LOG_LINE_CAP ((size_t)768 * 1024)

struct log_entry {
    const struct session *session;
    uint64_t start_us; /* of the loop's clock: what offsets count from */
    struct json_line line;
    const char *cut[LOG_CUT_MAX]; /* what was shortened */
    size_t cut_count;
    struct redactor redactor;
    bool is_of_mail; /* a transaction's: a strict log has room for it */
};

/* `start_us` of the loop's clock is `wall_us` since the epoch. */
void log_entry_open(struct log_entry *entry, const struct session *s,
                    const char *event, const char *id, uint64_t wall_us,
                    uint64_t start_us);
/* Hands the line to the log. */
void log_entry_close(struct log_entry *entry);

/* The wall clock of an instant of the loop's clock in the past. */
uint64_t log_wall_us(const struct session *s, uint64_t clock_us);

/* Whether the part that began at `start` octets may grow; else it is cut. */
bool log_entry_has_room(struct log_entry *entry, size_t start, size_t room,
                        const char *name);
void log_entry_cut(struct log_entry *entry, const char *name);

/* `clock_us` as milliseconds behind the start; 0: nothing is written. */
void log_put_moment(struct log_entry *entry, const char *key,
                    uint64_t clock_us);
void log_put_fact(struct log_entry *entry, const char *key, enum fact fact);
/* What a client said that is a fact, which may have to be hidden. */
void log_put_value(struct log_entry *entry, const char *key, enum fact fact,
                   struct str value);
/* Words of Postern's, a rule's or another server's, without what has to be
 * hidden. */
void log_put_words(struct log_entry *entry, const char *key, struct str words);
/* Words too. */
void log_put_texts(struct log_entry *entry, const char *key, const char *name,
                   const struct str *items, size_t count, size_t room);
void log_put_client(struct log_entry *entry);
void log_put_reply(struct log_entry *entry, const char *key,
                   const struct reply *reply);
/* by, and of a rule which. */
void log_put_by(struct log_entry *entry, const struct rule *rule,
                bool is_upstreams);
/* A refusal of the rules, with `key` for its words; nothing when it passed. */
void log_put_verdict(struct log_entry *entry, const char *key,
                     const struct verdict *verdict);
/* `with_attempt`: the claimed name and the result too. */
void log_put_auth(struct log_entry *entry, const char *result);
/* By what was decided while the store was away; nothing when it was not. */
void log_put_store(struct log_entry *entry, enum budget_answered how);
/* The names of the caps that were crossed; nothing when none was. */
void log_put_caps(struct log_entry *entry, uint64_t caps);
void log_put_effects(struct log_entry *entry, const struct effects *effects);

#endif
