/* STARTTLS (RFC 3207). */
#include "proxy/session/command_table.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

void cmd_starttls(struct session *s, const struct command *command)
{
    (void)command;
    if (s->listener->tls != LISTENER_STARTTLS) {
        session_bad_command(s, 502, "5.5.1", "STARTTLS is not offered here");
        return;
    }
    if (stream_is_secure(s->stream)) {
        session_bad_command(s, 503, "5.5.1", "TLS is already on");
        return;
    }
    /* Octets behind STARTTLS came in clear text: somebody may have put them
     * there to be read as if they had come through TLS (CVE-2011-0411). */
    if (stream_input(s->stream).n > 0 || !line_reader_is_empty(&s->reader)) {
        session_hang_up(s, SESSION_END_PROTOCOL, "4.7.0",
                        "Nothing may follow STARTTLS before TLS");
        return;
    }
    session_reply(s, 220, "2.0.0", "Ready to start TLS");
    if (s->stream == NULL)
        return;
    /* Nothing said before TLS counts (RFC 3207 4.2). */
    facts_forget_from(&s->facts, STAGE_HELO);
    s->has_offered = false;
    session_enter(s, SESSION_SECURING);
    if (stream_secure(s->stream, session_tls(s), NULL) != 0)
        session_abort(s, SESSION_END_PROTOCOL);
}
