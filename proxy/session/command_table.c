#include "proxy/session/command_table.h"

#include "proxy/session/session_open.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

#define IN(state) (1u << (state))
#define IDLE                                                                   \
    (IN(SESSION_NEW) | IN(SESSION_READY) | IN(SESSION_ENVELOPE) |              \
     IN(SESSION_CHUNKS))

/* What must be so before a verb is looked at. */
enum gate {
    GATE_SECURE = 1,   /* TLS first, where the listener has it */
    GATE_LOGIN = 2,    /* a login first, where the listener wants one */
    GATE_ARGUMENT = 4, /* an argument is needed */
    GATE_BARE = 8,     /* no argument is allowed */
    GATE_OVERLAPS = 16 /* may run while recipients wait for answers */
};

struct command_row {
    unsigned states; /* where it is legal */
    unsigned gates;
    const char *sequence; /* the words of 503 elsewhere */
    void (*run)(struct session *s, const struct command *command);
};

static const struct command_row COMMANDS[VERB_COUNT] = {
    [VERB_EHLO] = {IDLE, GATE_ARGUMENT, "", cmd_ehlo},
    [VERB_HELO] = {IDLE, GATE_ARGUMENT, "", cmd_ehlo},
    [VERB_STARTTLS] = {IN(SESSION_READY) | IN(SESSION_NEW), GATE_BARE,
                       "STARTTLS is not allowed in a mail transaction",
                       cmd_starttls},
    [VERB_AUTH] = {IN(SESSION_READY), GATE_ARGUMENT,
                   "EHLO first, and AUTH outside a mail transaction", cmd_auth},
    [VERB_MAIL] = {IN(SESSION_READY), GATE_SECURE | GATE_LOGIN | GATE_ARGUMENT,
                   "EHLO first, and one MAIL a transaction", cmd_mail},
    [VERB_RCPT] = {IN(SESSION_ENVELOPE),
                   GATE_SECURE | GATE_LOGIN | GATE_ARGUMENT | GATE_OVERLAPS,
                   "MAIL first", cmd_rcpt},
    [VERB_DATA] = {IN(SESSION_ENVELOPE), GATE_SECURE | GATE_LOGIN | GATE_BARE,
                   "MAIL and RCPT first", cmd_data},
    [VERB_RSET] = {IDLE, GATE_BARE, "", cmd_rset},
    [VERB_NOOP] = {IDLE, 0, "", cmd_noop},
    [VERB_VRFY] = {IDLE, GATE_SECURE | GATE_LOGIN | GATE_ARGUMENT, "",
                   cmd_vrfy},
    [VERB_EXPN] = {IDLE, 0, "", cmd_not_built},
    [VERB_HELP] = {IDLE, 0, "", cmd_help},
    [VERB_QUIT] = {IDLE, GATE_BARE, "", cmd_quit},
    [VERB_BDAT] = {IN(SESSION_ENVELOPE) | IN(SESSION_CHUNKS),
                   GATE_SECURE | GATE_LOGIN | GATE_ARGUMENT,
                   "MAIL and RCPT first", cmd_bdat},
    [VERB_UNKNOWN] = {IDLE, 0, "", cmd_not_built},
    [VERB_FOREIGN] = {IDLE, 0, "", cmd_not_built},
};

static bool gates_pass(struct session *s, const struct command_row *row,
                       const struct command *command)
{
    const struct listener_settings *listener = s->listener;
    if ((row->gates & GATE_SECURE) && listener->tls != LISTENER_CLEAR &&
        !stream_is_secure(s->stream))
        session_bad_command(s, 530, "5.7.0", "Give STARTTLS first");
    else if (s->state == SESSION_NEW && (row->states & IN(SESSION_NEW)) == 0)
        session_bad_command(s, 503, "5.5.1", "EHLO first");
    else if ((row->gates & GATE_LOGIN) && session_needs_login(s) &&
             s->user.n == 0)
        session_bad_command(s, 530, "5.7.0", "Log in with AUTH first");
    else if ((row->states & IN(s->state)) == 0)
        session_bad_command(s, 503, "5.5.1", row->sequence);
    else if ((row->gates & GATE_ARGUMENT) && command->argument.n == 0)
        session_bad_command(s, 501, "5.5.4", "An argument is missing");
    else if ((row->gates & GATE_BARE) && command->argument.n > 0)
        session_bad_command(s, 501, "5.5.4", "No argument is allowed");
    else
        return true;
    return false;
}

