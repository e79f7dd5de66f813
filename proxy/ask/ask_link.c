/* One connection to a policy server. */
#include "proxy/ask/asks_internal.h"

#include <stdlib.h>

static void unlink_link(struct ask_link *link)
{
    struct ask_link **at = &link->server->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    link->server->link_count--;
}

void ask_link_drop(struct ask_link *link)
{
    if (link->ask != NULL)
        link->ask->link = NULL;
    unlink_link(link);
    stream_abort(link->stream);
    timer_free(link->idle);
    free(link);
}

/* The link is gone; what it was asked gets its end. */
static void fail(struct ask_link *link, const char *fault)
{
    struct ask *ask = link->ask;
    struct ask_server *server = link->server;
    ask_link_drop(link);
    if (ask != NULL)
        ask_fail(ask, fault);
    ask_server_serve(server);
}

/* 0, or -1: out of memory. */
static int send_request(struct ask_link *link)
{
    const struct ask *ask = link->ask;
    link->state = ASK_LINK_ASKING;
    timer_stop(link->idle);
    policy_reply_init(&link->reply);
    return stream_write(link->stream, str_span(ask->request, ask->length));
}

static void on_ready(void *owner)
{
    struct ask_link *link = owner;
    if (send_request(link) != 0)
        fail(link, "out of memory");
}

/* Octets behind the answer: a later one could be taken for that of another
 * question, so that the connection is of no more use. */
static void take_answer(struct ask_link *link)
{
    struct ask *ask = link->ask;
    struct ask_server *server = link->server;
    char action[POLICY_REPLY_LINE_MAX];
    struct str answered = policy_reply_action(&link->reply);
    for (size_t i = 0; i < answered.n; i++)
        action[i] = answered.p[i];
    link->ask = NULL;
    ask->link = NULL;
    link->is_used = true;
    link->state = ASK_LINK_IDLE;
    timer_start(link->idle, ASK_IDLE_MS);
    if (stream_input(link->stream).n > 0)
        ask_link_drop(link);
    ask_answer(ask, str_span(action, answered.n));
    ask_server_serve(server);
}

static void on_bytes(void *owner)
{
    struct ask_link *link = owner;
    struct str input = stream_input(link->stream), rest = input;
    if (link->state != ASK_LINK_ASKING) {
        fail(link, "it said something before it was asked");
        return;
    }
    enum policy_reply_next next = policy_reply_feed(&link->reply, &rest);
    stream_consume(link->stream, input.n - rest.n);
    if (next == POLICY_REPLY_READY)
        take_answer(link);
    else if (next == POLICY_REPLY_BAD)
        fail(link, "its answer is not in the form of the protocol");
}

static void on_ended(void *owner, enum stream_end end)
{
    struct ask_link *link = owner;
    struct ask_server *server = link->server;
    struct ask *ask = link->ask;
    bool is_stale = link->state == ASK_LINK_ASKING && link->is_used &&
                    link->reply.total == 0;
    if (is_stale) {
        ask_link_drop(link);
        ask_again(ask);
        ask_server_serve(server);
    } else if (end == STREAM_END_CONNECT) {
        char words[200];
        size_t n =
            str_head(str_from(stream_error(link->stream)), sizeof words - 1).n;
        for (size_t i = 0; i < n; i++)
            words[i] = stream_error(link->stream)[i];
        words[n] = '\0';
        fail(link, words);
    } else {
        fail(link, "it closed the connection without an answer");
    }
}

static const struct stream_events LINK_EVENTS = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_ended = on_ended,
};

static void on_idle(void *owner)
{
    ask_link_drop(owner);
}

static struct stream *connect_to(struct ask_link *link, uint64_t timeout_ms)
{
    struct loop *loop = link->server->asks->loop;
    const struct policy_server_settings *to = link->server->settings;
    if (to->socket != NULL)
        return stream_connect_unix(loop, to->socket, timeout_ms, &LINK_EVENTS,
                                   link);
    return stream_connect(loop, to->address.host, to->address.port, timeout_ms,
                          &LINK_EVENTS, link);
}

struct ask_link *ask_link_new(struct ask *ask)
{
    struct ask_server *server = ask->server;
    uint64_t now = loop_now_ms(server->asks->loop);
    if (server->link_count >= ASK_LINKS_MAX)
        return NULL;
    struct ask_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->server = server;
    link->idle = timer_new(server->asks->loop, on_idle, link);
    /* A little more than is left of the deadline, which so comes first and
     * says what was waited for. */
    link->stream = connect_to(
        link, (ask->deadline_ms > now ? ask->deadline_ms - now : 0) + 1000);
    if (link->idle == NULL || link->stream == NULL) {
        if (link->stream != NULL)
            stream_abort(link->stream);
        timer_free(link->idle);
        free(link);
        return NULL;
    }
    link->next = server->links;
    server->links = link;
    server->link_count++;
    link->ask = ask;
    ask->link = link;
    return link;
}

struct ask_link *ask_link_take(struct ask *ask)
{
    for (struct ask_link *link = ask->server->links; link != NULL;
         link = link->next) {
        if (link->state != ASK_LINK_IDLE)
            continue;
        link->ask = ask;
        ask->link = link;
        if (send_request(link) == 0)
            return link;
        ask_link_drop(link);
        break;
    }
    return ask_link_new(ask);
}
