/* What each verb needs and does: one row a verb. The dispatcher holds the
 * state and the gates against the row, then calls its handler. */
#ifndef PROXY_SESSION_COMMAND_TABLE_H
#define PROXY_SESSION_COMMAND_TABLE_H

#include "proxy/session/session_internal.h"
#include "proxy/smtp/command.h"

/* Dispatches one command line (without CRLF). */
void command_dispatch(struct session *s, struct str line);

/* Counts a command that brings no mail forward; true when it was one too many
 * and the session has been hung up. */
bool command_is_one_too_many(struct session *s);

/* The handlers: each checks its argument, asks the rules and acts. */
void cmd_ehlo(struct session *s, const struct command *command);
void cmd_starttls(struct session *s, const struct command *command);
void cmd_auth(struct session *s, const struct command *command);
void cmd_mail(struct session *s, const struct command *command);
void cmd_rcpt(struct session *s, const struct command *command);
void cmd_data(struct session *s, const struct command *command);
void cmd_bdat(struct session *s, const struct command *command);
void cmd_rset(struct session *s, const struct command *command);
void cmd_noop(struct session *s, const struct command *command);
void cmd_vrfy(struct session *s, const struct command *command);
void cmd_help(struct session *s, const struct command *command);
void cmd_quit(struct session *s, const struct command *command);
void cmd_not_built(struct session *s, const struct command *command);

/* BDAT was refused: the octets of its chunk are no commands. */
void bdat_swallow(struct session *s, const struct command *command);
/* A chunk behind one that was refused. */
void bdat_refuse_late(struct session *s, const struct command *command);

/* A line while SESSION_RESPONSE. */
void auth_respond(struct session *s, struct str line);
/* The same for one that is too long, or holds what no line may. */
void auth_refuse_line(struct session *s, bool is_too_long);

#endif
