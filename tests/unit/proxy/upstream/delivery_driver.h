/* What a session does with deliveries, in small: runs some transactions, one
 * behind the other, on a real loop, and keeps the answers. */
#ifndef TESTS_UNIT_PROXY_UPSTREAM_DELIVERY_DRIVER_H
#define TESTS_UNIT_PROXY_UPSTREAM_DELIVERY_DRIVER_H

#include "proxy/net/timer.h"
#include "proxy/upstream/delivery.h"
#include "proxy/upstream/upstreams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIVER_RCPTS 8
#define DRIVER_TRANSACTIONS 4

struct driver_result {
    size_t rcpt_count;
    int rcpt[DRIVER_RCPTS];
    int end; /* 0: none came */
    bool is_upstreams, is_uncertain;
    int original;
    char text[256];
    char fault[600];
    char server[128];
    size_t rooms;
};

struct driver {
    /* The plan. */
    size_t rcpts;
    const char *message; /* NULL: freed once the recipients are answered */
    size_t message_length;
    size_t vanishes_at;  /* freed after so many octets; 0: does not */
    bool never_finishes; /* repeats the message until on_end */
    bool frees_in_rcpt;
    size_t transactions;
    struct mail_params params;

    /* The upstream. */
    struct settings settings;
    struct upstream_settings upstream;
    struct endpoint servers[2];
    char texts[2][32];

    struct loop *loop;
    struct upstreams *upstreams;
    struct envelope envelope;
    struct delivery *delivery;
    size_t number; /* of the transaction */
    size_t answered, accepted, sent;
    size_t largest_take, repeats;
    bool is_inside; /* a call of the interface: no event may come */
    struct driver_result results[DRIVER_TRANSACTIONS];
};

/* Of its one upstream: in clear text, and without a login. */
static struct tls_context *const NO_CONTEXTS[1];
static struct credential_book *const NO_BOOKS[1];
static const struct upstream_means NO_MEANS = {.contexts = NO_CONTEXTS,
                                               .books = NO_BOOKS};

static void driver_settings(struct driver *d)
{
    d->rcpts = 1;
    d->transactions = 1;
    d->upstream = (struct upstream_settings){
        .name = STR("mta"),
        .servers = d->servers,
        .pool_max = 10,
        .pool_idle_ms = 10000,
        .pool_transactions = 100,
        .pool_queue = 1000,
        .pool_wait_ms = 5000,
        .is_advertised = true,
    };
    d->settings = (struct settings){
        .hostname = STR("proxy.example"),
        .upstreams = &d->upstream,
        .upstream_count = 1,
        .caps = {.reply_line = 4096, .reply_lines = 100, .reply_bytes = 65536},
        .timeouts =
            {
                .tls_handshake = 10000,
                .upstream_connect = 5000,
                .upstream_banner = 10000,
                .upstream_mail = 10000,
                .upstream_data = 10000,
                .upstream_end_of_data = 10000,
                .upstream_other = 10000,
            },
    };
}

static inline void driver_server(struct driver *d, uint16_t port)
{
    size_t i = d->upstream.server_count++;
    int n = snprintf(d->texts[i], sizeof(d->texts[i]), "127.0.0.1:%d", port);
    d->servers[i] = (struct endpoint){
        .text = str_span(d->texts[i], (size_t)n),
        .host = STR("127.0.0.1"),
        .port = port,
    };
}

static const struct rcpt_params usual = {.notify = {NULL, 0}};

static void driver_begin(struct driver *d);

static struct driver_result *driver_now(struct driver *d)
{
    return &d->results[d->number];
}

static void driver_closed(void *owner)
{
    struct driver *d = owner;
    upstreams_free(d->upstreams);
    d->upstreams = NULL;
}

static void driver_next(struct driver *d)
{
    delivery_free(d->delivery);
    d->delivery = NULL;
    if (++d->number < d->transactions)
        driver_begin(d);
    else
        upstreams_close(d->upstreams, driver_closed, d);
}

