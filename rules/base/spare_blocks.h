/* Memory blocks of one size that were given back, for those who want one next:
 * what comes and goes with each message then takes no memory anew. A value; one
 * thread's. Zeroed, or where NULL stands for one, nothing is kept. */
#ifndef RULES_BASE_SPARE_BLOCKS_H
#define RULES_BASE_SPARE_BLOCKS_H

#include <stddef.h>

struct spare_blocks {
    struct spare_block *first;
    size_t octets; /* of a block */
    size_t count, max;
};

/* `max` blocks are kept at most; under the address sanitizer none, so that it
 * sees what is used after its end. A block has room for a pointer. */
void spare_blocks_init(struct spare_blocks *spare, size_t octets, size_t max);
void spare_blocks_release(struct spare_blocks *spare);

/* As malloc(), and free() of what it gave; of any size. */
void *spare_blocks_take(struct spare_blocks *spare, size_t octets);
void spare_blocks_give(struct spare_blocks *spare, void *memory, size_t octets);

#endif
