/* Allocations of the product, counted, one of them failing. The linker wraps
 * malloc, calloc, realloc, strdup and free (see CMakeLists.txt); what the
 * product allocates between alloc_fault_enter() and alloc_fault_leave() is
 * counted and remembered until it is freed, so that a run can tell what it
 * left behind. The runner's own memory comes from plain_alloc() and is never
 * refused. One thread only: the wrapped functions have no other place to
 * keep their count than a variable of their file. */
#ifndef TESTS_DIALOGUE_ALLOC_FAULT_H
#define TESTS_DIALOGUE_ALLOC_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/* Counts anew; the nth allocation from here on fails, 0: none. `is_lasting`:
 * and so do all behind it. */
void alloc_fault_arm(size_t nth, bool is_lasting);
/* The product runs between these two. Not nested. */
void alloc_fault_enter(void);
void alloc_fault_leave(void);
/* One more allocation of a fake that stands for a real module: true when
 * this is the one that fails. */
bool alloc_fault_strikes(void);

bool alloc_fault_has_struck(void);
/* Blocks of the product that were not freed. */
size_t alloc_fault_live(void);
/* Forgets them, so that the next run starts from zero. */
void alloc_fault_forget(void);

/* Zeroed; the program ends when there is no memory. */
void *plain_alloc(size_t bytes);
void *plain_grow(void *block, size_t bytes);
void plain_free(void *block);

#endif
