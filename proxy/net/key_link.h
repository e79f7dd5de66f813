/* A loop's way to the keeper of private keys, in another process: streams of
 * the loop ask on it while they shake hands. What is under way is bounded in
 * number and time. */
#ifndef PROXY_NET_KEY_LINK_H
#define PROXY_NET_KEY_LINK_H

#include "proxy/net/loop.h"
#include "proxy/tls/key_question.h"

#define KEY_LINK_WAITS_MAX 4096 /* handshakes that wait at once */
#define KEY_LINK_DEADLINE_MS ((uint64_t)5000)

struct key_link;

/* The loop's, from now on: one end of a SOCK_SEQPACKET pair whose other end
 * the keeper has. Takes fd. A signature is waited for so long. 0, or -1 when
 * out of memory. */
int key_link_open(struct loop *loop, int fd, uint64_t deadline_ms);
/* Those who wait are told that there is no keeper. Does nothing where there is
 * none; loop_free() does it too. */
void key_link_close(struct loop *loop);

/* Who waits for a signature. Embedded in the owner, all zero before. */
struct key_wait {
    struct key_wait *next, *previous;
    struct key_question question; /* borrowed until it is answered */
    uint64_t deadline_ms;
    uint32_t id;
    bool is_waiting;
    bool is_sent;
    /* The signature, valid within the call; empty: there is none, and `words`
     * say why. Never from inside key_link_ask(). */
    void (*done)(struct key_wait *wait, struct str signature,
                 const char *words);
};

/* NULL: asked, `done` follows. Else why it can't be asked. */
const char *key_link_ask(struct loop *loop, struct key_wait *wait,
                         const struct key_question *question);
/* `done` will not be called. Fine for one that does not wait. */
void key_link_forget(struct loop *loop, struct key_wait *wait);

#endif
