/* Telling an upstream who the client is: Postfix's XCLIENT extension, as its
 * XCLIENT_README has it. Only what was offered is told, and of that all, so
 * that nothing of the client before it stays. Pure. */
#ifndef PROXY_SMTP_XCLIENT_H
#define PROXY_SMTP_XCLIENT_H

#include "rules/cidr.h"

/* The longest XCLIENT that goes out, with CRLF, and all that one client may
 * need. */
#define XCLIENT_COMMAND_MAX 512
#define XCLIENT_COMMANDS_MAX (4 * XCLIENT_COMMAND_MAX)

/* What an upstream may want to know; bits of capabilities.xclient. */
enum xclient_attribute {
    XCLIENT_DESTADDR = 1 << 0,
    XCLIENT_DESTPORT = 1 << 1,
    XCLIENT_NAME = 1 << 2,
    XCLIENT_REVERSE_NAME = 1 << 3,
    XCLIENT_PORT = 1 << 4,
    XCLIENT_PROTO = 1 << 5,
    XCLIENT_HELO = 1 << 6,
    XCLIENT_ADDR = 1 << 7,
    XCLIENT_LOGIN = 1 << 8
};

/* A client, as the upstream shall see it. Borrowed texts. */
struct client_identity {
    struct str address; /* without brackets or a tag; n 0: unknown */
    bool is_v6;
    uint16_t port; /* 0: unknown */
    struct str helo;
    bool is_extended;     /* it said EHLO, not HELO */
    struct str login;     /* proven; n 0: none */
    struct ip server;     /* what it connected to */
    uint16_t server_port; /* 0: unknown */
};

/* Whether all is the same that XCLIENT tells. */
bool client_identity_equals(const struct client_identity *a,
                            const struct client_identity *b);
/* Whether all is the same that a PROXY header tells: one TCP connection. */
bool client_identity_is_same_connection(const struct client_identity *a,
                                        const struct client_identity *b);
/* Its HELO name, or nothing where that is no name to be passed on. */
struct str client_identity_helo(const struct client_identity *client);

/* The attributes behind the keyword in an answer to EHLO; unknown ones are
 * passed over. */
unsigned xclient_offered(struct str names);

/* Writes the commands, CRLF behind each: one, or as many as the length of a
 * command asks for. 0, or -1: there is nothing to tell, a value is longer
 * than a command, or a login that would read as none. */
int xclient_write(const struct client_identity *client, unsigned offered,
                  char to[XCLIENT_COMMANDS_MAX], size_t *length);

#endif
