/* A command line: its verb and argument (RFC 5321 4.1.1). Pure. */
#ifndef PROXY_SMTP_COMMAND_H
#define PROXY_SMTP_COMMAND_H

#include "rules/base/str.h"

enum verb {
    VERB_EHLO,
    VERB_HELO,
    VERB_STARTTLS,
    VERB_AUTH,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_QUIT,
    VERB_FOREIGN, /* GET, POST, CONNECT, a TLS record: another protocol */
    VERB_UNKNOWN,
    VERB_COUNT
};

struct command {
    enum verb verb;
    /* Behind the verb, one space skipped, trailing white space removed. For
     * MAIL and RCPT: behind "FROM:" and "TO:", leading spaces skipped. */
    struct str argument;
    bool has_argument;
};

/* 0; or -1 when the line holds octets that no command may hold (controls, a
 * tab as separator, a leading space), or MAIL and RCPT lack FROM: or TO:.
 * 8-bit octets are left for the grammar of the argument. The verb is set then
 * too, VERB_UNKNOWN when it can't be read. */
int command_parse(struct str line, struct command *out);
/* Whether a line, or what came of one, is a BDAT however it goes on: then
 * octets of a chunk follow. */
bool command_announces_chunk(struct str line);
/* Whether octets begin like a TLS record, SSH or RESP. Their first line is
 * often not one of ours at all, so whoever gets a bad line as the first may
 * ask this of the raw input. */
bool command_is_foreign(struct str octets);
/* "MAIL"; for the last three "?". */
const char *verb_name(enum verb verb);

#endif
