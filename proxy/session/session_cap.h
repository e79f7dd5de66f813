/* The caps and deadlines that a client can cross (design section 6), by the
 * keys of postern.yaml that set them, so that the log says which it was. */
#ifndef PROXY_SESSION_SESSION_CAP_H
#define PROXY_SESSION_SESSION_CAP_H

#include <stdint.h>

struct session;

enum session_cap {
    CAP_NONE,
    CAP_COMMAND_LINE,
    CAP_AUTH_LINE,
    CAP_HEADER_BYTES,
    CAP_HEADER_FIELDS,
    CAP_HOPS,
    CAP_BODY_LINE,
    CAP_RECIPIENTS,
    CAP_MESSAGE,
    CAP_DRAIN,
    CAP_DATA_RATE,
    CAP_BAD_COMMANDS_BEFORE_AUTH,
    CAP_BAD_COMMANDS_AFTER_AUTH,
    CAP_COMMANDS_WITHOUT_MAIL,
    CAP_CONNECTIONS_PER_NET,
    CAP_ATTEMPTS,
    /* Of a fixed size. */
    CAP_CHUNKS,         /* small ones */
    CAP_UNREAD_REPLIES, /* the client takes none of them */
    CAP_MEMORY,         /* of names that a session keeps */
    /* Deadlines. */
    CAP_PROXY_HEADER,
    CAP_TLS_HANDSHAKE,
    CAP_FIRST_COMMAND,
    CAP_UNTIL_AUTH,
    CAP_UNTIL_AUTH_CROWDED,
    CAP_COMMAND,
    CAP_DATA,
    /* Not the client's fault: its mail would not stand in the log. */
    CAP_LOG_STRICT,
    CAP_COUNT
};

/* As the log says it: "caps.message", "timeouts.data". */
const char *session_cap_name(enum session_cap cap);

/* It was crossed: for the line of the session and that of the transaction
 * under way. */
void session_note_cap(struct session *s, enum session_cap cap);

/* A set of them is a word of bits. */
static inline uint64_t session_cap_bit(enum session_cap cap)
{
    return UINT64_C(1) << cap;
}

#endif
