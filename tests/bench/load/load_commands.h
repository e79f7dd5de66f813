/* The commands of a transaction, and its message, as they are written. */
#ifndef BENCH_LOAD_LOAD_COMMANDS_H
#define BENCH_LOAD_LOAD_COMMANDS_H

#include "tests/bench/load/load_session.h"

/* Whether commands are written before the replies to those before them. */
bool load_commands_is_pipelined(const struct load_session *session);

/* MAIL, and all up to DATA, or the chunk, where it is pipelined. */
void load_commands_put_envelope(struct load_session *session);
void load_commands_put_recipient(struct load_session *session, uint64_t n);
/* The message: a chunk, or what follows DATA. */
void load_commands_put_message(struct load_session *session);

#endif
