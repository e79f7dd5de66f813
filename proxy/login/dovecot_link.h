/* One connection to Dovecot's authentication service, from connecting to its
 * loss; a new one is a new link. Belongs to one loop. Events come from the
 * loop, never from inside a call of this interface. */
#ifndef PROXY_LOGIN_DOVECOT_LINK_H
#define PROXY_LOGIN_DOVECOT_LINK_H

#include "proxy/login/dovecot_protocol.h"
#include "proxy/net/loop.h"

#define DOVECOT_CONNECT_MS 5000
#define DOVECOT_HANDSHAKE_MS 10000

struct dovecot_link;

struct dovecot_link_events {
    /* The handshake is over: requests may be sent. */
    void (*on_open)(void *owner);
    /* OK, FAIL or CONT. The answer is valid within the call. */
    void (*on_answer)(void *owner, enum dovecot_next kind,
                      const struct dovecot_answer *answer);
    /* The link is to be freed, within the call or later. `fault` has words,
     * valid within the call. */
    void (*on_lost)(void *owner, const char *fault);
};

/* Starts to connect. NULL: out of memory. */
struct dovecot_link *dovecot_link_new(struct loop *loop, const char *path,
                                      const struct dovecot_link_events *events,
                                      void *owner);
/* Cuts it off. NULL is fine; inside its events, too. */
void dovecot_link_free(struct dovecot_link *link);

/* Whether its handshake is over; stays so when it is lost. */
bool dovecot_link_is_open(const struct dovecot_link *link);
/* Once open: which the server has, by enum dovecot_mechanism. */
const bool *dovecot_link_mechanisms(const struct dovecot_link *link);
/* When the server last said something, by the loop's clock. */
uint64_t dovecot_link_heard_ms(const struct dovecot_link *link);
/* Copies whole lines into the queue. 0, or -1: it is full. */
int dovecot_link_send(struct dovecot_link *link, struct str lines);

#endif
