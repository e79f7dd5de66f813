/* How many file descriptors the process may have open at a time. */
#ifndef PROXY_NET_DESCRIPTORS_H
#define PROXY_NET_DESCRIPTORS_H

#include <stddef.h>

/* Raises the soft limit to `wanted`, or as far as the hard one lets it; never
 * lowers it. Gives what holds from now on. */
size_t descriptors_allow(size_t wanted);

#endif
