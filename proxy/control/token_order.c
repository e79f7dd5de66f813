#include "proxy/control/token_order.h"

int token_order_send(int channel, struct str upstream,
                     const int descriptors[TOKEN_ORDER_DESCRIPTORS])
{
    return channel_send_now(channel,
                            json_pack("{s:s, s:s%}", "do", TOKEN_ORDER,
                                      "upstream", upstream.p, upstream.n),
                            descriptors, TOKEN_ORDER_DESCRIPTORS);
}

int token_order_read(struct channel_message *message, struct str *upstream,
                     int descriptors[TOKEN_ORDER_DESCRIPTORS])
{
    const json_t *name = json_object_get(message->body, "upstream");
    if (!json_is_string(name) ||
        message->descriptor_count != TOKEN_ORDER_DESCRIPTORS)
        return -1;
    *upstream = str_span(json_string_value(name), json_string_length(name));
    for (size_t i = 0; i < TOKEN_ORDER_DESCRIPTORS; i++)
        descriptors[i] = channel_take(message, i);
    return 0;
}
