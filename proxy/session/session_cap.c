#include "proxy/session/session_cap.h"

#include "proxy/session/session_metrics.h"
#include "proxy/session/transaction.h"

static const char *const NAMES[CAP_COUNT] = {
    [CAP_COMMAND_LINE] = "caps.command_line",
    [CAP_AUTH_LINE] = "caps.auth_line",
    [CAP_HEADER_BYTES] = "caps.header_bytes",
    [CAP_HEADER_FIELDS] = "caps.header_fields",
    [CAP_HOPS] = "caps.hops",
    [CAP_BODY_LINE] = "caps.body_line",
    [CAP_RECIPIENTS] = "caps.recipients",
    [CAP_MESSAGE] = "caps.message",
    [CAP_DRAIN] = "caps.drain",
    [CAP_DATA_RATE] = "caps.data_rate",
    [CAP_BAD_COMMANDS_BEFORE_AUTH] = "caps.bad_commands_before_auth",
    [CAP_BAD_COMMANDS_AFTER_AUTH] = "caps.bad_commands_after_auth",
    [CAP_COMMANDS_WITHOUT_MAIL] = "caps.commands_without_mail",
    [CAP_CONNECTIONS_PER_NET] = "caps.connections_per_net",
    [CAP_ATTEMPTS] = "auth.attempts",
    [CAP_CHUNKS] = "small chunks",
    [CAP_UNREAD_REPLIES] = "unread replies",
    [CAP_MEMORY] = "memory",
    [CAP_PROXY_HEADER] = "timeouts.proxy_header",
    [CAP_TLS_HANDSHAKE] = "timeouts.tls_handshake",
    [CAP_FIRST_COMMAND] = "timeouts.first_command",
    [CAP_UNTIL_AUTH] = "timeouts.until_auth",
    [CAP_UNTIL_AUTH_CROWDED] = "timeouts.until_auth_crowded",
    [CAP_COMMAND] = "timeouts.command",
    [CAP_DATA] = "timeouts.data",
    [CAP_LOG_STRICT] = "log.strict",
};

_Static_assert(CAP_COUNT <= 64, "a set of them is one word");

const char *session_cap_name(enum session_cap cap)
{
    return NAMES[cap];
}

void session_note_cap(struct session *s, enum session_cap cap)
{
    if ((s->caps & session_cap_bit(cap)) == 0)
        session_count_cap(s, cap);
    s->caps |= session_cap_bit(cap);
    if (s->transaction != NULL)
        s->transaction->caps |= session_cap_bit(cap);
}
