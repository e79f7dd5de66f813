#include "tests/support/stream_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#define HEARD_MAX ((size_t)16 * 1024 * 1024)
#define WATCHDOG_MS 10000
#define TURNS 60

static void note(struct stream_end_point *end, char event)
{
    assert_false(end->pair->is_inside_call);
    bool is_same = end->logged > 0 && end->log[end->logged - 1] == event;
    if (!is_same || event != 'b') {
        assert_true(end->logged < sizeof(end->log) - 1);
        end->log[end->logged++] = event;
    }
    if (end->on_event != NULL)
        end->on_event(end, event);
    if (end->pair->is_done != NULL && end->pair->is_done(end->pair))
        loop_stop(end->pair->loop);
}

static void on_ready(void *owner)
{
    note(owner, 'r');
}

void end_hear(struct stream_end_point *end)
{
    struct str input = stream_input(end->stream);
    end->is_hoarding = false;
    assert_int_equal(octet_queue_add(&end->heard, input), 0);
    end->pair->is_inside_call = true;
    stream_consume(end->stream, input.n);
    end->pair->is_inside_call = false;
}

static void on_bytes(void *owner)
{
    struct stream_end_point *end = owner;
    assert_true(stream_input(end->stream).n > 0);
    assert_true(stream_input(end->stream).n <= STREAM_INPUT_MAX);
    if (!end->is_hoarding)
        end_hear(end);
    note(end, 'b');
}

static void on_drained(void *owner)
{
    struct stream_end_point *end = owner;
    assert_true(stream_pending(end->stream) <= STREAM_OUTPUT_LOW);
    note(end, 'd');
}

static void on_ended(void *owner, enum stream_end reason)
{
    struct stream_end_point *end = owner;
    end->end = reason;
    snprintf(end->error, sizeof(end->error), "%s", stream_error(end->stream));
    note(end, 'e');
}

static const struct stream_events EVENTS = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_drained = on_drained,
    .on_ended = on_ended,
};

static void on_accept(void *owner, int fd)
{
    struct stream_pair *pair = owner;
    assert_null(pair->server.stream);
    pair->server.stream = stream_accept(pair->loop, fd, &EVENTS, &pair->server);
    assert_non_null(pair->server.stream);
    if (pair->is_done != NULL && pair->is_done(pair))
        loop_stop(pair->loop);
}

static void on_exhausted(void *owner, int fd, int error)
{
    (void)owner;
    (void)fd;
    fail_msg("accept: %s", strerror(error));
}

static const struct listen_events LISTEN_EVENTS = {
    .on_accept = on_accept,
    .on_exhausted = on_exhausted,
};

static void on_watchdog(void *owner)
{
    (void)owner;
    fail_msg("what was waited for did not happen");
}

static void init_end(struct stream_pair *pair, struct stream_end_point *end)
{
    *end = (struct stream_end_point){.pair = pair, .end = STREAM_END_OWNER};
    octet_queue_init(&end->heard, HEARD_MAX);
}

void stream_pair_init(struct stream_pair *pair)
{
    char error[200];
    *pair = (struct stream_pair){.loop = loop_new()};
    assert_non_null(pair->loop);
    init_end(pair, &pair->server);
    init_end(pair, &pair->client);
    pair->listen = listen_open(pair->loop, STR("127.0.0.1"), 0, &LISTEN_EVENTS,
                               pair, error, sizeof(error));
    assert_non_null(pair->listen);
    pair->watchdog = timer_new(pair->loop, on_watchdog, pair);
}

static void release_end(struct stream_end_point *end)
{
    end->on_event = NULL;
    if (end->stream != NULL)
        end_abort(end);
    octet_queue_release(&end->heard);
}

void stream_pair_release(struct stream_pair *pair)
{
    release_end(&pair->server);
    release_end(&pair->client);
    listen_close(pair->listen);
    timer_free(pair->watchdog);
    loop_free(pair->loop);
}

static bool are_connected(struct stream_pair *pair)
{
    return pair->server.stream != NULL && pair->client.logged > 0;
}

void stream_pair_connect(struct stream_pair *pair)
{
    pair->client.stream =
        stream_connect(pair->loop, STR("127.0.0.1"), listen_port(pair->listen),
                       5000, &EVENTS, &pair->client);
    assert_non_null(pair->client.stream);
    stream_pair_run(pair, are_connected);
    assert_string_equal(pair->client.log, "r");
}

static bool is_accepted(struct stream_pair *pair)
{
    return pair->server.stream != NULL;
}

int stream_pair_connect_raw(struct stream_pair *pair)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons(listen_port(pair->listen));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    stream_pair_run(pair, is_accepted);
    return fd;
}

void stream_pair_run(struct stream_pair *pair,
                     bool (*is_done)(struct stream_pair *pair))
{
    pair->is_done = is_done;
    timer_start(pair->watchdog, WATCHDOG_MS);
    if (!is_done(pair))
        loop_run(pair->loop);
    timer_stop(pair->watchdog);
    pair->is_done = NULL;
    assert_true(is_done(pair));
}

static void on_turned(struct loop_later *later)
{
    struct stream_pair *pair =
        (struct stream_pair *)((char *)later -
                               offsetof(struct stream_pair, later));
    if (--pair->turns == 0)
        loop_stop(pair->loop);
    else
        loop_later(pair->loop, later);
}

void stream_pair_turn(struct stream_pair *pair)
{
    pair->turns = TURNS;
    pair->later.run = on_turned;
    loop_later(pair->loop, &pair->later);
    loop_run(pair->loop);
}

void end_write(struct stream_end_point *end, struct str octets)
{
    end->pair->is_inside_call = true;
    assert_int_equal(stream_write(end->stream, octets), 0);
    end->pair->is_inside_call = false;
}

int end_secure(struct stream_end_point *end, struct tls_context *context,
               const char *name)
{
    end->pair->is_inside_call = true;
    int result = stream_secure(end->stream, context, name);
    end->pair->is_inside_call = false;
    return result;
}

void end_pause(struct stream_end_point *end)
{
    end->pair->is_inside_call = true;
    stream_pause(end->stream);
    end->pair->is_inside_call = false;
}

void end_resume(struct stream_end_point *end)
{
    end->pair->is_inside_call = true;
    stream_resume(end->stream);
    end->pair->is_inside_call = false;
}

void end_close(struct stream_end_point *end)
{
    end->pair->is_inside_call = true;
    stream_close(end->stream);
    end->stream = NULL;
    end->pair->is_inside_call = false;
}

void end_abort(struct stream_end_point *end)
{
    end->pair->is_inside_call = true;
    stream_abort(end->stream);
    end->stream = NULL;
    end->pair->is_inside_call = false;
}

struct str end_heard(const struct stream_end_point *end)
{
    return octet_queue_view(&end->heard);
}
