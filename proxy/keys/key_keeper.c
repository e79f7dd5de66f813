/* The thread alone changes the sockets that it polls, and the keys that it
 * signs with. What others bring waits behind the lock until it looks. */
#include "proxy/keys/key_keeper.h"

#include "proxy/keys/key_wire.h"
#include "proxy/log/quiet_thread.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct key_keeper {
    key_keeper_tell tell;
    void *owner;
    pthread_t thread;
    int wake;             /* an eventfd: look behind the lock */
    struct pollfd *polls; /* the wake, then the sockets */
    size_t count;         /* of them, the wake included */
    struct key_set *keys, *previous;
    pthread_mutex_t lock; /* of what follows */
    bool is_ending;
    bool has_fresh;
    struct key_set *fresh;
    bool is_reverted; /* the renewal before `fresh`, if there is one */
    int arrivals[KEY_KEEPER_SOCKETS_MAX]; /* not polled yet */
    size_t arrival_count;
    size_t taken; /* sockets that are here or arrive */
};

static void look(struct key_keeper *keeper)
{
    uint64_t one = 1;
    /* It fails when it counts up to its maximum: then it is awake. */
    (void)!write(keeper->wake, &one, sizeof one);
}

/* Renewed keys count from the next question on, so this is asked at each. */
static void adopt_keys(struct key_keeper *keeper)
{
    struct key_set *old = NULL;
    pthread_mutex_lock(&keeper->lock);
    if (keeper->is_reverted) {
        old = keeper->keys;
        keeper->keys = keeper->previous;
        keeper->previous = NULL;
        keeper->is_reverted = false;
        key_set_free(old);
        old = NULL;
    }
    if (keeper->has_fresh) {
        old = keeper->previous;
        keeper->previous = keeper->keys;
        keeper->keys = keeper->fresh;
        keeper->has_fresh = false;
        keeper->fresh = NULL;
    }
    pthread_mutex_unlock(&keeper->lock);
    key_set_free(old);
}

/* True when it is to end. */
static bool adopt_sockets(struct key_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    for (size_t i = 0; i < keeper->arrival_count; i++)
        keeper->polls[keeper->count++] =
            (struct pollfd){.fd = keeper->arrivals[i], .events = POLLIN};
    keeper->arrival_count = 0;
    bool is_ending = keeper->is_ending;
    pthread_mutex_unlock(&keeper->lock);
    return is_ending;
}

static void drop_socket(struct key_keeper *keeper, size_t index)
{
    close(keeper->polls[index].fd);
    pthread_mutex_lock(&keeper->lock);
    keeper->polls[index] = keeper->polls[--keeper->count];
    keeper->taken--;
    pthread_mutex_unlock(&keeper->lock);
}

