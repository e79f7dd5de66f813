#include "proxy/upstream/delivery_internal.h"
#include "proxy/upstream/maildir_delivery.h"
#include "proxy/upstream/smtp_delivery.h"

struct delivery *delivery_new(struct upstreams *upstreams,
                              const struct upstream_settings *settings,
                              const struct envelope *envelope,
                              const struct delivery_events *events, void *owner)
{
    if (settings->maildir != NULL)
        return maildir_delivery_new(upstreams, settings, envelope, events,
                                    owner);
    return smtp_delivery_new(upstreams, settings, envelope, events, owner);
}

int delivery_rcpt(struct delivery *delivery, struct str mailbox,
                  const struct rcpt_params *params)
{
    return delivery->class->rcpt(delivery, mailbox, params);
}

int delivery_add(struct delivery *delivery, struct str mailbox)
{
    static const struct rcpt_params silent = {.notify = STR_INIT("NEVER")};
    return delivery->class->rcpt(delivery, mailbox, &silent);
}

void delivery_data(struct delivery *delivery)
{
    delivery->class->data(delivery);
}

size_t delivery_body(struct delivery *delivery, struct str octets)
{
    return delivery->class->body(delivery, octets);
}

void delivery_finish(struct delivery *delivery)
{
    delivery->class->finish(delivery);
}

void delivery_free(struct delivery *delivery)
{
    if (delivery != NULL)
        delivery->class->free(delivery);
}
