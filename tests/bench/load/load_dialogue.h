/* What a session answers to what it hears: a row of a table for each state. */
#ifndef BENCH_LOAD_LOAD_DIALOGUE_H
#define BENCH_LOAD_LOAD_DIALOGUE_H

#include "tests/bench/load/load_session.h"

/* The first digit of a reply's code. */
enum reply_class { CLASS_DONE = 2, CLASS_GO_ON = 3 };

/* What a session does in its state at a reply, of which this is the last
 * line. The session may be free afterwards. */
typedef void on_reply(struct load_session *session, int class,
                      const char *line);

/* One line of a reply, without its line feed. The session may be free
 * afterwards. */
void load_dialogue_line(struct load_session *session, char *line);
/* What a session is about, for people. */
const char *load_dialogue_state(enum load_state state);

#endif
