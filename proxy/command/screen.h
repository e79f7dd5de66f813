/* Lines of text for a terminal, or for a file: cut at the width, as many as
 * there is room for. What comes from outside is made harmless on its way. */
#ifndef PROXY_COMMAND_SCREEN_H
#define PROXY_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "rules/base/str.h"

enum screen_style { STYLE_PLAIN, STYLE_HEAD, STYLE_BAD };

struct screen {
    FILE *to;
    size_t width;
    size_t lines_left;
    size_t column;    /* of the line under way */
    bool is_terminal; /* the rest of a line is cleared */
    bool has_styles;
    bool has_symbols; /* characters beyond ASCII can be shown */
    enum screen_style style;
};

void screen_style(struct screen *screen, enum screen_style style);
/* As much of it as fits. */
void screen_put(struct screen *screen, struct str text);
void screen_printf(struct screen *screen, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Exactly so many columns: cut, with a mark, or filled up. */
void screen_cell(struct screen *screen, struct str text, size_t columns,
                 bool is_right);
/* One bar a number, the largest the highest; what does not fit is left out in
 * front. */
void screen_bars(struct screen *screen, const unsigned long long *numbers,
                 size_t count, size_t columns);
/* False: that was the last line there is room for. */
bool screen_end_line(struct screen *screen);

#endif
