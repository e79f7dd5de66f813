#include "rules/base/spare_blocks.h"

#include <assert.h>
#include <stdlib.h>

/* The memory of a block, while it is kept. */
struct spare_block {
    struct spare_block *next;
};

void spare_blocks_init(struct spare_blocks *spare, size_t octets, size_t max)
{
    assert(octets >= sizeof(struct spare_block));
#ifdef __SANITIZE_ADDRESS__
    max = 0;
#endif
    *spare = (struct spare_blocks){.octets = octets, .max = max};
}

void spare_blocks_release(struct spare_blocks *spare)
{
    while (spare->first != NULL) {
        struct spare_block *next = spare->first->next;
        free(spare->first);
        spare->first = next;
    }
    spare->count = 0;
}

void *spare_blocks_take(struct spare_blocks *spare, size_t octets)
{
    if (spare == NULL || spare->first == NULL || octets != spare->octets)
        return malloc(octets);
    struct spare_block *block = spare->first;
    spare->first = block->next;
    spare->count--;
    return block;
}

void spare_blocks_give(struct spare_blocks *spare, void *memory, size_t octets)
{
    if (memory == NULL || spare == NULL || octets != spare->octets ||
        spare->count == spare->max) {
        free(memory);
        return;
    }
    struct spare_block *block = memory;
    block->next = spare->first;
    spare->first = block;
    spare->count++;
}
