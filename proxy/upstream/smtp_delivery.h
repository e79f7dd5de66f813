/* A delivery over SMTP; see delivery.h. */
#ifndef PROXY_UPSTREAM_SMTP_DELIVERY_H
#define PROXY_UPSTREAM_SMTP_DELIVERY_H

#include "proxy/upstream/delivery.h"

struct delivery *smtp_delivery_new(struct upstreams *upstreams,
                                   const struct upstream_settings *settings,
                                   const struct envelope *envelope,
                                   const struct delivery_events *events,
                                   void *owner);

#endif
