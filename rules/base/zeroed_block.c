#include "rules/base/zeroed_block.h"

#include <stdint.h>
#include <stdlib.h>

/* calloc knows which pages are zeros already, and aligned_alloc does not. */
void *zeroed_block_new(size_t octets, void **allocation)
{
    char *memory = calloc(1, octets + ZEROED_BLOCK_ALIGNMENT);
    *allocation = memory;
    if (memory == NULL)
        return NULL;
    return memory + (ZEROED_BLOCK_ALIGNMENT -
                     (uintptr_t)memory % ZEROED_BLOCK_ALIGNMENT);
}

size_t zeroed_block_size(size_t octets)
{
    return (octets + ZEROED_BLOCK_ALIGNMENT - 1) / ZEROED_BLOCK_ALIGNMENT *
           ZEROED_BLOCK_ALIGNMENT;
}
