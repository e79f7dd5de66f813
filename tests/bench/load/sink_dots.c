#include "tests/bench/load/sink_dots.h"

#include <string.h>

/* Up to a line that begins with a dot, or as far as it goes. */
static size_t take_within(struct sink_dots *dots, struct sink_message *message,
                          const char *octets, size_t size)
{
    size_t taken = 0;
    do {
        const char *line_feed = memchr(octets + taken, '\n', size - taken);
        if (line_feed == NULL) {
            dots->place = DOTS_WITHIN;
            dots->is_behind_cr = octets[size - 1] == '\r';
            taken = size;
            break;
        }
        bool is_crlf =
            line_feed > octets ? line_feed[-1] == '\r' : dots->is_behind_cr;
        dots->place = is_crlf ? DOTS_LINE_START : DOTS_WITHIN;
        dots->is_behind_cr = false;
        taken = (size_t)(line_feed + 1 - octets);
    } while (taken < size && octets[taken] != '.');
    sink_message_take(message, octets, taken);
    return taken;
}

/* Goes on by the octet where it is what may come next of a final dot. */
static size_t take_if(struct sink_dots *dots, char octet, char wanted,
                      enum dots_place next)
{
    bool is_wanted = octet == wanted;
    dots->place = is_wanted ? next : DOTS_WITHIN;
    return is_wanted;
}

size_t sink_dots_take(struct sink_dots *dots, struct sink_message *message,
                      const char *octets, size_t size, bool *is_end)
{
    size_t i = 0;
    *is_end = false;
    while (i < size && !*is_end) {
        switch (dots->place) {
        case DOTS_LINE_START:
            i += take_if(dots, octets[i], '.', DOTS_DOT);
            break;
        case DOTS_DOT:
            i += take_if(dots, octets[i], '\r', DOTS_DOT_CR);
            break;
        case DOTS_DOT_CR:
            *is_end = octets[i] == '\n';
            i += take_if(dots, octets[i], '\n', DOTS_LINE_START);
            if (!*is_end) { /* the CR was content */
                sink_message_take(message, "\r", 1);
                dots->is_behind_cr = true;
            }
            break;
        case DOTS_WITHIN:
            i += take_within(dots, message, octets + i, size - i);
            break;
        }
    }
    return i;
}
