/* The options of `postern explain`, as they stand on the command line. */
#ifndef PROXY_COMMAND_EXPLAIN_OPTIONS_H
#define PROXY_COMMAND_EXPLAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define EXPLAIN_TO_MAX 1000
#define EXPLAIN_FACTS_MAX 100

/* NULL: not given. All borrowed from the command line. */
struct explain_options {
    const char *config, *log, *id;
    bool is_json;
    const char *user, *groups, *addresses, *auth;
    const char *from, *client, *helo, *listener, *size, *message, *at, *reply;
    const char *to[EXPLAIN_TO_MAX];
    size_t to_count;
    const char *facts[EXPLAIN_FACTS_MAX]; /* NAME=VALUE */
    size_t fact_count;
    const char *answers[EXPLAIN_FACTS_MAX]; /* SERVER=ACTION */
    size_t answer_count;
};

/* EXIT_FINE, or EXIT_USAGE after saying why. */
int explain_options_read(struct explain_options *options, int argc,
                         char **argv);

#endif
