/* All numbers of the server, for Prometheus to collect: its text format,
 * version 0.0.4. On any thread; costs a walk over what is counted. */
#ifndef PROXY_METRICS_METRICS_TEXT_H
#define PROXY_METRICS_METRICS_TEXT_H

#include <stddef.h>

struct controlled;

/* Ends with a NUL that `octets` does not count; to be freed by free(). NULL:
 * out of memory. */
char *metrics_text(const struct controlled *c, size_t *octets);

#endif
