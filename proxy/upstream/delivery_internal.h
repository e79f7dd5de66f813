/* The two implementations of delivery.h: each embeds a struct delivery as its
 * first member. For this folder only. */
#ifndef PROXY_UPSTREAM_DELIVERY_INTERNAL_H
#define PROXY_UPSTREAM_DELIVERY_INTERNAL_H

#include "proxy/upstream/delivery.h"

struct delivery_class {
    int (*rcpt)(struct delivery *delivery, struct str mailbox,
                const struct rcpt_params *params);
    void (*data)(struct delivery *delivery);
    size_t (*body)(struct delivery *delivery, struct str octets);
    void (*finish)(struct delivery *delivery);
    void (*free)(struct delivery *delivery);
};

struct delivery {
    const struct delivery_class *class;
};

#endif
