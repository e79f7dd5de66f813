/* A session with a transaction that has just ended, with all that its line in
 * the decision log tells: one recipient, two rules that acted, two budgets, two
 * header fields that rules name. */
#ifndef TESTS_BENCH_LOGGED_TRANSACTION_H
#define TESTS_BENCH_LOGGED_TRANSACTION_H

#include "proxy/session/session.h"

struct logged_transaction;

/* The program ends where it can't. */
struct logged_transaction *logged_transaction_new(struct decision_lane *lane);
void logged_transaction_free(struct logged_transaction *logged);

/* What a worker does for the log: notes the header as it came in, at its
 * stage, and writes the line at the end. */
void logged_transaction_capture(struct logged_transaction *logged);
void logged_transaction_write(struct logged_transaction *logged);

#endif