static void driver_keep(struct driver *d, const struct outcome *outcome)
{
    struct driver_result *r = driver_now(d);
    r->is_upstreams = outcome->is_upstreams;
    r->is_uncertain = outcome->is_uncertain;
    r->original = outcome->original.code;
    snprintf(r->text, sizeof(r->text), "%.*s %.*s",
             (int)outcome->reply.enhanced.n, outcome->reply.enhanced.p,
             (int)outcome->reply.text.n, outcome->reply.text.p);
    snprintf(r->fault, sizeof(r->fault), "%s",
             outcome->fault == NULL ? "" : outcome->fault);
    snprintf(r->server, sizeof(r->server), "%.*s", (int)outcome->server.n,
             outcome->server.p);
}

/* Hands over what is taken; true when the delivery was freed. */
static bool driver_push(struct driver *d)
{
    bool is_done = false;
    while (!is_done) {
        size_t left = d->message_length - d->sent;
        if (d->vanishes_at > 0 && d->vanishes_at - d->sent < left)
            left = d->vanishes_at - d->sent;
        d->is_inside = true;
        size_t taken =
            left == 0 ? 0
                      : delivery_body(d->delivery,
                                      str_span(d->message + d->sent, left));
        d->is_inside = false;
        d->sent += taken;
        if (taken > d->largest_take)
            d->largest_take = taken;
        if (d->vanishes_at > 0 && d->sent == d->vanishes_at) {
            driver_next(d);
            return true;
        }
        bool is_whole = d->sent == d->message_length;
        /* A delivery that has failed takes all there is. */
        if (is_whole && d->never_finishes && d->repeats++ < 500)
            d->sent = 0;
        is_done = taken < left || d->sent == d->message_length;
    }
    if (d->sent == d->message_length && !d->never_finishes) {
        d->is_inside = true;
        delivery_finish(d->delivery);
        d->is_inside = false;
    }
    return false;
}

static void driver_on_rcpt(void *owner, size_t index,
                           const struct outcome *outcome)
{
    struct driver *d = owner;
    struct driver_result *r = driver_now(d);
    if (d->is_inside || index != d->answered)
        abort();
    r->rcpt[index] = outcome->reply.code;
    r->rcpt_count = ++d->answered;
    driver_keep(d, outcome);
    if (outcome->reply.code / 100 == 2)
        d->accepted++;
    if (d->frees_in_rcpt) {
        driver_next(d);
        return;
    }
    if (d->answered < d->rcpts)
        return;
    if (d->accepted == 0 || d->message == NULL) {
        driver_next(d);
        return;
    }
    d->is_inside = true;
    delivery_data(d->delivery);
    d->is_inside = false;
    driver_push(d);
}

static void driver_on_room(void *owner)
{
    struct driver *d = owner;
    if (d->is_inside)
        abort();
    driver_now(d)->rooms++;
    driver_push(d);
}

static void driver_on_end(void *owner, const struct outcome *outcome)
{
    struct driver *d = owner;
    if (d->is_inside || driver_now(d)->end != 0)
        abort();
    driver_now(d)->end = outcome->reply.code;
    driver_keep(d, outcome);
    driver_next(d);
}

static const struct delivery_events driver_events = {
    .on_rcpt = driver_on_rcpt,
    .on_room = driver_on_room,
    .on_end = driver_on_end,
};

static void driver_begin(struct driver *d)
{
    d->answered = d->accepted = d->sent = 0;
    d->envelope = (struct envelope){
        .reverse_path = STR("bob@example.com"),
        .params = d->params,
        .id = STR("7QK3M9T2XA01"),
    };
    d->delivery = delivery_new(d->upstreams, &d->upstream, &d->envelope,
                               &driver_events, d);
    for (size_t i = 0; i < d->rcpts; i++) {
        char mailbox[32];
        int n = snprintf(mailbox, sizeof(mailbox), "r%zu@example.net", i);
        d->is_inside = true;
        if (delivery_rcpt(d->delivery, str_span(mailbox, (size_t)n), &usual) != 0)
            abort();
        d->is_inside = false;
    }
}

/* Until all is over and nothing is left on the loop. */
static inline void driver_run(struct driver *d)
{
    alarm(60);
    if (d->message != NULL && d->message_length == 0)
        d->message_length = strlen(d->message);
    d->loop = loop_new();
    d->upstreams = upstreams_new(d->loop, &d->settings, &NO_MEANS, NULL, NULL);
    driver_begin(d);
    loop_run(d->loop);
    if (d->upstreams != NULL)
        abort();
    loop_free(d->loop);
    alarm(0);
}

#endif
