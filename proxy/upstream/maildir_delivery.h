/* A delivery into a Maildir; see delivery.h. All files are touched in jobs;
 * memory is two chunks, one being written while the next gathers. */
#ifndef PROXY_UPSTREAM_MAILDIR_DELIVERY_H
#define PROXY_UPSTREAM_MAILDIR_DELIVERY_H

#include "proxy/upstream/delivery.h"

#define MAILDIR_CHUNK_MAX (128 * 1024)

struct delivery *maildir_delivery_new(struct upstreams *upstreams,
                                      const struct upstream_settings *settings,
                                      const struct envelope *envelope,
                                      const struct delivery_events *events,
                                      void *owner);

#endif
