/* The inside of a client's witness, for its two files: client_witness.c takes
 * what the client says, client_replies.c holds the replies against it. */
#ifndef TESTS_FUZZ_SESSION_CLIENT_INTERNAL_H
#define TESTS_FUZZ_SESSION_CLIENT_INTERNAL_H

#include "tests/fuzz/session/client_witness.h"

#define COMMAND_OCTETS_MIN 512 /* no cap on command lines is lower */

enum part {
    CLIENT_SILENCE, /* before the banner */
    CLIENT_COMMANDS,
    CLIENT_CONTENT, /* behind a 354 */
    CLIENT_REFUSED, /* no service but QUIT */
    CLIENT_BLURRED, /* a cap on lines decides what octets of a chunk are */
    CLIENT_OVER     /* the last reply was written */
};

enum verb {
    VERB_NONE, /* no reply is due */
    VERB_OTHER,
    VERB_EHLO,
    VERB_STARTTLS,
    VERB_AUTH,
    VERB_RESPONSE, /* a line of an AUTH exchange */
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_VRFY,
    VERB_HELP,
    VERB_QUIT,
    VERB_END /* no verb: the end of data */
};

struct client_witness {
    struct client_witness *next;
    const struct far_end *far;
    const struct listener_settings *listener;
    enum part part;
    enum verb due;
    struct octets unread;  /* read by the product, not yet taken here */
    struct octets replies; /* written, no whole line yet */
    int code;              /* of a reply of several lines, so far; or 0 */
    bool is_faulty;        /* the line under way has its reply already */
    bool is_logged_in;
    bool wants_response; /* the next line belongs to AUTH */
    bool names_login;    /* … and is a name, not a password */
    bool shows_secret;   /* this login has said a password or a token */
    uint64_t chunk_left;
    bool is_last_chunk, has_no_size;
    struct octets content;
    struct message *message; /* that ended last */
};

/* Takes what the client has said, as far as its replies have gone. */
void client_take(struct witness *witness, struct client_witness *w);
/* The product has written a whole line of a reply. */
void client_take_reply_line(struct witness *witness, struct client_witness *w,
                            struct str line);
/* Whether a line is no command, for the octets in it. */
bool client_line_is_bad(struct str line);
bool client_line_announces_chunk(struct str line);
ptrdiff_t client_index_of(struct str text, struct str what);

#endif
