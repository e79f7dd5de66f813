#include "tests/bench/load/octets.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/fatal.h"

#define ROOM_FIRST 256
#define ROOM_MOST ((size_t)64 << 20)
#define PRINT_MOST 2048

static void make_room(struct octets *octets, size_t size)
{
    size_t room = octets->room == 0 ? ROOM_FIRST : octets->room;
    while (room - octets->to < size) {
        if (room >= ROOM_MOST)
            fatal("over %zu octets are to be written at once", ROOM_MOST);
        room *= 2;
    }
    octets->memory = reallocate(octets->memory, room, 1);
    octets->room = room;
}

void octets_add(struct octets *octets, const void *data, size_t size)
{
    if (size > octets->room - octets->to)
        make_room(octets, size);
    if (size > 0)
        memcpy(octets->memory + octets->to, data, size);
    octets->to += size;
}

void octets_add_text(struct octets *octets, const char *text)
{
    octets_add(octets, text, strlen(text));
}

void octets_print(struct octets *octets, const char *format, ...)
{
    char text[PRINT_MOST];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text)
        fatal("a line is over %zu octets long", sizeof text - 1);
    octets_add(octets, text, (size_t)size);
}

void octets_drop(struct octets *octets, size_t size)
{
    assert(size <= octets_size(octets));
    octets->from += size;
    if (octets->from == octets->to)
        octets->from = octets->to = 0;
}

void octets_release(struct octets *octets)
{
    free(octets->memory);
    *octets = (struct octets){.memory = NULL};
}
