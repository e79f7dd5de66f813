/* The content that follows DATA: where it ends, and without the dots that
 * were put in. Only CR LF ends a line; a dot between bare line feeds is
 * content. {0} is at the beginning. */
#ifndef BENCH_LOAD_SINK_DOTS_H
#define BENCH_LOAD_SINK_DOTS_H

#include "tests/bench/load/sink_message.h"

enum dots_place {
    DOTS_LINE_START,
    DOTS_DOT,    /* behind a dot at a line's start */
    DOTS_DOT_CR, /* and a CR behind that */
    DOTS_WITHIN, /* a line */
};

struct sink_dots {
    enum dots_place place;
    bool is_behind_cr;
};

/* Gives how many octets were taken; *is_end: the last of them ended the
 * content. */
size_t sink_dots_take(struct sink_dots *dots, struct sink_message *message,
                      const char *octets, size_t size, bool *is_end);

#endif
