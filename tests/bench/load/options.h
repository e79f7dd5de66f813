/* The options of a tool: a table of rows, each with the field that it fills.
 * What is no option, and a value out of its bounds, ends the program;
 * --help prints the table. Texts are borrowed from argv. */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,    /* a bool, which becomes true; no value follows */
    OPTION_NUMBER,  /* a uint64_t from min to max */
    OPTION_SECONDS, /* a double, 0 or more */
    OPTION_TEXT,    /* a const char * */
    OPTION_WORD,    /* an unsigned: which of the words */
};

struct option_row {
    const char *name; /* without the dashes; NULL ends the table */
    enum option_kind kind;
    size_t offset; /* of the field */
    uint64_t min, max;
    const char *const *words; /* up to NULL */
    const char *value, *help; /* as --help shows them */
};

void options_read(const struct option_row *rows, void *fields, int argc,
                  char **argv);

#endif
