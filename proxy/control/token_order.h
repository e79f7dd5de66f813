/* A worker process may run no program: where a login needs what its
 * token_command prints, the supervisor is asked to run it, by the name of the
 * upstream. What is printed goes from the program to who asked, past the
 * supervisor. */
#ifndef PROXY_CONTROL_TOKEN_ORDER_H
#define PROXY_CONTROL_TOKEN_ORDER_H

#include "proxy/control/channel.h"
#include "rules/base/str.h"

#define TOKEN_ORDER "token"

/* Where the output goes, and where the end is told of: see net/program.h. */
#define TOKEN_ORDER_DESCRIPTORS 2

/* Does not wait, and is for any thread. The descriptors stay the caller's. 0,
 * or -1: the supervisor does not listen. */
int token_order_send(int channel, struct str upstream,
                     const int descriptors[TOKEN_ORDER_DESCRIPTORS]);
/* Of a message with that verb: the descriptors are the caller's from now on,
 * `upstream` is the message's. 0, or -1: it makes no sense. */
int token_order_read(struct channel_message *message, struct str *upstream,
                     int descriptors[TOKEN_ORDER_DESCRIPTORS]);

#endif
