/* From 354 to the answer at end of data: dots out, header block vetted, body
 * streamed to the delivery with back-pressure, in bounded memory. */
#ifndef PROXY_SESSION_BODY_PUMP_H
#define PROXY_SESSION_BODY_PUMP_H

#include "proxy/session/session_internal.h"

/* DATA was answered 354, or the first BDAT was vetted. */
void body_pump_start(struct session *s);
/* A chunk of t->chunk_size octets follows, the first or another one. */
void body_pump_chunk(struct session *s);
/* Takes what input there is; false when it waits for more, or for room. */
bool body_pump_run(struct session *s);

/* The vetted header block is in `unsent`: it and the body go on. */
void body_pump_begin_body(struct session *s);

/* No upstream will get this message: what is left of it is swallowed, then
 * the reply that was decided leaves. refuse decides it too. */
void body_pump_drop(struct session *s);
void body_pump_refuse(struct session *s, enum stage stage, int code,
                      const char *enhanced, const char *text);
/* The same by 552, for a cap that was crossed. */
void body_pump_refuse_over(struct session *s, enum stage stage,
                           enum session_cap cap, const char *text);
void body_pump_refuse_by_verdict(struct session *s, enum stage stage,
                                 const struct verdict *verdict);
/* The upstream answered before the end: as drop, and the reply leaves now if
 * the end was read already. */
void body_pump_give_up(struct session *s);
/* The message is over, one way or the other: its reply leaves. */
void body_pump_conclude(struct session *s);

#endif
