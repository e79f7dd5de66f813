/* Dovecot's authentication protocol, the client's side of major version 1:
 * lines of octets in, answers out, and the writing of requests. Pure.
 *
 * A line is TAB-separated fields; \001 escapes within them (t, n, r, 1, 0).
 * Fields stay escaped, and are borrowed from the input, until one is asked
 * for. Each request has an id, unique among those under way. */
#ifndef PROXY_LOGIN_DOVECOT_PROTOCOL_H
#define PROXY_LOGIN_DOVECOT_PROTOCOL_H

#include "rules/base/arena.h"

/* What either side takes in a line, its LF included. */
#define DOVECOT_LINE_MAX ((size_t)16 * 1024)
#define DOVECOT_HANDSHAKE_MAX 200 /* lines */

enum dovecot_mechanism {
    DOVECOT_PLAIN,
    DOVECOT_OAUTHBEARER,
    DOVECOT_XOAUTH2,
    DOVECOT_MECHANISMS
};

enum dovecot_next {
    DOVECOT_MORE, /* there is no whole line */
    DOVECOT_OPEN, /* the handshake is over: it may be asked */
    DOVECOT_OK,
    DOVECOT_FAIL,
    DOVECOT_CONT, /* the mechanism has more to say */
    DOVECOT_BAD   /* not this protocol; `wrong` says why */
};

enum dovecot_reader_state {
    DOVECOT_AT_VERSION,   /* its first line */
    DOVECOT_AT_HANDSHAKE, /* up to DONE */
    DOVECOT_AT_ANSWERS
};

struct dovecot_reader {
    enum dovecot_reader_state state;
    size_t handshake_lines;
    bool has[DOVECOT_MECHANISMS];
    const char *wrong;
};

/* Valid as long as the input that it was read from. */
struct dovecot_answer {
    uint32_t id;
    struct str fields; /* behind the id, escaped */
};

struct dovecot_request {
    uint32_t id;
    enum dovecot_mechanism mechanism;
    struct str session;
    struct str local_ip, remote_ip; /* n 0: unknown */
    uint16_t local_port, remote_port;
    struct str response; /* the initial one, not in base64 */
};

const char *dovecot_mechanism_name(enum dovecot_mechanism mechanism);

void dovecot_reader_init(struct dovecot_reader *reader);
/* Takes lines off the front of *input up to one that matters; `answer` is set
 * for OK, FAIL and CONT. After BAD there is nothing more to be read. */
enum dovecot_next dovecot_reader_next(struct dovecot_reader *reader,
                                      struct str *input,
                                      struct dovecot_answer *answer);

/* Whether the answer has a field of that name, and its value, unescaped, in
 * the arena: "" of a field without one, p NULL when the arena is full. */
bool dovecot_answer_field(const struct dovecot_answer *answer, const char *name,
                          struct arena *arena, struct str *value);

/* Each writes whole lines and gives their length; 0: there is not room for
 * them in `to`, or in a line. What was written is then wiped. */
size_t dovecot_write_hello(uint32_t process, char *to, size_t room);
size_t dovecot_write_request(const struct dovecot_request *request, char *to,
                             size_t room);
/* Ends an exchange whose last challenge only told why it is refused. */
size_t dovecot_write_last_response(uint32_t id, char *to, size_t room);
size_t dovecot_write_cancel(uint32_t id, char *to, size_t room);

#endif
