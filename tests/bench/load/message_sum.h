/* How a message is marked, so that one which is altered, lost or doubled on
 * its way is found out. Its header has
 *     X-Load-ID: 16 hexadecimal digits, like no other message's
 *     X-Load-Sum: SHA-256, in hexadecimal, of the body and then those digits
 * The body is what follows the first empty line, without the dots that were
 * put in; its last line has the digits too, so that a body which comes with
 * another message's header is found out as well. */
#ifndef BENCH_LOAD_MESSAGE_SUM_H
#define BENCH_LOAD_MESSAGE_SUM_H

#include <stddef.h>

#include <openssl/sha.h>

#define MESSAGE_ID_FIELD "X-Load-ID: "
#define MESSAGE_SUM_FIELD "X-Load-Sum: "
#define MESSAGE_ID_SIZE 16
#define MESSAGE_SUM_SIZE ((size_t)2 * SHA256_DIGEST_LENGTH)

/* `sum` has had the body; it is of no use afterwards. */
void message_sum_end(SHA256_CTX *sum, const char id[MESSAGE_ID_SIZE + 1],
                     char text[MESSAGE_SUM_SIZE + 1]);

#endif
