/* The two implementations of delivery.h: each embeds a struct delivery as its
 * first member. For this folder only. */
#ifndef PROXY_UPSTREAM_DELIVERY_INTERNAL_H
#define PROXY_UPSTREAM_DELIVERY_INTERNAL_H

#include "proxy/upstream/delivery.h"

/* Of whom the upstream may be asked to tell the sender. */
enum rcpt_notify { NOTIFY_AS_USUAL, NOTIFY_NEVER };

struct delivery_class {
    int (*rcpt)(struct delivery *delivery, struct str mailbox,
                enum rcpt_notify notify);
    void (*data)(struct delivery *delivery);
    size_t (*body)(struct delivery *delivery, struct str octets);
    void (*finish)(struct delivery *delivery);
    void (*free)(struct delivery *delivery);
};

struct delivery {
    const struct delivery_class *class;
};

#endif
