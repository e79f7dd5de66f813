/* How a program came to its end, as who runs it tells who reads its output:
 * one message over a pair of sockets (SOCK_SEQPACKET). Another version of
 * Postern may be at the other end: what is here stays as it is. */
#ifndef PROXY_NET_PROGRAM_END_H
#define PROXY_NET_PROGRAM_END_H

#include <stdint.h>

enum program_fate {
    PROGRAM_EXITED = 1,  /* number: its exit code */
    PROGRAM_KILLED = 2,  /* number: the signal */
    PROGRAM_FAILED = 3,  /* it could not be started; number: errno */
    PROGRAM_UNKNOWN = 4, /* there is none of that name */
    PROGRAM_NO_USER = 5, /* whose rights it should have */
};

struct program_end {
    int32_t fate;
    int32_t number;
};

#endif