static bool is_over_long(const struct session *s, struct str line)
{
    return line.n + 2 > session_settings(s)->caps.command_line;
}

/* RFC 2920: answers leave in the order of the commands. Only a RCPT that its
 * gates let pass may run while recipients are still with the upstream, for
 * its answer is kept with theirs. */
static bool must_wait(const struct session *s, const struct command_row *row,
                      const struct command *command, struct str line)
{
    bool overlaps = (row->gates & GATE_OVERLAPS) != 0 &&
                    command->argument.n > 0 && !is_over_long(s, line);
    return s->transaction != NULL && !overlaps &&
           transaction_is_waiting(s->transaction);
}

static bool hold_line(struct session *s, struct str line)
{
    s->held_line = arena_str(&s->transaction->arena, line);
    if (s->held_line.p == NULL)
        return false;
    s->held = LINE_READY;
    return true;
}

bool command_is_one_too_many(struct session *s)
{
    const struct caps_settings *caps = &session_settings(s)->caps;
    if (++s->commands_without_mail <= caps->commands_without_mail)
        return false;
    session_note_cap(s, CAP_COMMANDS_WITHOUT_MAIL);
    session_hang_up(s, SESSION_END_CAP, "4.7.0",
                    "Too many commands without a mail");
    return true;
}

static void refuse_line(struct session *s, const struct command *command,
                        struct str line)
{
    if (command->verb == VERB_MAIL)
        session_bad_command(s, 501, "5.5.2",
                            "Syntax: MAIL FROM:<user@example.com>");
    else if (command->verb == VERB_RCPT)
        session_bad_command(s, 501, "5.5.2",
                            "Syntax: RCPT TO:<user@example.com>");
    else
        session_bad_command(s, 500, "5.5.2", "Command not understood");
    if (command_announces_chunk(line))
        bdat_swallow(s, command);
}

static void refuse_long_line(struct session *s, const struct command *command)
{
    session_note_cap(s, CAP_COMMAND_LINE);
    session_bad_command(s, 500, "5.5.2", "Line too long");
    if (command->verb == VERB_BDAT)
        bdat_swallow(s, command);
}

static void dispatch_refused(struct session *s, const struct command *command)
{
    if (command->verb == VERB_QUIT) {
        cmd_quit(s, command);
        return;
    }
    session_bad_command(s, 503, "5.5.1", "No service here, only QUIT");
    if (command->verb == VERB_BDAT)
        bdat_swallow(s, command);
}

void command_dispatch(struct session *s, struct str line)
{
    struct command command;
    int parsed = command_parse(line, &command);
    if (parsed == 0 && command.verb == VERB_FOREIGN) {
        session_hang_up(s, SESSION_END_PROTOCOL, "4.7.0",
                        "This is an SMTP server");
        return;
    }
    const struct command_row *row =
        &COMMANDS[parsed == 0 ? command.verb : VERB_UNKNOWN];
    if (must_wait(s, row, &command, line)) {
        if (!hold_line(s, line))
            session_hang_up(s, SESSION_END_FAULT, "4.3.0", "Out of memory");
        return;
    }
    s->commands++;
    bool is_of_a_mail = command.verb == VERB_RCPT ||
                        (command.verb == VERB_BDAT && !s->is_behind_refused);
    if (!is_of_a_mail && command_is_one_too_many(s))
        return;
    if (parsed != 0)
        refuse_line(s, &command, line);
    else if (command.verb != VERB_AUTH && is_over_long(s, line))
        refuse_long_line(s, &command);
    else if (s->state == SESSION_REFUSED)
        dispatch_refused(s, &command);
    else if (command.verb == VERB_BDAT && s->is_behind_refused)
        bdat_refuse_late(s, &command);
    else if (gates_pass(s, row, &command))
        row->run(s, &command);
    else if (command.verb == VERB_BDAT)
        bdat_swallow(s, &command);
}
