/* Ids of sessions and transactions: what refusals end with and the log is
 * searched by (design section 4). Base 32 without I, L, O and U. */
#ifndef PROXY_SESSION_SESSION_ID_H
#define PROXY_SESSION_SESSION_ID_H

#include <stdint.h>

#define SESSION_ID_ROOM 16
#define TRANSACTION_ID_ROOM 24

/* Ten random digits. 0, or -1 when the system has no random octets. */
int session_id_make(char id[SESSION_ID_ROOM]);
/* The session's id and two digits of the number, more when it lasts very
 * long. */
void transaction_id_make(char id[TRANSACTION_ID_ROOM], const char *session_id,
                         uint64_t number);

#endif
