/* What went wrong in a run, counted by kind: a thousand connections fail in
 * the same words. {0} is empty. */
#ifndef BENCH_LOAD_COMPLAINTS_H
#define BENCH_LOAD_COMPLAINTS_H

#include <stdint.h>

#define COMPLAINT_KINDS 8

struct complaints {
    struct complaint {
        char text[200];
        uint64_t times; /* 0: no such kind yet */
    } kinds[COMPLAINT_KINDS];
    uint64_t others; /* that found no place any more */
};

/* Of the text, the first line. */
void complaints_add(struct complaints *complaints, const char *what,
                    const char *text);
/* To the standard error. */
void complaints_print(const struct complaints *complaints);

#endif
