/* Questions to the keeper of private keys and its answers, as messages on a
 * socket that keeps their bounds: a head of fixed size, then octets, and
 * nothing behind them. Pure. */
#ifndef PROXY_KEYS_KEY_WIRE_H
#define PROXY_KEYS_KEY_WIRE_H

#include "proxy/tls/key_question.h"

#define KEY_WIRE_HEAD 12
/* The longest of either kind, and one octet more to see a longer one by. */
#define KEY_WIRE_ROOM (KEY_WIRE_HEAD + KEY_SIGNATURE_MAX + 1)

/* Returns how long it is. The input has KEY_INPUT_MAX octets at most. */
size_t key_wire_put_question(char to[KEY_WIRE_ROOM], uint32_t id,
                             const struct key_question *question);
/* 0, or -1 when it is none of this version. Borrows the message. */
int key_wire_get_question(struct str message, uint32_t *id,
                          struct key_question *out);

/* An empty signature is a refusal. */
size_t key_wire_put_answer(char to[KEY_WIRE_ROOM], uint32_t id,
                           struct str signature);
int key_wire_get_answer(struct str message, uint32_t *id,
                        struct str *signature);

#endif
