/* Memory of zeros in which tables can be laid, aligned to a line of the
 * cache. What is large comes as pages that cost nothing until touched. */
#ifndef RULES_BASE_ZEROED_BLOCK_H
#define RULES_BASE_ZEROED_BLOCK_H

#include <stddef.h>

#define ZEROED_BLOCK_ALIGNMENT 64

/* NULL when out of memory. *allocation is what to free(). */
void *zeroed_block_new(size_t octets, void **allocation);
/* A size such that what follows is aligned too. */
size_t zeroed_block_size(size_t octets);

#endif
