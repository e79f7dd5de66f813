/* A terminal that a command has for itself for a while: keys come one by one,
 * nothing is echoed, and what stood there comes back at the end, however that
 * comes. Signals are taken by terminal_wait(), which stops and goes on by
 * itself for SIGTSTP. One at a time. */
#ifndef PROXY_COMMAND_TERMINAL_H
#define PROXY_COMMAND_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal {
    struct termios before;
    int signals; /* a signalfd */
    bool is_taken;
};

/* Standard input and output. 0, or -1 with errno. */
int terminal_take(struct terminal *terminal);
void terminal_give_back(struct terminal *terminal);

enum terminal_event {
    TERMINAL_TIME, /* is over */
    TERMINAL_KEY,
    TERMINAL_REDRAW, /* its size has changed, or it was stopped */
    TERMINAL_END     /* a signal, or nobody is at the keys any more */
};
enum terminal_event terminal_wait(struct terminal *terminal, int wait_ms,
                                  char *key);
/* Of standard output; 80 by 24 where that is not known. */
void terminal_size(size_t *columns, size_t *lines);
/* Writes all, or gives up. */
void terminal_write(const char *octets, size_t count);

#endif
