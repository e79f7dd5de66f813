/* Looks through the test's own memory, given back or not, as the kernel sees
 * it. */
#ifndef TESTS_SUPPORT_OWN_MEMORY_H
#define TESTS_SUPPORT_OWN_MEMORY_H

#include "rules/base/str.h"

#define OWN_MEMORY_MASK 0x5a

/* How often octets are there that `masked` gives when each is taken by
 * exclusive or with OWN_MEMORY_MASK: so that the question itself is not found.
 */
size_t own_memory_count(struct str masked);

#endif
