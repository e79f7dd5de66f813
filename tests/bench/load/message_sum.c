#include "tests/bench/load/message_sum.h"

#include <string.h>

void message_sum_end(SHA256_CTX *sum, const char id[MESSAGE_ID_SIZE + 1],
                     char text[MESSAGE_SUM_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_Update(sum, id, strlen(id));
    SHA256_Final(digest, sum);
    for (size_t i = 0; i < sizeof digest; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[MESSAGE_SUM_SIZE] = '\0';
}
