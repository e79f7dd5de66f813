/* What smtpsink was asked for. */
#ifndef BENCH_LOAD_SINK_OPTIONS_H
#define BENCH_LOAD_SINK_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct sink_options {
    const char *host;
    uint64_t port, tls_port; /* tls_port 0: no second listener */
    uint64_t threads;
    bool is_tls, offers_starttls; /* on `port` */
    const char *certificate, *key;
    bool offers_auth, lacks_chunking, lacks_pipelining;
    const char *refused; /* in a line of RCPT; NULL: all are taken */
    bool verifies, is_quiet, acknowledges_at_once;
    const char *pid_file;
};

/* Ends the program where they do not make sense. */
void sink_options_read(struct sink_options *options, int argc, char **argv);

static inline bool sink_options_need_tls(const struct sink_options *options)
{
    return options->is_tls || options->offers_starttls ||
           options->tls_port != 0;
}

#endif
