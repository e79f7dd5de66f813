/* How many connections there are, in all and from each client net (the /32 of
 * IPv4, the /64 of IPv6): one for all workers. Thread-safe, bounded by the
 * cap on connections. */
#ifndef PROXY_BUDGETS_CONNECTION_COUNTS_H
#define PROXY_BUDGETS_CONNECTION_COUNTS_H

#include "rules/cidr.h"

struct connection_counts;

/* NULL when out of memory. */
struct connection_counts *connection_counts_new(size_t max, size_t max_per_net);
void connection_counts_free(struct connection_counts *counts);

enum connection_room { CONNECTION_TAKEN, CONNECTION_FULL, CONNECTION_NET_FULL };

/* Takes a place for a client, or with NULL for one that is not known yet; only
 * CONNECTION_TAKEN must be given back. */
enum connection_room connection_counts_take(struct connection_counts *counts,
                                            const struct ip *client);
/* The place was taken for this one. CONNECTION_NET_FULL: it stays that of
 * nobody in particular. */
enum connection_room connection_counts_name(struct connection_counts *counts,
                                            const struct ip *client);
/* With NULL a place that was never named. */
void connection_counts_give(struct connection_counts *counts,
                            const struct ip *client);
size_t connection_counts_total(const struct connection_counts *counts);
/* Whether more than so many percent of the places are taken. */
bool connection_counts_is_crowded(const struct connection_counts *counts,
                                  uint64_t percent);

#endif
