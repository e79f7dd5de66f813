#include "proxy/login/login.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proxy/login/login_internal.h"

#define NAME_ARENA_CAP (16 * 1024)

static int read_backends(struct logins *logins,
                         const struct auth_settings *auth, struct diags *diags)
{
    int result = 0;
    logins->backends = calloc(auth->backend_count + 1, sizeof(struct users));
    if (logins->backends == NULL) {
        diags_error(diags, (struct mark){.file = "users"}, "out of memory");
        return -1;
    }
    for (size_t i = 0; i < auth->backend_count; i++) {
        const struct backend_settings *backend = &auth->backends[i];
        if (backend->users == NULL)
            continue;
        struct users *users = &logins->backends[logins->backend_count++];
        users_init(users);
        if (users_read(users, backend->users, backend->mark, diags) != 0)
            result = -1;
        logins->user_count += users->count;
    }
    return result;
}

static int start(struct logins *logins, const struct auth_settings *auth,
                 struct diags *diags)
{
    if (getrandom(logins->secret, sizeof logins->secret, 0) !=
        (ssize_t)sizeof logins->secret) {
        diags_error(diags, auth->backends[0].mark, "there is no randomness");
        return -1;
    }
    int error = hash_threads_start(&logins->threads);
    if (error != 0)
        diags_error(diags, auth->backends[0].mark,
                    "no thread for hashing can be started: %s",
                    strerror(error));
    return error == 0 ? 0 : -1;
}

struct logins *logins_new(const struct settings *settings, struct diags *diags)
{
    struct logins *logins = calloc(1, sizeof *logins);
    if (logins == NULL) {
        diags_error(diags, (struct mark){.file = "users"}, "out of memory");
        return NULL;
    }
    hash_threads_init(&logins->threads);
    if (read_backends(logins, &settings->auth, diags) == 0 &&
        (logins->user_count == 0 || start(logins, &settings->auth, diags) == 0))
        return logins;
    logins_free(logins);
    return NULL;
}

void logins_free(struct logins *logins)
{
    if (logins == NULL)
        return;
    hash_threads_release(&logins->threads);
    for (size_t i = 0; i < logins->backend_count; i++)
        users_release(&logins->backends[i]);
    free(logins->backends);
    explicit_bzero(logins->secret, sizeof logins->secret);
    free(logins);
}

static struct login_query *take_answer(struct login_client *client)
{
    struct hash_threads *threads = &client->logins->threads;
    pthread_mutex_lock(&threads->lock);
    struct login_query *query = client->answered.first;
    if (query != NULL)
        query_list_remove(&client->answered, query);
    pthread_mutex_unlock(&threads->lock);
    return query;
}

static void deliver(const struct login_query *query)
{
    struct login_answer answer = {.result = query->result};
    if (query->result == LOGIN_OK) {
        answer.user = query->user->name;
        answer.addresses = query->user->addresses;
        answer.address_count = query->user->address_count;
        answer.groups = query->user->groups;
        answer.group_count = query->user->group_count;
    }
    query->on_answer(query->owner, &answer);
}

static void on_wakeup(void *owner)
{
    struct login_client *client = owner;
    struct login_query *query;
    while ((query = take_answer(client)) != NULL) {
        deliver(query);
        login_query_free(query);
    }
}

struct login_client *login_client_new(struct logins *logins, struct loop *loop)
{
    struct login_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->logins = logins;
    client->wakeup = wakeup_new(loop, on_wakeup, client);
    if (client->wakeup == NULL) {
        free(client);
        return NULL;
    }
    return client;
}

/* With the lock held. */
static void drop_queued(struct hash_threads *threads,
                        const struct login_client *client)
{
    struct login_query *query = threads->queue.first;
    while (query != NULL) {
        struct login_query *next = query->next;
        if (query->client == client) {
            query_list_remove(&threads->queue, query);
            login_query_free(query);
        }
        query = next;
    }
}

void login_client_free(struct login_client *client)
{
    if (client == NULL)
        return;
    struct hash_threads *threads = &client->logins->threads;
    struct login_query *query;
    pthread_mutex_lock(&threads->lock);
    drop_queued(threads, client);
    for (size_t i = 0; i < threads->count; i++)
        if (threads->hashing[i] != NULL &&
            threads->hashing[i]->client == client)
            threads->hashing[i]->client = NULL;
    pthread_mutex_unlock(&threads->lock);
    while ((query = take_answer(client)) != NULL)
        login_query_free(query);
    wakeup_free(client->wakeup);
    free(client);
}

static const struct user *find_user(const struct logins *logins,
                                    struct str name)
{
    const struct user *user = NULL;
    struct arena arena;
    arena_init(&arena, NAME_ARENA_CAP);
    struct str normal = login_normalise(&arena, name);
    for (size_t i = 0; i < logins->backend_count; i++)
        if (normal.p != NULL && user == NULL)
            user = users_find(&logins->backends[i], normal);
    arena_release(&arena);
    return user;
}

static const char *nth_hash(const struct logins *logins, size_t n)
{
    for (size_t i = 0; i < logins->backend_count; i++) {
        if (n < logins->backends[i].count)
            return logins->backends[i].items[n].hash;
        n -= logins->backends[i].count;
    }
    return NULL;
}

/* A name that nobody has costs what some login costs, and always the same
 * one's: else asking twice would tell. */
static const char *choose_hash(const struct logins *logins,
                               const struct user *user, struct str name)
{
    if (user != NULL)
        return user->hash;
    if (logins->user_count == 0)
        return NULL;
    uint64_t chosen = keyed_hash(logins->secret, name);
    return nth_hash(logins, (size_t)(chosen % logins->user_count));
}

static struct login_query *make_query(struct login_client *client,
                                      struct str name, struct str password)
{
    struct login_query *query = calloc(1, sizeof *query + password.n + 1);
    if (query == NULL)
        return NULL;
    query->client = client;
    query->password_length = password.n;
    if (password.n > 0)
        memcpy(query->password, password.p, password.n);
    query->user = find_user(client->logins, name);
    query->hash = choose_hash(client->logins, query->user, name);
    return query;
}

struct login_query *
login_ask(struct login_client *client, struct str name, struct str password,
          void (*on_answer)(void *owner, const struct login_answer *),
          void *owner)
{
    struct hash_threads *threads = &client->logins->threads;
    struct login_query *query = make_query(client, name, password);
    if (query == NULL)
        return NULL;
    query->on_answer = on_answer;
    query->owner = owner;
    pthread_mutex_lock(&threads->lock);
    if (query->hash == NULL) {
        login_query_answer(query, LOGIN_FAILED);
    } else if (threads->queue.count >= HASH_QUEUE_MAX) {
        login_query_answer(query, LOGIN_UNAVAILABLE);
    } else {
        query->state = QUERY_QUEUED;
        query_list_push(&threads->queue, query);
        pthread_cond_signal(&threads->work);
    }
    pthread_mutex_unlock(&threads->lock);
    return query;
}

void login_cancel(struct login_query *query)
{
    struct login_client *client = query->client;
    assert(client != NULL);
    struct hash_threads *threads = &client->logins->threads;
    pthread_mutex_lock(&threads->lock);
    switch (query->state) {
    case QUERY_QUEUED:
        query_list_remove(&threads->queue, query);
        login_query_free(query);
        break;
    case QUERY_HASHING:
        query->client = NULL;
        break;
    case QUERY_ANSWERED:
        query_list_remove(&client->answered, query);
        login_query_free(query);
        break;
    }
    pthread_mutex_unlock(&threads->lock);
}
