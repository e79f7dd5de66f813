/* The settings of a process that serves, as reloads replace them: the newest
 * for whoever begins something, older ones until nobody uses them any more. A
 * thread of its own frees those, so that no loop stalls over a large one.
 * Thread-safe, but for snapshots_take(), which one thread at a time may call.
 */
#ifndef PROXY_CONTROL_SNAPSHOTS_H
#define PROXY_CONTROL_SNAPSHOTS_H

#include "config/settings.h"

struct snapshots;

/* `base` is what the server began with; a reference is taken. Its server's
 * part stays valid until snapshots_free(). NULL when out of memory or threads.
 */
struct snapshots *snapshots_new(const struct settings *base);
/* All snapshots must be out of use, but for the first. NULL is fine. */
void snapshots_free(struct snapshots *snapshots);

/* Makes a snapshot the newest; it stays valid until snapshots_free() or until
 * nobody has a reference and a newer one is there. The reference is taken over,
 * but on failure: -1, out of memory. */
int snapshots_take(struct snapshots *snapshots, const struct settings *fresh);
/* The newest, a reference. */
const struct settings *snapshots_newest(struct snapshots *snapshots);

#endif
