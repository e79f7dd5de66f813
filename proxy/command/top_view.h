/* What `postern top` shows of an overview (proxy/control/verb_overview.c). */
#ifndef PROXY_COMMAND_TOP_VIEW_H
#define PROXY_COMMAND_TOP_VIEW_H

#include <jansson.h>

#include "proxy/command/screen.h"

enum top_sort { TOP_BY_SENT, TOP_BY_MESSAGES, TOP_BY_REFUSED, TOP_SORTS };

struct top_view {
    enum top_sort sort;
    char filter[64]; /* what names must contain; "": all */
    bool is_typing;  /* the filter */
    bool is_paused;
    const char *away; /* why no server answers; NULL: one does */
};

/* `overview` NULL: none came so far. Puts `users` of it in another order. */
void top_view_print(const struct top_view *view, json_t *overview,
                    struct screen *screen);

#endif
