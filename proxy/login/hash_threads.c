#include "proxy/login/login_internal.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/login/hash_check.h"

void query_list_push(struct query_list *list, struct login_query *query)
{
    query->next = NULL;
    query->previous = list->last;
    if (list->last != NULL)
        list->last->next = query;
    else
        list->first = query;
    list->last = query;
    list->count++;
}

void query_list_remove(struct query_list *list, struct login_query *query)
{
    if (query->previous != NULL)
        query->previous->next = query->next;
    else
        list->first = query->next;
    if (query->next != NULL)
        query->next->previous = query->previous;
    else
        list->last = query->previous;
    query->next = query->previous = NULL;
    list->count--;
}

void login_query_free(struct login_query *query)
{
    explicit_bzero(query->password, query->password_length);
    free(query);
}

void login_query_answer(struct login_query *query, enum login_result result)
{
    query->result = result;
    query->state = QUERY_ANSWERED;
    query_list_push(&query->client->answered, query);
    wakeup_wake(query->client->wakeup);
}

static enum login_result check(struct hash_check *hashing,
                               struct login_query *query)
{
    enum hash_verdict verdict = hash_check(hashing, query->password,
                                           query->password_length, query->hash);
    explicit_bzero(query->password, query->password_length);
    if (verdict == HASH_FAILED)
        return LOGIN_UNAVAILABLE;
    /* Nobody's password may by chance be the one that was borrowed. */
    return verdict == HASH_MATCHES && query->user != NULL ? LOGIN_OK
                                                          : LOGIN_FAILED;
}

static void *hash_queries(void *argument)
{
    struct hash_threads *threads = argument;
    struct hash_check hashing;
    hash_check_init(&hashing);
    pthread_mutex_lock(&threads->lock);
    struct login_query **mine = &threads->hashing[threads->next++];
    for (;;) {
        while (threads->queue.first == NULL && !threads->is_ending)
            pthread_cond_wait(&threads->work, &threads->lock);
        struct login_query *query = threads->queue.first;
        if (query == NULL)
            break;
        query_list_remove(&threads->queue, query);
        query->state = QUERY_HASHING;
        *mine = query;
        pthread_mutex_unlock(&threads->lock);
        enum login_result result = check(&hashing, query);
        pthread_mutex_lock(&threads->lock);
        *mine = NULL;
        if (query->client == NULL)
            login_query_free(query);
        else
            login_query_answer(query, result);
    }
    pthread_mutex_unlock(&threads->lock);
    hash_check_release(&hashing);
    return NULL;
}

void hash_threads_init(struct hash_threads *threads)
{
    *threads = (struct hash_threads){0};
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->work, NULL);
}

/* Half of the cores, so that a flood of logins leaves the loops theirs. */
static size_t wanted_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t half = cores < 2 ? 1 : (size_t)cores / 2;
    return half > HASH_THREADS_MAX ? HASH_THREADS_MAX : half;
}

int hash_threads_start(struct hash_threads *threads)
{
    sigset_t all, before;
    size_t wanted = wanted_threads();
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (threads->count < wanted && error == 0) {
        error = pthread_create(&threads->threads[threads->count], NULL,
                               hash_queries, threads);
        if (error == 0)
            threads->count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return threads->count > 0 ? 0 : error;
}

void hash_threads_release(struct hash_threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    assert(threads->queue.count == 0);
    threads->is_ending = true;
    pthread_cond_broadcast(&threads->work);
    pthread_mutex_unlock(&threads->lock);
    for (size_t i = 0; i < threads->count; i++)
        pthread_join(threads->threads[i], NULL);
    pthread_cond_destroy(&threads->work);
    pthread_mutex_destroy(&threads->lock);
}
