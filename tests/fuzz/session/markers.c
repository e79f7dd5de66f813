#include "tests/fuzz/session/markers.h"

/* Trusted, a balancer, a stranger, one whose net is full, IPv6. */
const char *const marker_addresses[ADDRESS_COUNT] = {
    "198.51.100.7", "10.0.0.1", "192.0.2.66", "203.0.113.99", "2001:db8::7"};

const char *const marker_acts[ACT_COUNT] = {"accept",   "refuse", "tls",
                                            "tls fail", "close",  "cut",
                                            "reset",    "stall",  "read",
                                            "tls cert=boss",
                                            "tls version=1.2"};

const uint32_t marker_clock_ms[CLOCK_COUNT] = {1,      100,    1000,   2000,
                                               5000,   10000,  30000,  60000,
                                               120000, 300000, 600000, 1800000};
