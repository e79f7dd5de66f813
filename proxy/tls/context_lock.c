#include "proxy/tls/context_lock.h"

#include <pthread.h>
#include <stdlib.h>

struct context_lock {
    pthread_rwlock_t lock;
};

struct context_lock *context_lock_new(void)
{
    struct context_lock *lock = malloc(sizeof *lock);
    if (lock != NULL)
        pthread_rwlock_init(&lock->lock, NULL);
    return lock;
}

void context_lock_free(struct context_lock *lock)
{
    if (lock != NULL)
        pthread_rwlock_destroy(&lock->lock);
    free(lock);
}

void context_lock_read(struct context_lock *lock)
{
    pthread_rwlock_rdlock(&lock->lock);
}

void context_lock_write(struct context_lock *lock)
{
    pthread_rwlock_wrlock(&lock->lock);
}

void context_lock_leave(struct context_lock *lock)
{
    pthread_rwlock_unlock(&lock->lock);
}
