#include "proxy/session/session_id.h"

#include <string.h>
#include <sys/random.h>

#define SESSION_DIGITS 10
#define TRANSACTION_DIGITS_MAX 8

static const char BASE32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int session_id_make(char id[SESSION_ID_ROOM])
{
    unsigned char random[SESSION_DIGITS];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    for (size_t i = 0; i < sizeof random; i++)
        id[i] = BASE32[random[i] & 31];
    id[sizeof random] = '\0';
    return 0;
}

void transaction_id_make(char id[TRANSACTION_ID_ROOM], const char *session_id,
                         uint64_t number)
{
    char digits[TRANSACTION_DIGITS_MAX];
    size_t n = 0;
    do {
        digits[n++] = BASE32[number & 31];
        number >>= 5;
    } while ((number != 0 || n < 2) && n < sizeof digits);
    size_t length = strlen(session_id);
    memcpy(id, session_id, length);
    while (n > 0)
        id[length++] = digits[--n];
    id[length] = '\0';
}
