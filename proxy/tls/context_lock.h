/* What keeps the certificates of a context together while they are exchanged:
 * held to find one, or to begin a connection, never while octets move. */
#ifndef PROXY_TLS_CONTEXT_LOCK_H
#define PROXY_TLS_CONTEXT_LOCK_H

struct context_lock;

/* NULL when out of memory. */
struct context_lock *context_lock_new(void);
/* NULL is fine. */
void context_lock_free(struct context_lock *lock);
void context_lock_read(struct context_lock *lock);
void context_lock_write(struct context_lock *lock);
void context_lock_leave(struct context_lock *lock);

#endif
