/* A terminal that a command has for itself for a while: keys come one by one,
 * nothing is echoed, and what stood there comes back at the end, however that
 * comes. Signals are taken by full_screen_wait(), which stops and goes on by
 * itself for SIGTSTP. One at a time. */
#ifndef PROXY_COMMAND_FULL_SCREEN_H
#define PROXY_COMMAND_FULL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct full_screen {
    struct termios before;
    int signals; /* a signalfd */
    bool is_taken;
};

/* Standard input and output. 0, or -1 with errno. */
int full_screen_take(struct full_screen *screen);
void full_screen_give_back(struct full_screen *screen);

enum full_screen_event {
    FULL_SCREEN_TIME, /* is over */
    FULL_SCREEN_KEY,
    FULL_SCREEN_REDRAW, /* its size has changed, or it was stopped */
    FULL_SCREEN_END     /* a signal, or nobody is at the keys any more */
};
enum full_screen_event full_screen_wait(struct full_screen *screen, int wait_ms,
                                        char *key);
/* Of standard output; 80 by 24 where that is not known. */
void full_screen_size(size_t *columns, size_t *lines);
/* Writes all, or gives up. */
void full_screen_write(const char *octets, size_t count);

#endif
