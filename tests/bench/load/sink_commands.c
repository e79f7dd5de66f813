#include "tests/bench/load/sink_commands.h"

#include <string.h>
#include <strings.h>

#include "tests/bench/load/number.h"

/* `rest` is the line behind the verb. */
typedef void on_command(struct sink_session *session, const char *rest);

static void reply(struct sink_session *session, const char *text)
{
    octets_print(&session->out, "%s\r\n", text);
}

static bool offers_auth(const struct sink_session *session)
{
    const struct sink_options *options = session->sink->options;
    return options->offers_auth &&
           (session->wire.tls != NULL || options->tls_port == 0);
}

static bool offers_starttls(const struct sink_session *session)
{
    return session->sink->options->offers_starttls && session->wire.tls == NULL;
}

static void on_ehlo(struct sink_session *session, const char *rest)
{
    const struct sink_options *options = session->sink->options;
    (void)rest;
    sink_session_reset(session);
    reply(session, "250-sink.test");
    if (!options->lacks_pipelining)
        reply(session, "250-PIPELINING");
    if (!options->lacks_chunking)
        reply(session, "250-CHUNKING");
    if (offers_starttls(session))
        reply(session, "250-STARTTLS");
    if (offers_auth(session))
        reply(session, "250-AUTH PLAIN LOGIN");
    reply(session, "250-SIZE 1073741824");
    reply(session, "250-8BITMIME");
    reply(session, "250-SMTPUTF8");
    reply(session, "250-DSN");
    reply(session,
          "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
    reply(session, "250 ENHANCEDSTATUSCODES");
}

static void on_helo(struct sink_session *session, const char *rest)
{
    (void)rest;
    sink_session_reset(session);
    reply(session, "250 sink.test");
}

static void on_mail(struct sink_session *session, const char *rest)
{
    (void)rest;
    if (session->is_in_mail) {
        reply(session, "503 5.5.1 There is a MAIL already");
        return;
    }
    session->is_in_mail = true;
    reply(session, "250 2.1.0 Ok");
}

static void on_rcpt(struct sink_session *session, const char *rest)
{
    const char *refused = session->sink->options->refused;
    if (!session->is_in_mail || session->is_in_message) {
        reply(session, "503 5.5.1 No place for RCPT");
    } else if (refused != NULL && strcasestr(rest, refused) != NULL) {
        reply(session, "550 5.1.1 Refused by the sink");
    } else {
        session->recipients++;
        reply(session, "250 2.1.5 Ok");
    }
}

static void begin_message(struct sink_session *session)
{
    session->is_in_message = true;
    session->dots = (struct sink_dots){.place = DOTS_LINE_START};
    sink_message_begin(&session->message, session->sink->options->verifies);
}

static void on_data(struct sink_session *session, const char *rest)
{
    (void)rest;
    if (session->recipients == 0 || session->is_in_message) {
        reply(session, "503 5.5.1 No place for DATA");
        return;
    }
    begin_message(session);
    session->state = SINK_DATA;
    reply(session, "354 End with a dot on a line of its own");
}

void sink_commands_end_chunk(struct sink_session *session)
{
    bool is_lost = session->state == SINK_LOST_CHUNK;
    session->state = SINK_COMMAND;
    if (is_lost)
        reply(session, "503 5.5.1 No place for BDAT");
    else if (session->is_last_chunk)
        sink_session_end_message(session);
    else
        reply(session, "250 2.0.0 Ok");
}

static void on_bdat(struct sink_session *session, const char *rest)
{
    const char *end;
    if (session->sink->options->lacks_chunking) {
        reply(session, "502 5.5.1 Not offered");
        return;
    }
    bool is_number =
        rest[0] == ' ' && number_read(rest + 1, &session->chunk_left, &end);
    session->is_last_chunk = is_number && strcasecmp(end, " LAST") == 0;
    if (!is_number || (!session->is_last_chunk && *end != '\0')) {
        /* Nobody knows where the chunk ends. */
        reply(session, "501 5.5.4 BDAT size [LAST]");
        session->state = SINK_CLOSING;
        return;
    }
    session->state = session->recipients == 0 ? SINK_LOST_CHUNK : SINK_CHUNK;
    if (session->state == SINK_CHUNK && !session->is_in_message)
        begin_message(session);
    if (session->chunk_left == 0)
        sink_commands_end_chunk(session);
}

static void on_rset(struct sink_session *session, const char *rest)
{
    (void)rest;
    sink_session_reset(session);
    reply(session, "250 2.0.0 Ok");
}

static void on_noop(struct sink_session *session, const char *rest)
{
    (void)rest;
    reply(session, "250 2.0.0 Ok");
}

static void on_vrfy(struct sink_session *session, const char *rest)
{
    (void)rest;
    reply(session, "252 2.1.5 Perhaps");
}

static void on_quit(struct sink_session *session, const char *rest)
{
    (void)rest;
    reply(session, "221 2.0.0 Bye");
    session->state = SINK_CLOSING;
}

static void on_starttls(struct sink_session *session, const char *rest)
{
    (void)rest;
    if (!offers_starttls(session)) {
        reply(session, "502 5.5.1 Not offered");
        return;
    }
    sink_session_reset(session);
    reply(session, "220 2.0.0 Go on");
    session->state = SINK_STARTTLS;
}

static void take_login(struct sink_session *session)
{
    session->state = SINK_COMMAND;
    sink_count(&session->sink->counters.logins, 1);
    reply(session, "235 2.7.0 Ok");
}

static void ask(struct sink_session *session, enum sink_state state,
                const char *challenge)
{
    session->state = state;
    octets_print(&session->out, "334 %s\r\n", challenge);
}

static void on_auth(struct sink_session *session, const char *rest)
{
    bool is_plain = strncasecmp(rest, " PLAIN", 6) == 0;
    bool is_login = strncasecmp(rest, " LOGIN", 6) == 0;
    bool has_response = (is_plain || is_login) && rest[6] == ' ';
    if (!offers_auth(session))
        reply(session, "502 5.5.1 Not offered");
    else if (is_plain && has_response)
        take_login(session);
    else if (is_plain)
        ask(session, SINK_AUTH_LAST, "");
    else if (is_login && has_response)
        ask(session, SINK_AUTH_LAST, "UGFzc3dvcmQ6");
    else if (is_login)
        ask(session, SINK_AUTH_NAME, "VXNlcm5hbWU6");
    else
        reply(session, "504 5.5.4 PLAIN or LOGIN");
}

static void take_response(struct sink_session *session, const char *line)
{
    if (strcmp(line, "*") == 0) {
        session->state = SINK_COMMAND;
        reply(session, "501 5.7.0 Given up");
    } else if (session->state == SINK_AUTH_NAME) {
        ask(session, SINK_AUTH_LAST, "UGFzc3dvcmQ6");
    } else {
        take_login(session);
    }
}

/* After it a session begins anew. */
static void on_xclient(struct sink_session *session, const char *rest)
{
    (void)rest;
    sink_count(&session->sink->counters.xclients, 1);
    sink_session_reset(session);
    reply(session, "220 sink.test ESMTP");
}

/* The counters, for scripts. */
static void on_xstat(struct sink_session *session, const char *rest)
{
    char text[SINK_COUNTERS_ROOM];
    (void)rest;
    sink_counters_print(&session->sink->counters, text, sizeof text);
    octets_print(&session->out, "250 %s\r\n", text);
}

static const struct {
    const char *verb;
    on_command *run;
} commands[] = {
    {"MAIL", on_mail},         {"RCPT", on_rcpt},       {"DATA", on_data},
    {"BDAT", on_bdat},         {"EHLO", on_ehlo},       {"QUIT", on_quit},
    {"RSET", on_rset},         {"AUTH", on_auth},       {"NOOP", on_noop},
    {"STARTTLS", on_starttls}, {"XCLIENT", on_xclient}, {"XSTAT", on_xstat},
    {"HELO", on_helo},         {"VRFY", on_vrfy},
};

void sink_commands_run(struct sink_session *session, char *line)
{
    line[strcspn(line, "\r")] = '\0';
    sink_count(&session->sink->counters.commands, 1);
    if (session->state != SINK_COMMAND) {
        take_response(session, line);
        return;
    }
    size_t size = strcspn(line, " :");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *verb = commands[i].verb;
        if (size == strlen(verb) && strncasecmp(line, verb, size) == 0) {
            commands[i].run(session, line + size);
            return;
        }
    }
    reply(session, "502 5.5.2 Unknown");
}
