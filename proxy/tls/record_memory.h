/* Where BoringSSL holds the record that it reads: learned from where it has the
 * octets put. A value; what it points to is BoringSSL's.
 *
 * BoringSSL decrypts a record in that memory, holds it until the last of the
 * clear text was read, and then frees it unwiped. */
#ifndef PROXY_TLS_RECORD_MEMORY_H
#define PROXY_TLS_RECORD_MEMORY_H

#include "rules/base/str.h"

struct record_memory {
    char *octets;
    size_t size;
    size_t missing; /* of what was wanted there */
};

/* `size` octets are put there, of `room` that are wanted. */
void record_memory_note(struct record_memory *memory, char *octets, size_t room,
                        size_t size);
/* While something of the record is not read yet. `clear` is all that is left of
 * its text. Wipes nothing where that is not found: then it may lie elsewhere,
 * in another version of the library. */
void record_memory_wipe(struct record_memory *memory, struct str clear);

#endif
