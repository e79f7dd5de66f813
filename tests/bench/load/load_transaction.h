/* A session's transactions, one after the other, and what ends them. */
#ifndef BENCH_LOAD_LOAD_TRANSACTION_H
#define BENCH_LOAD_LOAD_TRANSACTION_H

#include "tests/bench/load/load_dialogue.h"

/* The next one; where there is none for it, the session is held or quits. */
void load_transaction_next(struct load_session *session);

on_reply load_transaction_on_mail, load_transaction_on_rcpt,
    load_transaction_on_data, load_transaction_on_body,
    load_transaction_on_rset;

#endif
