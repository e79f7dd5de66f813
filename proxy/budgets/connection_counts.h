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

/* Takes a place for a client; only CONNECTION_TAKEN must be given back. */
enum connection_room connection_counts_take(struct connection_counts *counts,
                                            const struct ip *client);
void connection_counts_give(struct connection_counts *counts,
                            const struct ip *client);
size_t connection_counts_total(const struct connection_counts *counts);
/* Whether more than 80 % of the places are taken. */
bool connection_counts_is_crowded(const struct connection_counts *counts);

#endif
