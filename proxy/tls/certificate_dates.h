/* Certificates that the other side refuses by their dates, or soon will. */
#ifndef PROXY_TLS_CERTIFICATE_DATES_H
#define PROXY_TLS_CERTIFICATE_DATES_H

#include "proxy/tls/tls_context.h"

#include <stdint.h>

/* Tells of each certificate that at `now` is not valid yet, no longer, or for
 * less than 14 days; the words name its file and are valid within the call.
 * `certificates` are those of the context. */
void certificate_dates_tell(const struct tls_context *context,
                            const struct certificate_settings *certificates,
                            int64_t now,
                            void (*tell)(void *owner, struct mark mark,
                                         const char *words),
                            void *owner);

/* When the certificate of that number ends, as seconds since 1970. 0, or -1:
 * there is none, or its date can't be read. Thread-safe. */
int certificate_dates_end(const struct tls_context *context, size_t number,
                          int64_t *end);

#endif
