/* What an upstream's reply, or a fault on the way to it, means for the client
 * (design 1.3). Pure. */
#ifndef PROXY_UPSTREAM_OUTCOME_H
#define PROXY_UPSTREAM_OUTCOME_H

#include "proxy/upstream/delivery.h"

#define FAULT_WORDS_MAX 512

enum fault_kind {
    FAULT_CONNECT,  /* never connected */
    FAULT_GREETING, /* refused at the banner or at EHLO */
    FAULT_TLS,      /* not offered, or the handshake failed */
    FAULT_SILENT,   /* a deadline passed */
    FAULT_LOST,     /* the connection ended */
    FAULT_PROTOCOL, /* it said what nothing asked for */
    FAULT_SET_UP,   /* it refused what only a wrong set-up explains */
    FAULT_BUSY,     /* no connection came free in time */
    FAULT_CONTENT,  /* ours: the message cannot go out as it is */
    FAULT_STORAGE,  /* a Maildir that can't be written */
    FAULT_MEMORY,
    FAULT_KIND_COUNT
};

/* Words for the log, never for the client. */
struct fault {
    enum fault_kind kind;
    int code; /* FAULT_SET_UP: of the reply that tells it */
    char words[FAULT_WORDS_MAX];
};

void fault_set(struct fault *fault, enum fault_kind kind, const char *format,
               ...) __attribute__((format(printf, 3, 4)));

/* Whether AUTH was refused for who logs in, not for how things are set up. */
bool fault_is_of_login(const struct fault *fault);

/* What the upstream was asked. */
enum question_asked {
    ASKED_MAIL,
    ASKED_RCPT,
    ASKED_DATA,
    ASKED_CHUNK, /* BDAT, not the last one */
    ASKED_END,
    ASKED_COUNT
};

enum outcome_class {
    OUTCOME_ACCEPTED, /* never for ASKED_DATA and ASKED_CHUNK: what lets the
                       * message go on is not an outcome */
    OUTCOME_REFUSED,
    OUTCOME_SET_UP, /* ours instead of the upstream's: an error to be logged */
    OUTCOME_BROKEN  /* a 421 or a protocol error: the connection must go */
};

/* The outcome borrows from `reply`, `server` and `fault`, which is filled when
 * the client gets our words instead of the upstream's. */
enum outcome_class outcome_of_reply(enum question_asked asked,
                                    const struct reply *reply,
                                    struct str server, struct fault *fault,
                                    struct outcome *out);
/* Always 451; borrows from `fault`. */
void outcome_of_fault(const struct fault *fault, struct str server,
                      struct outcome *out);
/* Ours, for good: the mail asks for what the server lacks (design 7). */
void outcome_of_lacking(enum extension extension, struct str server,
                        struct outcome *out);

/* An outcome that outlives the call which brought it. */
struct outcome_copy {
    struct outcome outcome;
    struct arena arena;
};

void outcome_copy_init(struct outcome_copy *copy);
void outcome_copy_release(struct outcome_copy *copy);
/* `server` stays borrowed. Out of memory: the code stays, the texts go. */
void outcome_copy_set(struct outcome_copy *copy, const struct outcome *from);

#endif
