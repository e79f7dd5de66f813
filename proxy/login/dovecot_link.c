#include "proxy/login/dovecot_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proxy/net/stream.h"
#include "proxy/net/timer.h"

/* Above every number of a process, and below where some read it as negative. */
#define PROCESS_LOWEST (UINT32_C(1) << 30)

struct dovecot_link {
    struct loop *loop;
    const struct dovecot_link_events *events;
    void *owner;
    struct stream *stream; /* NULL: cut off */
    struct timer *deadline;
    struct dovecot_reader reader;
    uint64_t heard_ms;
    bool is_open;
    bool is_reading, is_freed; /* freed inside an event: goes behind it */
};

/* The server drops a connection whose process number another one has, and
 * workers, and settings old and new, have connections at the same time. */
static uint32_t choose_process(void)
{
    uint32_t chosen = 0;
    if (getrandom(&chosen, sizeof chosen, 0) != (ssize_t)sizeof chosen)
        chosen = 0;
    return PROCESS_LOWEST | (chosen & (PROCESS_LOWEST - 1));
}

static void cut_off(struct dovecot_link *link)
{
    timer_stop(link->deadline);
    if (link->stream != NULL)
        stream_abort(link->stream);
    link->stream = NULL;
}

static void lose(struct dovecot_link *link, const char *fault)
{
    cut_off(link);
    link->events->on_lost(link->owner, fault);
}

static void on_ready(void *owner)
{
    struct dovecot_link *link = owner;
    char hello[64];
    size_t n = dovecot_write_hello(choose_process(), hello, sizeof hello);
    timer_start(link->deadline, DOVECOT_HANDSHAKE_MS);
    if (stream_write(link->stream, str_span(hello, n)) != 0)
        lose(link, "out of memory");
}

static void take(struct dovecot_link *link, enum dovecot_next next,
                 const struct dovecot_answer *answer)
{
    if (next == DOVECOT_BAD) {
        lose(link, link->reader.wrong);
    } else if (next == DOVECOT_OPEN) {
        timer_stop(link->deadline);
        link->is_open = true;
        link->events->on_open(link->owner);
    } else {
        link->events->on_answer(link->owner, next, answer);
    }
}

/* A line stays in the stream's input until its event is over. */
static void read_lines(struct dovecot_link *link)
{
    enum dovecot_next next = DOVECOT_OK;
    while (link->stream != NULL && next != DOVECOT_MORE) {
        struct dovecot_answer answer = {0};
        struct str input = stream_input(link->stream), rest = input;
        next = dovecot_reader_next(&link->reader, &rest, &answer);
        if (next != DOVECOT_MORE)
            take(link, next, &answer);
        if (link->stream != NULL)
            stream_consume(link->stream, input.n - rest.n);
    }
}

static void on_bytes(void *owner)
{
    struct dovecot_link *link = owner;
    link->heard_ms = loop_now_ms(link->loop);
    link->is_reading = true;
    read_lines(link);
    link->is_reading = false;
    if (link->is_freed)
        dovecot_link_free(link);
}

static void on_ended(void *owner, enum stream_end end)
{
    struct dovecot_link *link = owner;
    char fault[200] = "it closed the connection";
    if (end == STREAM_END_CONNECT)
        snprintf(fault, sizeof fault,
                 "%s; see that Dovecot runs and that its `service auth` has "
                 "this unix_listener, open to Postern's user",
                 stream_error(link->stream));
    lose(link, fault);
}

static const struct stream_events LINK_EVENTS = {
    .on_ready = on_ready,
    .on_bytes = on_bytes,
    .on_ended = on_ended,
};

static void on_deadline(void *owner)
{
    struct dovecot_link *link = owner;
    bool is_dovecot = link->reader.state == DOVECOT_AT_HANDSHAKE;
    lose(link, is_dovecot ? "it did not end its handshake in time; perhaps "
                            "this is another of Dovecot's sockets than that "
                            "for clients (auth-client)"
                          : "it did not begin its handshake in time");
}

struct dovecot_link *dovecot_link_new(struct loop *loop, const char *path,
                                      const struct dovecot_link_events *events,
                                      void *owner)
{
    struct dovecot_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    link->loop = loop;
    link->events = events;
    link->owner = owner;
    dovecot_reader_init(&link->reader);
    link->deadline = timer_new(loop, on_deadline, link);
    if (link->deadline != NULL)
        link->stream = stream_connect_unix(loop, path, DOVECOT_CONNECT_MS,
                                           &LINK_EVENTS, link);
    if (link->stream != NULL)
        return link;
    timer_free(link->deadline);
    free(link);
    return NULL;
}

void dovecot_link_free(struct dovecot_link *link)
{
    if (link == NULL)
        return;
    cut_off(link);
    link->is_freed = true;
    if (link->is_reading)
        return;
    timer_free(link->deadline);
    free(link);
}

bool dovecot_link_is_open(const struct dovecot_link *link)
{
    return link->is_open;
}

const bool *dovecot_link_mechanisms(const struct dovecot_link *link)
{
    return link->reader.has;
}

uint64_t dovecot_link_heard_ms(const struct dovecot_link *link)
{
    return link->heard_ms;
}

int dovecot_link_send(struct dovecot_link *link, struct str lines)
{
    return stream_write(link->stream, lines);
}
