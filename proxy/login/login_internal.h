/* What login.c and hash_threads.c share. One lock guards the queue, the
 * lists of answers and every query's state; it is held for pointers only. */
#ifndef PROXY_LOGIN_LOGIN_INTERNAL_H
#define PROXY_LOGIN_LOGIN_INTERNAL_H

#include <pthread.h>

#include "proxy/login/login.h"
#include "proxy/login/users_file.h"
#include "rules/base/keyed_hash.h"

#define HASH_THREADS_MAX 4
#define HASH_QUEUE_MAX 256

enum query_state {
    QUERY_QUEUED,  /* in the queue */
    QUERY_HASHING, /* a thread has it */
    QUERY_ANSWERED /* in its client's list of answers */
};

struct login_query {
    struct login_query *next, *previous; /* in the queue or the answers */
    enum query_state state;
    struct login_client *client; /* NULL: nobody waits for it any more */
    void (*on_answer)(void *owner, const struct login_answer *answer);
    void *owner;
    const struct user *user; /* NULL: nobody has that name */
    const char *hash;        /* to check against, borrowed from a user */
    enum login_result result;
    size_t password_length;
    char password[]; /* terminated; wiped as soon as it was hashed */
};

struct query_list {
    struct login_query *first, *last;
    size_t count;
};

void query_list_push(struct query_list *list, struct login_query *query);
void query_list_remove(struct query_list *list, struct login_query *query);
/* Wipes and frees. */
void login_query_free(struct login_query *query);

struct login_client {
    struct logins *logins;
    struct wakeup *wakeup;
    struct query_list answered;
};

/* The threads: they take from the queue and put into the answers. */
struct hash_threads {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct query_list queue;
    struct login_query *hashing[HASH_THREADS_MAX];
    pthread_t threads[HASH_THREADS_MAX];
    size_t count; /* of threads that were started */
    size_t next;  /* the number that the next thread to begin takes */
    bool is_ending;
};

struct logins {
    struct users *backends; /* one a users file, in order */
    size_t backend_count;
    size_t user_count; /* of all back-ends */
    uint8_t secret[KEYED_HASH_SECRET];
    struct hash_threads threads;
};

void hash_threads_init(struct hash_threads *threads);
/* 0, or an errno when not even one thread could be started. */
int hash_threads_start(struct hash_threads *threads);
/* Ends and joins them; the queue must be empty. */
void hash_threads_release(struct hash_threads *threads);

/* With the lock held: the answer is there, its client is woken. */
void login_query_answer(struct login_query *query, enum login_result result);

#endif
