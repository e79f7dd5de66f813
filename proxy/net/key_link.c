/* Waits stand in the order in which they asked, which is that of their
 * deadlines and, nearly always, of the answers. */
#include "proxy/net/key_link.h"

#include "proxy/keys/key_wire.h"
#include "proxy/net/loop_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A turn, so that sessions get theirs. */
#define ANSWERS_MAX 64

struct key_link {
    struct loop *loop;
    uv_poll_t poll;
    uv_timer_t timer; /* of the first that waits */
    unsigned open_handles;
    int fd;             /* -1: the keeper is gone */
    uint64_t period_ms; /* from a question to its deadline */
    struct key_wait *first, *last;
    size_t count;
    uint32_t next_id;
};

static const char GONE[] =
    "the keeper of the private keys (tls.key_isolation) is gone";

static void on_event(uv_poll_t *handle, int status, int events);
static void on_deadline(uv_timer_t *handle);

static void watch(struct key_link *link, bool has_unsent)
{
    if (link->fd >= 0)
        uv_poll_start(&link->poll,
                      has_unsent ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                      on_event);
}

static void set_timer(struct key_link *link)
{
    uint64_t now = loop_now_ms(link->loop);
    if (link->first == NULL)
        uv_timer_stop(&link->timer);
    else
        uv_timer_start(
            &link->timer, on_deadline,
            link->first->deadline_ms > now ? link->first->deadline_ms - now : 0,
            0);
}

static void take_out(struct key_link *link, struct key_wait *wait)
{
    bool was_first = link->first == wait;
    if (wait->previous != NULL)
        wait->previous->next = wait->next;
    else
        link->first = wait->next;
    if (wait->next != NULL)
        wait->next->previous = wait->previous;
    else
        link->last = wait->previous;
    wait->next = wait->previous = NULL;
    wait->is_waiting = false;
    link->count--;
    if (was_first)
        set_timer(link);
}

/* `done` may ask anew, or end the stream. */
static void end_wait(struct key_link *link, struct key_wait *wait,
                     struct str signature, const char *words)
{
    take_out(link, wait);
    wait->done(wait, signature, words);
}

static void lose_keeper(struct key_link *link)
{
    if (link->fd < 0)
        return;
    uv_poll_stop(&link->poll);
    close(link->fd);
    link->fd = -1;
    while (link->first != NULL)
        end_wait(link, link->first, STR(""), GONE);
}

static void on_deadline(uv_timer_t *handle)
{
    struct key_link *link = handle->data;
    char words[120];
    snprintf(words, sizeof words,
             "the keeper of the private keys (tls.key_isolation) did not "
             "answer within %llums",
             (unsigned long long)link->period_ms);
    while (link->first != NULL &&
           link->first->deadline_ms <= loop_now_ms(link->loop))
        end_wait(link, link->first, STR(""), words);
}

/* 1: sent; 0: the socket is full; -1: the keeper is gone. */
static int send_question(const struct key_link *link, struct key_wait *wait)
{
    char message[KEY_WIRE_ROOM];
    size_t n = key_wire_put_question(message, wait->id, &wait->question);
    if (send(link->fd, message, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
        wait->is_sent = true;
        return 1;
    }
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
}

static void send_unsent(struct key_link *link)
{
    int result = 1;
    for (struct key_wait *wait = link->first; wait != NULL && result > 0;
         wait = wait->next)
        if (!wait->is_sent)
            result = send_question(link, wait);
    if (result < 0)
        lose_keeper(link);
    else
        watch(link, result == 0);
}

static struct key_wait *find(const struct key_link *link, uint32_t id)
{
    struct key_wait *wait = link->first;
    while (wait != NULL && wait->id != id)
        wait = wait->next;
    return wait;
}

/* False when there are no more. */
static bool take_answer(struct key_link *link)
{
    char message[KEY_WIRE_ROOM];
    struct str signature;
    uint32_t id;
    ssize_t n = recv(link->fd, message, sizeof message, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0 || key_wire_get_answer(str_span(message, (size_t)n), &id,
                                      &signature) != 0) {
        lose_keeper(link);
        return false;
    }
    struct key_wait *wait = find(link, id);
    /* Who has gone meanwhile is not answered. */
    if (wait != NULL && wait->is_sent)
        end_wait(link, wait, signature,
                 "the keeper of the private keys (tls.key_isolation) refuses "
                 "to sign: the log says why");
    return true;
}

static void on_event(uv_poll_t *handle, int status, int events)
{
    struct key_link *link = handle->data;
    if (status != 0) {
        lose_keeper(link);
        return;
    }
    for (int i = 0; i < ANSWERS_MAX && link->fd >= 0; i++)
        if (!take_answer(link))
            break;
    if (link->fd >= 0 && (events & UV_WRITABLE) != 0)
        send_unsent(link);
}

static void on_closed(uv_handle_t *handle)
{
    struct key_link *link = handle->data;
    if (--link->open_handles == 0)
        free(link);
}

int key_link_open(struct loop *loop, int fd, uint64_t deadline_ms)
{
    struct key_link *link = calloc(1, sizeof *link);
    if (link == NULL || uv_poll_init(&loop->uv, &link->poll, fd) != 0) {
        free(link);
        close(fd);
        return -1;
    }
    key_link_close(loop);
    uv_timer_init(&loop->uv, &link->timer);
    link->loop = loop;
    link->fd = fd;
    link->period_ms = deadline_ms;
    link->open_handles = 2;
    link->poll.data = link->timer.data = link;
    /* Alone it is no reason for the loop to go on. */
    uv_unref((uv_handle_t *)&link->poll);
    loop->keys = link;
    watch(link, false);
    return 0;
}

void key_link_close(struct loop *loop)
{
    struct key_link *link = loop->keys;
    if (link == NULL)
        return;
    loop->keys = NULL;
    lose_keeper(link);
    uv_close((uv_handle_t *)&link->poll, on_closed);
    uv_close((uv_handle_t *)&link->timer, on_closed);
}

const char *key_link_ask(struct loop *loop, struct key_wait *wait,
                         const struct key_question *question)
{
    struct key_link *link = loop->keys;
    if (link == NULL || link->fd < 0)
        return GONE;
    if (link->count >= KEY_LINK_WAITS_MAX)
        return "too many handshakes wait for the keeper of the private keys "
               "(tls.key_isolation)";
    bool has_unsent = link->last != NULL && !link->last->is_sent;
    wait->question = *question;
    wait->deadline_ms = loop_now_ms(loop) + link->period_ms;
    wait->id = link->next_id++;
    wait->is_waiting = true;
    wait->is_sent = false;
    wait->next = NULL;
    wait->previous = link->last;
    if (link->last != NULL)
        link->last->next = wait;
    else
        link->first = wait;
    link->last = wait;
    link->count++;
    if (link->first == wait)
        set_timer(link);
    /* A keeper that is gone is seen by the next poll, and told then. */
    if (!has_unsent && send_question(link, wait) <= 0)
        watch(link, true);
    return NULL;
}

void key_link_forget(struct loop *loop, struct key_wait *wait)
{
    if (wait->is_waiting && loop->keys != NULL)
        take_out(loop->keys, wait);
}