static void answer(struct key_keeper *keeper, int fd, uint32_t id,
                   const struct key_question *question)
{
    char message[KEY_WIRE_ROOM];
    struct key_signature signature;
    adopt_keys(keeper);
    enum key_result result = key_set_sign(keeper->keys, question, &signature);
    if (result == KEY_UNKNOWN)
        result = key_set_sign(keeper->previous, question, &signature);
    if (result == KEY_UNKNOWN)
        keeper->tell(keeper->owner,
                     "a signature was asked for by a key that is not here: "
                     "the certificate was renewed twice, or is another's");
    if (result == KEY_REFUSED)
        keeper->tell(keeper->owner,
                     "a signature was refused: what was to be signed is no "
                     "part of a TLS handshake, or not for such a key");
    size_t n = key_wire_put_answer(message, id,
                                   str_span(signature.octets, signature.n));
    /* Who does not read answers gets none: its deadline tells it. */
    (void)!send(fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* One message, so that each socket has its turn. False: it is to be closed. */
static bool serve(struct key_keeper *keeper, int fd)
{
    char message[KEY_WIRE_ROOM];
    struct key_question question;
    uint32_t id;
    ssize_t n = recv(fd, message, sizeof message, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    if (key_wire_get_question(str_span(message, (size_t)n), &id, &question) !=
        0) {
        keeper->tell(keeper->owner,
                     "what asks for signatures sent something else, and is "
                     "not listened to any more");
        return false;
    }
    answer(keeper, fd, id, &question);
    return true;
}

/* From the end, as one that is dropped is replaced by the last. */
static void serve_all(struct key_keeper *keeper)
{
    for (size_t i = keeper->count - 1; i > 0; i--)
        if (keeper->polls[i].revents != 0 &&
            !serve(keeper, keeper->polls[i].fd))
            drop_socket(keeper, i);
}

static void *run(void *argument)
{
    struct key_keeper *keeper = argument;
    uint64_t count;
    while (!adopt_sockets(keeper)) {
        if (poll(keeper->polls, (nfds_t)keeper->count, -1) < 0)
            continue;
        if (keeper->polls[0].revents != 0)
            (void)!read(keeper->wake, &count, sizeof count);
        serve_all(keeper);
    }
    return NULL;
}

static void release(struct key_keeper *keeper)
{
    for (size_t i = 1; i < keeper->count; i++)
        close(keeper->polls[i].fd);
    for (size_t i = 0; i < keeper->arrival_count; i++)
        close(keeper->arrivals[i]);
    if (keeper->wake >= 0)
        close(keeper->wake);
    key_set_free(keeper->keys);
    key_set_free(keeper->previous);
    key_set_free(keeper->fresh);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper->polls);
    free(keeper);
}

struct key_keeper *key_keeper_new(key_keeper_tell tell, void *owner)
{
    struct key_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL)
        return NULL;
    keeper->tell = tell;
    keeper->owner = owner;
    pthread_mutex_init(&keeper->lock, NULL);
    keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    keeper->polls = calloc(KEY_KEEPER_SOCKETS_MAX + 1, sizeof *keeper->polls);
    if (keeper->wake >= 0 && keeper->polls != NULL) {
        keeper->polls[keeper->count++] =
            (struct pollfd){.fd = keeper->wake, .events = POLLIN};
        if (quiet_thread_start(&keeper->thread, run, keeper) == 0)
            return keeper;
    }
    release(keeper);
    return NULL;
}

void key_keeper_free(struct key_keeper *keeper)
{
    if (keeper == NULL)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->is_ending = true;
    pthread_mutex_unlock(&keeper->lock);
    look(keeper);
    pthread_join(keeper->thread, NULL);
    release(keeper);
}

size_t key_keeper_sockets(struct key_keeper *keeper, int *fds, size_t room)
{
    size_t count = 0;
    pthread_mutex_lock(&keeper->lock);
    for (size_t i = 1; i < keeper->count && count < room; i++)
        fds[count++] = keeper->polls[i].fd;
    for (size_t i = 0; i < keeper->arrival_count && count < room; i++)
        fds[count++] = keeper->arrivals[i];
    pthread_mutex_unlock(&keeper->lock);
    return count;
}

void key_keeper_renew(struct key_keeper *keeper, struct key_set *fresh)
{
    pthread_mutex_lock(&keeper->lock);
    struct key_set *unused = keeper->fresh;
    keeper->fresh = fresh;
    keeper->has_fresh = true;
    pthread_mutex_unlock(&keeper->lock);
    key_set_free(unused);
}

/* One that was not taken up yet is only dropped. */
void key_keeper_revert(struct key_keeper *keeper)
{
    pthread_mutex_lock(&keeper->lock);
    struct key_set *unused = keeper->fresh;
    keeper->fresh = NULL;
    keeper->is_reverted = !keeper->has_fresh;
    keeper->has_fresh = false;
    pthread_mutex_unlock(&keeper->lock);
    key_set_free(unused);
}

int key_keeper_add(struct key_keeper *keeper, int fd)
{
    pthread_mutex_lock(&keeper->lock);
    bool has_room = keeper->taken < KEY_KEEPER_SOCKETS_MAX;
    if (has_room) {
        keeper->arrivals[keeper->arrival_count++] = fd;
        keeper->taken++;
    }
    pthread_mutex_unlock(&keeper->lock);
    if (has_room)
        look(keeper);
    else
        close(fd);
    return has_room ? 0 : -1;
}
