/* What all threads and sessions of smtpsink share. */
#ifndef BENCH_LOAD_SINK_H
#define BENCH_LOAD_SINK_H

#include <openssl/ssl.h>

#include "tests/bench/load/seen_ids.h"
#include "tests/bench/load/sink_counters.h"
#include "tests/bench/load/sink_options.h"

struct sink {
    const struct sink_options *options; /* borrowed */
    SSL_CTX *tls;                       /* NULL: none is wanted */
    struct sink_counters counters;
    struct seen_ids seen;
};

#endif
