#include "proxy/tls/record_memory.h"

#include <string.h>

#include <openssl/mem.h>

/* What is wanted, a record's head or the rest of the record, may come in
 * pieces. */
void record_memory_note(struct record_memory *memory, char *octets, size_t room,
                        size_t size)
{
    if (room != memory->missing)
        *memory = (struct record_memory){.octets = octets};
    memory->size += size;
    memory->missing = room - size;
}

void record_memory_wipe(struct record_memory *memory, struct str clear)
{
    if (memmem(memory->octets, memory->size, clear.p, clear.n) != NULL)
        OPENSSL_cleanse(memory->octets, memory->size);
    *memory = (struct record_memory){.octets = NULL};
}
