/* The inside of a stream of the fake network. */
#ifndef TESTS_DIALOGUE_FAKE_STREAM_H
#define TESTS_DIALOGUE_FAKE_STREAM_H

#include "tests/dialogue/fake_net.h"

enum stream_state {
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_SECURING, /* the handshake is awaited */
    STREAM_CLOSING,  /* closed by its owner, output is leaving */
    STREAM_GONE      /* freed at the end of the turn */
};

struct stream {
    struct stream *next;
    struct loop *loop;
    struct far_end *far;
    const struct stream_events *events;
    void *owner;
    enum stream_state state;
    uint64_t deadline_us; /* of connecting and of closing */
    bool is_paused, is_secure, has_ended;
    bool was_over_low, owes_drained;
    struct octets input, output;
    bool owes_hello;
    char hello_name[256]; /* of the server, in a hello not yet sent */
    const char *error;
};

#endif
