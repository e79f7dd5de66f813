#include "proxy/budgets/robust_lock.h"

#include <assert.h>
#include <errno.h>

int robust_lock_init(struct robust_lock *lock, bool is_shared)
{
    pthread_mutexattr_t attributes;
    atomic_init(&lock->is_changing, false);
    if (!is_shared)
        return pthread_mutex_init(&lock->mutex, NULL) == 0 ? 0 : -1;
    if (pthread_mutexattr_init(&attributes) != 0)
        return -1;
    int rc = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (rc == 0)
        rc = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (rc == 0)
        rc = pthread_mutex_init(&lock->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return rc == 0 ? 0 : -1;
}

bool robust_lock_take(struct robust_lock *lock, enum robust_lock_use use)
{
    int rc = pthread_mutex_lock(&lock->mutex);
    assert(rc == 0 || rc == EOWNERDEAD);
    if (rc == EOWNERDEAD) {
        if (atomic_load(&lock->is_changing))
            return false;
        pthread_mutex_consistent(&lock->mutex);
    }
    if (use == LOCK_TO_CHANGE) {
        atomic_store_explicit(&lock->is_changing, true, memory_order_relaxed);
        /* Before any change, should this process die in between. */
        atomic_thread_fence(memory_order_release);
    }
    return true;
}

/* Only now: whoever dies while putting right leaves it to be put right. */
void robust_lock_mended(struct robust_lock *lock)
{
    pthread_mutex_consistent(&lock->mutex);
}

void robust_lock_release(struct robust_lock *lock)
{
    atomic_store_explicit(&lock->is_changing, false, memory_order_release);
    int rc = pthread_mutex_unlock(&lock->mutex);
    assert(rc == 0);
    (void)rc;
}
