/* The messages that clients have ended, as one reader of the wire tells them
 * apart, each to be found again in what an upstream is sent. */
#ifndef TESTS_FUZZ_SESSION_MESSAGES_H
#define TESTS_FUZZ_SESSION_MESSAGES_H

#include "tests/dialogue/octets.h"

struct message {
    struct message *next;
    struct octets body; /* what lies behind the first empty line */
    bool is_repaired;   /* its ends of line may come out otherwise */
    bool is_canonical;  /* CR and LF in pairs alone, and no NUL */
    bool is_sent;       /* its end was written to an upstream */
    bool is_taken;      /* … which answered that with 2yz */
};

struct messages {
    struct message *first;
};

/* The content of a message that a client has ended. */
struct message *messages_add(struct messages *messages, struct str content,
                             bool is_repaired);
/* The one that was sent with this content: once, unchanged below the header,
 * and no sooner than its client ended it. NULL: there is none. */
struct message *messages_send(struct messages *messages, struct str content);
void messages_release(struct messages *messages);

#endif
