#include "tests/bench/load/load_dialogue.h"

#include <string.h>
#include <strings.h>

#include "tests/bench/load/load_opening.h"
#include "tests/bench/load/load_transaction.h"

static void on_quit(struct load_session *session, int class, const char *line)
{
    (void)class;
    (void)line;
    load_session_end(session);
}

static const struct {
    const char *name;
    on_reply *on_reply; /* NULL: none is due */
} states[LOAD_STATES] = {
    [STATE_FREE] = {"no connection", NULL},
    [STATE_CONNECTING] = {"connect", NULL},
    [STATE_SECURING] = {"TLS", NULL},
    [STATE_GREETING] = {"greeting", load_opening_on_greeting},
    [STATE_EHLO] = {"EHLO", load_opening_on_ehlo},
    [STATE_STARTTLS] = {"STARTTLS", load_opening_on_starttls},
    [STATE_AUTH_NAME] = {"AUTH", load_opening_on_auth_name},
    [STATE_AUTH_PASSWORD] = {"AUTH", load_opening_on_auth_password},
    [STATE_AUTH] = {"AUTH", load_opening_on_auth},
    [STATE_READY] = {"barrier", NULL},
    [STATE_MAIL] = {"MAIL", load_transaction_on_mail},
    [STATE_RCPT] = {"RCPT", load_transaction_on_rcpt},
    [STATE_DATA] = {"DATA", load_transaction_on_data},
    [STATE_BODY] = {"body", load_transaction_on_body},
    [STATE_RSET] = {"RSET", load_transaction_on_rset},
    [STATE_QUIT] = {"QUIT", on_quit},
    [STATE_IDLE] = {"idle", NULL},
};

const char *load_dialogue_state(enum load_state state)
{
    return states[state].name;
}

/* Of a line of EHLO's reply. */
static void note_offer(struct load_session *session, const char *word)
{
    if (strcasecmp(word, "PIPELINING") == 0)
        session->offers_pipelining = true;
    if (strcasecmp(word, "CHUNKING") == 0)
        session->offers_chunking = true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void load_dialogue_line(struct load_session *session, char *line)
{
    struct load *load = session->load;
    line[strcspn(line, "\r")] = '\0';
    if (!is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) {
        load_session_fail(session, "no reply", line);
        return;
    }
    if (session->state == STATE_EHLO && line[3] != '\0')
        note_offer(session, line + 4);
    if (line[3] == '-')
        return;
    int class = line[0] - '0';
    if (class != CLASS_DONE && class != CLASS_GO_ON) {
        load->negative_replies++;
        complaints_add(&load->complaints, "reply", line);
    }
    if (states[session->state].on_reply == NULL)
        load_session_fail(session, "a reply to nothing", line);
    else
        states[session->state].on_reply(session, class, line);
}
