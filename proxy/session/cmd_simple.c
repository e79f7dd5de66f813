/* The verbs that need few words: RSET, NOOP, VRFY, EXPN, HELP, QUIT, and those
 * that Postern does not have. */
#include "proxy/session/command_table.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

void cmd_rset(struct session *s, const struct command *command)
{
    (void)command;
    s->is_behind_refused = false;
    if (s->transaction != NULL) {
        transaction_end(s);
        session_enter(s, SESSION_READY);
    }
    session_reply(s, 250, "2.0.0", "Ok");
}

void cmd_noop(struct session *s, const struct command *command)
{
    (void)command;
    session_reply(s, 250, "2.0.0", "Ok");
}

/* Nobody learns here who exists (RFC 5321 7.3). */
void cmd_vrfy(struct session *s, const struct command *command)
{
    (void)command;
    session_reply(s, 252, "2.0.0", "Send the mail and see");
}

void cmd_help(struct session *s, const struct command *command)
{
    (void)command;
    session_reply(s, 214, "2.0.0",
                  "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY "
                  "QUIT");
}

void cmd_quit(struct session *s, const struct command *command)
{
    (void)command;
    session_reply(s, 221, "2.0.0", "Bye");
    session_close(s, SESSION_END_QUIT);
}

void cmd_not_built(struct session *s, const struct command *command)
{
    if (command->verb == VERB_EXPN)
        session_bad_command(s, 502, "5.5.1", "EXPN is not offered here");
    else
        session_bad_command(s, 500, "5.5.2", "Command not understood");
}
