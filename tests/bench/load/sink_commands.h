/* The commands that the sink knows. */
#ifndef BENCH_LOAD_SINK_COMMANDS_H
#define BENCH_LOAD_SINK_COMMANDS_H

#include "tests/bench/load/sink_session.h"

/* A whole line, in a state that wants one. */
void sink_commands_run(struct sink_session *session, char *line);
/* The last octet of a chunk was taken. */
void sink_commands_end_chunk(struct sink_session *session);

#endif
