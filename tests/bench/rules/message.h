/* One message on its way through a policy: what a session knows of it, stage
 * by stage, and every stage's rules asked, their limits answered and settled.
 */
#ifndef TESTS_BENCH_MESSAGE_H
#define TESTS_BENCH_MESSAGE_H

#include "config/settings.h"

struct message;

/* The program ends where it can't. Borrows the settings. */
struct message *message_new(const struct settings *settings);
void message_free(struct message *message);

/* From MAIL to the answer behind the last dot. It passes, or the program
 * ends. */
void message_run(struct message *message);
/* How many rules acted in the last one. */
size_t message_acted(const struct message *message);

/* Microseconds of processor time that one takes, the best of several turns:
 * whatever else the machine does only ever adds. */
double message_cost_us(struct message *message);

#endif
