/* How many connections there are, in all and from each client net (the /32 of
 * IPv4, the /64 of IPv6): one for all workers, and for the processes of an
 * upgrade together. Each process has a slot, a number below SLOTS, so that
 * what one that died had counted can be given back. The caps are each
 * process's own. Thread-safe, bounded by the cap on connections. */
#ifndef PROXY_BUDGETS_CONNECTION_COUNTS_H
#define PROXY_BUDGETS_CONNECTION_COUNTS_H

#include "rules/cidr.h"
#include "rules/slot_counts.h"

struct connection_counts;

/* Of this process alone. NULL when out of memory. */
struct connection_counts *connection_counts_new(size_t max, size_t max_per_net);
/* The same in memory that other processes can attach to. There is room for at
 * least four times as many nets as `max`, should a later process allow more.
 * NULL with errno. */
struct connection_counts *
connection_counts_create(size_t max, size_t max_per_net, unsigned slot);
enum connection_counts_attached {
    CONNECTION_COUNTS_ATTACHED,
    CONNECTION_COUNTS_FOREIGN, /* no counts, or those of another version */
    CONNECTION_COUNTS_FAILED   /* errno */
};
/* What another process has made, by a descriptor that stays the caller's. What
 * the slot still had, from a process before, is given back. */
enum connection_counts_attached
connection_counts_attach(int fd, size_t max, size_t max_per_net, unsigned slot,
                         struct connection_counts **out);
/* What to hand on; owned by the counts. -1: of this process alone. */
int connection_counts_memory(const struct connection_counts *counts);
void connection_counts_free(struct connection_counts *counts);
/* Gives back all that a process that is no more had taken. */
void connection_counts_forget(struct connection_counts *counts, unsigned slot);

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
/* Of all processes. */
size_t connection_counts_total(const struct connection_counts *counts);
/* Whether more than so many percent of the places are taken. */
bool connection_counts_is_crowded(const struct connection_counts *counts,
                                  uint64_t percent);

#endif
