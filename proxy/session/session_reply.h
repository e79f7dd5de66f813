/* Replies to the client. Those that refuse end with the id of the
 * transaction, or of the session, under which the log tells the story. */
#ifndef PROXY_SESSION_SESSION_REPLY_H
#define PROXY_SESSION_SESSION_REPLY_H

#include "proxy/session/session_internal.h"
#include "rules/evaluate.h"

/* "250 2.0.0 Ok": one of our own, from a literal. */
void session_reply(struct session *s, int code, const char *enhanced,
                   const char *text);
/* The same with a made-up text, of at most a few lines. */
void session_replyf(struct session *s, int code, const char *enhanced,
                    const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* One of our own, as a value: a refusal gets its id. */
void session_reply_ours(struct session *s, const struct reply *reply);
/* An upstream's reply, verbatim: no id. */
void session_reply_upstream(struct session *s, const struct reply *reply);
/* What the rules said; a fault becomes 451 4.3.5. */
void session_reply_verdict(struct session *s, const struct verdict *verdict);

/* The reply a verdict asks for, without id; borrows from the verdict. */
struct reply reply_of_verdict(const struct verdict *verdict);

/* The id that belongs behind a refusal now. */
const char *session_current_id(const struct session *s);

/* A command that could not be understood or may not be given now: the reply,
 * and 421 once there were too many. */
void session_bad_command(struct session *s, int code, const char *enhanced,
                         const char *text);
/* 421, then the end. */
void session_hang_up(struct session *s, enum session_end end,
                     const char *enhanced, const char *text);

#endif
