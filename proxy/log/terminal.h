/* What people see on a terminal. */
#ifndef PROXY_LOG_TERMINAL_H
#define PROXY_LOG_TERMINAL_H

#include <stdbool.h>

/* It is a terminal that a picture can be drawn on, again and again. */
bool terminal_takes_pictures(int fd);
/* It is a terminal that knows colours, and NO_COLOR is not set. */
bool terminal_takes_colour(int fd);

#endif
