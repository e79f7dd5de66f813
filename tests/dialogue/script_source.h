/* The lines of a dialogue and of what it includes, `repeat` unrolled. */
#ifndef TESTS_DIALOGUE_SCRIPT_SOURCE_H
#define TESTS_DIALOGUE_SCRIPT_SOURCE_H

#include "rules/base/arena.h"

struct source_line {
    const char *file;
    size_t number;
    struct str text; /* without its LF */
};

struct source {
    struct arena *arena; /* borrowed */
    struct source_line *lines;
    size_t count, capacity;
};

/* Appends the lines of a file. 0, or -1 with a message printed. */
int source_read(struct source *source, const char *path);
/* The octets of a file that lies beside `from`, or p NULL. */
struct str source_beside(struct arena *arena, const char *from, struct str name,
                         const char **path);

#endif
