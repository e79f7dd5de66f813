/* What a replay found: counts, and a row for each rule that has changes. */
#ifndef PROXY_REPLAY_RESULT_H
#define PROXY_REPLAY_RESULT_H

#include "proxy/replay/replay.h"

#define REPLAY_EXAMPLES_MAX 5
#define REPLAY_USERS_MAX 1024 /* that a row counts one by one */
#define REPLAY_ROWS_MAX 4096
#define REPLAY_TEXT_MAX 160

enum replay_change { NEWLY_REFUSED, NEWLY_PASSED, CHANGED, CHANGE_COUNT };

struct replay_example {
    enum replay_change change;
    char id[32];
    char user[64];
    char before[REPLAY_TEXT_MAX], after[REPLAY_TEXT_MAX];
};

struct replay_user {
    char *name; /* owned */
    uint64_t count;
};

struct replay_row {
    char *rule; /* owned */
    uint64_t counts[CHANGE_COUNT];
    uint64_t first_us, last_us;
    struct replay_example examples[REPLAY_EXAMPLES_MAX];
    size_t example_count;
    struct replay_user *users; /* by hash of the name; owned */
    size_t user_count;
    uint64_t other_users; /* changes of users beyond the maximum */
};

/* A rule that the log lacks a fact for. */
struct replay_gap {
    char *rule; /* owned */
    char *fact; /* owned */
    uint64_t transactions;
};

struct replay {
    const struct settings *settings;
    uint64_t transactions, sessions;
    uint64_t first_us, last_us; /* of the log */
    /* Of transactions; each counts once, as the first of these that holds. */
    uint64_t counts[CHANGE_COUNT];
    /* Of sessions outside transactions: connections, greetings, logins. */
    uint64_t session_counts[CHANGE_COUNT];
    uint64_t not_judged; /* transactions that some rule could not judge */
    uint64_t assumed;    /* taken as accepted: no upstream was asked then */
    uint64_t not_asked;  /* questions to policy servers without an answer */
    uint64_t unreadable; /* lines */
    uint64_t primed;     /* budgets that had been used before the log began */
    struct replay_row *rows;
    size_t row_count, row_capacity;
    uint64_t rows_left_out;
    struct replay_gap *gaps;
    size_t gap_count, gap_capacity;
};

struct replay_finding {
    enum replay_change change;
    struct str rule;
    uint64_t time_us;
    struct str id, user;
    struct str before, after;
};

/* Notes one for its rule; the counts of the whole are the caller's. 0, or -1:
 * out of memory. */
int replay_note(struct replay *replay, const struct replay_finding *finding);
int replay_note_gap(struct replay *replay, struct str rule, struct str fact);
bool replay_has_changes(const struct replay *replay);
/* The most frequent first; `top` has room for `count`. Returns how many. */
size_t replay_busiest(const struct replay_row *row,
                      const struct replay_user **top, size_t count);

#endif
