#include "proxy/login/hash_threads.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <string.h>
#include <unistd.h>

#include "proxy/log/quiet_thread.h"
#include "proxy/login/hash_check.h"
#include "rules/base/stack_wipe.h"

#define THREADS_MAX 4
/* What a line of a users file may hold, and more. */
#define HASH_CAP ((size_t)32 * 1024)
/* One in so many is a stranger's, whoever else waits. */
#define STRANGERS_TURN 4
/* A third of what a loop gets, where both want all of a core. */
#define HASHING_NICE 5

enum query_state {
    QUERY_QUEUED,  /* in a queue */
    QUERY_HASHING, /* a thread has it */
    QUERY_ANSWERED /* in its client's list of answers */
};

struct query_list {
    struct hash_query *first, *last;
    size_t count;
};

struct hash_query {
    struct hash_query *next, *previous; /* in a queue or the answers */
    struct query_list *queue;
    enum query_state state;
    struct hash_client *client; /* NULL: nobody waits for it any more */
    hash_then *then;
    void *owner;
    struct arena arena; /* of the hash */
    struct password_hash hash;
    bool is_stand_in;
    enum login_result result;
    char net[64]; /* the client's */
    size_t password_length;
    char password[]; /* terminated; wiped as soon as it was hashed */
};

struct hash_client {
    struct hash_threads *threads;
    struct wakeup *wakeup;
    struct query_list answered;
};

struct hash_threads {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct query_list known, strangers;
    unsigned turns; /* taken from the queues so far */
    struct hash_query *hashing[THREADS_MAX];
    pthread_t threads[THREADS_MAX];
    size_t count; /* of threads that were started */
    size_t next;  /* the number that the next thread to begin takes */
    bool is_ending;
};

static void list_push(struct query_list *list, struct hash_query *query)
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

static void list_remove(struct query_list *list, struct hash_query *query)
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

static void query_free(struct hash_query *query)
{
    explicit_bzero(query->password, query->password_length);
    password_hash_wipe(&query->hash);
    arena_release(&query->arena);
    free(query);
}

/* With the lock held: the answer is there, its client is woken. */
static void answer(struct hash_query *query, enum login_result result)
{
    query->result = result;
    query->state = QUERY_ANSWERED;
    list_push(&query->client->answered, query);
    wakeup_wake(query->client->wakeup);
}

static enum login_result check(struct hash_check *hashing,
                               struct hash_query *query)
{
    enum hash_verdict verdict = hash_check(
        hashing, query->password, query->password_length, &query->hash);
    explicit_bzero(query->password, query->password_length);
    stack_wipe();
    if (verdict == HASH_FAILED)
        return LOGIN_UNAVAILABLE;
    /* Nobody's password may by chance be the one that was borrowed. */
    return verdict == HASH_MATCHES && !query->is_stand_in ? LOGIN_OK
                                                          : LOGIN_FAILED;
}

/* With the lock held. NULL: nothing waits. */
static struct hash_query *take_next(struct hash_threads *threads)
{
    bool is_strangers_turn = threads->turns % STRANGERS_TURN == 0;
    struct query_list *first =
        is_strangers_turn ? &threads->strangers : &threads->known;
    struct query_list *second =
        is_strangers_turn ? &threads->known : &threads->strangers;
    struct query_list *queue = first->count > 0 ? first : second;
    struct hash_query *query = queue->first;
    if (query == NULL)
        return NULL;
    list_remove(queue, query);
    threads->turns++;
    return query;
}

/* On Linux a thread has a nice value of its own (setpriority(2)): where there
 * is not enough of the processor for all, those who are logged in go first. */
static void yield_to_loops(void)
{
    setpriority(PRIO_PROCESS, (id_t)gettid(), HASHING_NICE);
}

static void *hash_queries(void *argument)
{
    struct hash_threads *threads = argument;
    struct hash_check hashing;
    hash_check_init(&hashing);
    yield_to_loops();
    pthread_mutex_lock(&threads->lock);
    struct hash_query **mine = &threads->hashing[threads->next++];
    for (;;) {
        struct hash_query *query;
        while ((query = take_next(threads)) == NULL && !threads->is_ending)
            pthread_cond_wait(&threads->work, &threads->lock);
        if (query == NULL)
            break;
        query->state = QUERY_HASHING;
        *mine = query;
        pthread_mutex_unlock(&threads->lock);
        enum login_result result = check(&hashing, query);
        pthread_mutex_lock(&threads->lock);
        *mine = NULL;
        if (query->client == NULL)
            query_free(query);
        else
            answer(query, result);
    }
    pthread_mutex_unlock(&threads->lock);
    hash_check_release(&hashing);
    return NULL;
}

struct hash_threads *hash_threads_new(void)
{
    struct hash_threads *threads = calloc(1, sizeof *threads);
    if (threads == NULL)
        return NULL;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->work, NULL);
    return threads;
}

/* Half of the cores, so that a flood of logins leaves the loops theirs. */
static size_t wanted_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t half = cores < 2 ? 1 : (size_t)cores / 2;
    return half > THREADS_MAX ? THREADS_MAX : half;
}

int hash_threads_start(struct hash_threads *threads)
{
    size_t wanted = wanted_threads();
    int error = 0;
    while (threads->count < wanted && error == 0) {
        error = quiet_thread_start(&threads->threads[threads->count],
                                   hash_queries, threads);
        if (error == 0)
            threads->count++;
    }
    return threads->count > 0 ? 0 : error;
}

