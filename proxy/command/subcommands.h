/* The table of subcommands: what `postern WORD` runs and what `postern help`
 * says of it. */
#ifndef PROXY_COMMAND_SUBCOMMANDS_H
#define PROXY_COMMAND_SUBCOMMANDS_H

#include <stddef.h>
#include <stdio.h>

/* What a subcommand gives back to the shell. */
enum exit_code {
    EXIT_FINE = 0,
    EXIT_FOUND = 1,  /* a failing test, or a fault that time may cure */
    EXIT_USAGE = 2,  /* wrong usage */
    EXIT_CONFIG = 78 /* wrong configuration */
};

#define DEFAULT_CONFIG "/etc/postern/postern.yaml"

struct subcommand {
    const char *name;
    const char *synopsis; /* behind "postern NAME" */
    const char *summary;  /* one line */
    const char *details;  /* for `postern help NAME`; NULL: none */
    /* argv[0] is the subcommand's word. */
    int (*run)(int argc, char **argv);
};

extern const struct subcommand subcommands[];
extern const size_t subcommand_count;

/* NULL: there is none of that name. */
const struct subcommand *subcommand_find(const char *name);
/* The closest name, or NULL. */
const char *subcommand_nearest(const char *name);

/* Says that there is none of that name, and the nearest. Returns
 * EXIT_USAGE. */
int subcommand_unknown(const char *name);

void subcommand_usage(const struct subcommand *command, FILE *to);
/* "postern NAME: what is wrong", and the synopsis. Returns EXIT_USAGE. */
int subcommand_misuse(const char *name, const char *what, const char *word);

#endif
