/* A lock in memory that processes share. One that died holding it leaves it
 * to the next who asks: nobody waits for the dead. If it died within a change
 * the next one is told, and puts right what the lock guards. */
#ifndef PROXY_BUDGETS_ROBUST_LOCK_H
#define PROXY_BUDGETS_ROBUST_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct robust_lock {
    pthread_mutex_t mutex;
    atomic_bool is_changing; /* whoever holds it may have changed something */
};

enum robust_lock_use { LOCK_TO_READ, LOCK_TO_CHANGE };

/* is_shared: between processes; what is not is a lock like any other. 0, or
 * -1. */
int robust_lock_init(struct robust_lock *lock, bool is_shared);
/* True: taken, and all is well. False: taken, but the last owner died within
 * a change. Then put things right and say so. */
bool robust_lock_take(struct robust_lock *lock, enum robust_lock_use use);
void robust_lock_mended(struct robust_lock *lock);
void robust_lock_release(struct robust_lock *lock);

#endif