void hash_threads_free(struct hash_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_lock(&threads->lock);
    assert(threads->known.count == 0 && threads->strangers.count == 0);
    threads->is_ending = true;
    pthread_cond_broadcast(&threads->work);
    pthread_mutex_unlock(&threads->lock);
    for (size_t i = 0; i < threads->count; i++)
        pthread_join(threads->threads[i], NULL);
    pthread_cond_destroy(&threads->work);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

static struct hash_query *take_answer(struct hash_client *client)
{
    struct hash_threads *threads = client->threads;
    pthread_mutex_lock(&threads->lock);
    struct hash_query *query = client->answered.first;
    if (query != NULL)
        list_remove(&client->answered, query);
    pthread_mutex_unlock(&threads->lock);
    return query;
}

static void on_wakeup(void *owner)
{
    struct hash_client *client = owner;
    struct hash_query *query;
    while ((query = take_answer(client)) != NULL) {
        hash_then *then = query->then;
        void *asker = query->owner;
        enum login_result result = query->result;
        query_free(query);
        then(asker, result);
    }
}

struct hash_client *hash_client_new(struct hash_threads *threads,
                                    struct loop *loop)
{
    struct hash_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->threads = threads;
    client->wakeup = wakeup_new(loop, on_wakeup, client);
    if (client->wakeup == NULL) {
        free(client);
        return NULL;
    }
    return client;
}

/* With the lock held. */
static void drop_queued(struct query_list *queue,
                        const struct hash_client *client)
{
    struct hash_query *query = queue->first;
    while (query != NULL) {
        struct hash_query *next = query->next;
        if (query->client == client) {
            list_remove(queue, query);
            query_free(query);
        }
        query = next;
    }
}

void hash_client_free(struct hash_client *client)
{
    if (client == NULL)
        return;
    struct hash_threads *threads = client->threads;
    struct hash_query *query;
    pthread_mutex_lock(&threads->lock);
    drop_queued(&threads->known, client);
    drop_queued(&threads->strangers, client);
    for (size_t i = 0; i < threads->count; i++)
        if (threads->hashing[i] != NULL &&
            threads->hashing[i]->client == client)
            threads->hashing[i]->client = NULL;
    pthread_mutex_unlock(&threads->lock);
    while ((query = take_answer(client)) != NULL)
        query_free(query);
    wakeup_free(client->wakeup);
    free(client);
}

/* With the lock held. */
static bool has_room(const struct hash_threads *threads,
                     const struct hash_query *query)
{
    size_t alike = 0;
    if (query->queue->count >= HASH_QUEUE_MAX)
        return false;
    if (query->queue == &threads->known)
        return true;
    for (const struct hash_query *other = query->queue->first; other != NULL;
         other = other->next)
        alike += strcmp(other->net, query->net) == 0;
    return alike < HASH_QUEUE_NET_MAX;
}

static struct hash_query *make_query(struct hash_client *client,
                                     const struct claim *claim,
                                     const struct password_hash *hash)
{
    struct hash_query *query = calloc(1, sizeof *query + claim->secret.n + 1);
    if (query == NULL)
        return NULL;
    arena_init(&query->arena, HASH_CAP);
    if (password_hash_copy(&query->arena, hash, &query->hash) != 0) {
        query_free(query);
        return NULL;
    }
    struct str net = str_head(claim->net, sizeof query->net - 1);
    query->client = client;
    query->queue =
        claim->is_known ? &client->threads->known : &client->threads->strangers;
    query->password_length = claim->secret.n;
    if (claim->secret.n > 0)
        memcpy(query->password, claim->secret.p, claim->secret.n);
    if (net.n > 0)
        memcpy(query->net, net.p, net.n);
    return query;
}

struct hash_query *hash_ask(struct hash_client *client,
                            const struct claim *claim,
                            const struct password_hash *hash, bool is_stand_in,
                            hash_then *then, void *owner)
{
    struct hash_threads *threads = client->threads;
    /* Else the time would tell that there is nothing to hash. */
    assert(hash->kind != PASSWORD_NONE);
    struct hash_query *query = make_query(client, claim, hash);
    if (query == NULL)
        return NULL;
    query->is_stand_in = is_stand_in;
    query->then = then;
    query->owner = owner;
    pthread_mutex_lock(&threads->lock);
    if (has_room(threads, query)) {
        query->state = QUERY_QUEUED;
        list_push(query->queue, query);
        pthread_cond_signal(&threads->work);
    } else {
        answer(query, LOGIN_UNAVAILABLE);
    }
    pthread_mutex_unlock(&threads->lock);
    return query;
}

void hash_cancel(struct hash_query *query)
{
    struct hash_client *client = query->client;
    assert(client != NULL);
    struct hash_threads *threads = client->threads;
    pthread_mutex_lock(&threads->lock);
    switch (query->state) {
    case QUERY_QUEUED:
        list_remove(query->queue, query);
        query_free(query);
        break;
    case QUERY_HASHING:
        query->client = NULL;
        break;
    case QUERY_ANSWERED:
        list_remove(&client->answered, query);
        query_free(query);
        break;
    }
    pthread_mutex_unlock(&threads->lock);
}
