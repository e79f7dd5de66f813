/* The inputs of session_fuzz. The first octet picks a configuration, the
 * second holds flags; the rest is what is said, with markers in between. A
 * marker is an octet that UTF-8 has no use for and one more octet, so that text
 * can be put in and taken out anywhere and all else keeps its meaning. */
#ifndef TESTS_FUZZ_SESSION_MARKERS_H
#define TESTS_FUZZ_SESSION_MARKERS_H

#include "rules/base/str.h"

enum marker {
    MARKER_LITERAL = 0xf8, /* the octet behind it is said, whatever it is */
    MARKER_CLIENT,         /* from here on this client speaks */
    MARKER_UPSTREAM,       /* … this upstream or policy server */
    MARKER_CONNECT,        /* a client arrives, and speaks from here on */
    MARKER_ACT,            /* the one who speaks does this */
    MARKER_ORDER,          /* something else happens */
    MARKER_CLOCK,          /* time passes */
    MARKER_REPEAT          /* what was said behind the last mark, 2^n times */
};

enum flag {
    FLAG_OBLIGES = 1, /* upstreams answer whatever they are asked, kindly */
    FLAG_OFFERS = 2,  /* … and offer all there is */
    FLAG_SPLIT = 4,   /* what is said arrives in many pieces */
    FLAG_SLOW = 8,    /* far ends take few octets a turn */
    FLAG_LATE = 16    /* budgets are kept elsewhere */
};

enum order {
    ORDER_LOGINS_HOLD,
    ORDER_LOGINS_ANSWER,
    ORDER_LOGINS_UNAVAILABLE,
    ORDER_JOBS_HOLD,
    ORDER_JOBS_RUN,
    ORDER_CROWD_ON,
    ORDER_CROWD_OFF,
    ORDER_RELOAD,
    ORDER_STOP,
    ORDER_ABORT,
    ORDER_PROBE,
    ORDER_OBLIGE,
    ORDER_OBLIGE_NOT,
    ORDER_LOG_FAILING,
    ORDER_LOG_WRITTEN,
    ORDER_COUNT
};

/* MARKER_CONNECT: the listener's index and the address's share an octet. */
#define LISTENER_OF(octet) ((octet)&7u)
#define ADDRESS_OF(octet) ((octet) >> 3)
#define ADDRESS_COUNT 5
extern const char *const marker_addresses[ADDRESS_COUNT];

/* MARKER_ACT: words of far_act(). */
#define ACT_COUNT 11
extern const char *const marker_acts[ACT_COUNT];

/* MARKER_CLOCK. */
#define CLOCK_COUNT 12
extern const uint32_t marker_clock_ms[CLOCK_COUNT];

#endif
