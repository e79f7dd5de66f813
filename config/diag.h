/* Diagnostics: what is wrong in a configuration, and where. Printed as
 * `file:line:col: error: text`. Up to DIAG_MAX are kept, the rest counted; an
 * error takes the place of a warning when there is no more room. Texts and
 * file names are copied. Warnings never make a load fail. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include <stdio.h>

#include "rules/base/arena.h"

#define DIAG_MAX 20

/* A place in a file; line and column count from 1, line 0: the whole file. */
struct mark {
    const char *file;
    size_t line;
    size_t column;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING };

struct diag {
    enum diag_level level;
    struct mark mark;
    const char *text;
};

struct diags {
    struct diag items[DIAG_MAX];
    size_t count;
    size_t errors;  /* all of them, kept or not */
    size_t dropped; /* not kept */
    struct arena arena;
};

/* The arguments of "%s%s%s": the nearest known word; nothing for NULL. */
#define DIAG_NEAREST(word)                                                     \
    ((word) == NULL ? "" : ", did you mean "), ((word) == NULL ? "" : (word)), \
        ((word) == NULL ? "" : "?")

void diags_init(struct diags *diags);
void diags_release(struct diags *diags);
void diags_error(struct diags *diags, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diags_warn(struct diags *diags, struct mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* By place: those of `first` (a file's name), then the other files by name,
 * each by line and column. */
void diags_sort(struct diags *diags, const char *first);
/* One a line, in the order in which they stand. */
void diags_print(const struct diags *diags, FILE *to);

#endif
