#include "tests/bench/load/sink_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "tests/bench/load/sink_commands.h"

#define GREETING "220 sink.test ESMTP\r\n"
/* AUTH may have 12288 octets (RFC 4954 4). */
#define MOST_LINE 16384
/* A peer that does not read its answers is not read from. */
#define MOST_UNWRITTEN 16384
/* Memory that a session keeps while nothing is to be written. */
#define KEPT_ROOM 1024

static void expect_handshake(struct sink_session *session)
{
    wire_secure(&session->wire, session->sink->tls);
    SSL_set_accept_state(session->wire.tls);
    session->state = SINK_HANDSHAKE;
}

/* False: the session has ended. */
static bool flush(struct sink_session *session)
{
    while (octets_size(&session->out) > 0) {
        size_t size = octets_size(&session->out);
        ssize_t n = wire_write(&session->wire, octets_at(&session->out), size);
        if (n == WIRE_AGAIN) {
            wire_watch(&session->wire, session->epoll,
                       EPOLLOUT | (size < MOST_UNWRITTEN ? EPOLLIN : 0u),
                       session);
            return true;
        }
        if (n == WIRE_FAILED)
            return false;
        octets_drop(&session->out, (size_t)n);
    }
    if (session->out.room > KEPT_ROOM)
        octets_release(&session->out);
    if (session->state == SINK_CLOSING)
        return false;
    if (session->state == SINK_STARTTLS)
        expect_handshake(session);
    wire_watch(&session->wire, session->epoll, EPOLLIN, session);
    return true;
}

static bool greet(struct sink_session *session)
{
    session->state = SINK_COMMAND;
    if (!session->is_greeted)
        octets_add_text(&session->out, GREETING);
    session->is_greeted = true;
    return flush(session);
}

bool sink_session_begin(struct sink_session *session, struct sink *sink,
                        int epoll, int fd, bool is_tls)
{
    *session =
        (struct sink_session){.sink = sink, .epoll = epoll, .wire.fd = fd};
    sink_counters_open(&sink->counters);
    wire_set_no_delay(&session->wire);
    if (!is_tls)
        return greet(session);
    expect_handshake(session);
    wire_watch(&session->wire, epoll, EPOLLIN, session);
    return true;
}

void sink_session_release(struct sink_session *session)
{
    if (session->is_in_message)
        sink_count(&session->sink->counters.aborted, 1);
    sink_counters_close(&session->sink->counters);
    wire_close(&session->wire);
    octets_release(&session->line);
    octets_release(&session->out);
}

void sink_session_reset(struct sink_session *session)
{
    session->is_in_mail = session->is_in_message = false;
    session->recipients = 0;
}

static void judge(struct sink_session *session)
{
    struct sink *sink = session->sink;
    struct sink_message *message = &session->message;
    enum sink_finding finding = sink_message_end(message);
    if (finding == FINDING_RIGHT)
        sink_count(&sink->counters.right, 1);
    if (finding == FINDING_WRONG)
        sink_count(&sink->counters.wrong, 1);
    if (finding == FINDING_UNMARKED)
        sink_count(&sink->counters.unmarked, 1);
    if (finding == FINDING_WRONG && !sink->options->is_quiet)
        fprintf(stderr, "smtpsink: message %s is not as it was sent\n",
                message->id);
    if ((finding == FINDING_RIGHT || finding == FINDING_WRONG) &&
        !seen_ids_add(&sink->seen, strtoull(message->id, NULL, 16)))
        sink_count(&sink->counters.doubled, 1);
}

void sink_session_end_message(struct sink_session *session)
{
    struct sink_counters *counters = &session->sink->counters;
    uint64_t number = sink_count(&counters->messages, 1) + 1;
    sink_count(&counters->recipients, session->recipients);
    sink_count(&counters->octets, session->message.size);
    judge(session);
    octets_print(&session->out, "250 2.0.0 Ok: queued as SINK%08" PRIX64 "\r\n",
                 number);
    sink_session_reset(session);
    session->state = SINK_COMMAND;
}

/* Gives how many octets were taken; 0: the line is too long. */
static size_t take_line(struct sink_session *session, char *p, size_t size)
{
    char *line_feed = memchr(p, '\n', size);
    size_t taken = line_feed == NULL ? size : (size_t)(line_feed + 1 - p);
    if (taken + octets_size(&session->line) > MOST_LINE)
        return 0;
    if (line_feed == NULL) {
        octets_add(&session->line, p, size);
        return size;
    }
    *line_feed = '\0';
    if (octets_size(&session->line) == 0) {
        sink_commands_run(session, p);
        return taken;
    }
    octets_add(&session->line, p, taken);
    struct octets line = session->line;
    session->line = (struct octets){.memory = NULL};
    sink_commands_run(session, line.memory + line.from);
    octets_release(&line);
    return taken;
}

static size_t take_data(struct sink_session *session, const char *p,
                        size_t size)
{
    bool is_end;
    size_t taken =
        sink_dots_take(&session->dots, &session->message, p, size, &is_end);
    if (is_end)
        sink_session_end_message(session);
    return taken;
}

static size_t take_chunk(struct sink_session *session, const char *p,
                         size_t size)
{
    size_t taken =
        size < session->chunk_left ? size : (size_t)session->chunk_left;
    if (session->state == SINK_CHUNK)
        sink_message_take(&session->message, p, taken);
    session->chunk_left -= taken;
    if (session->chunk_left == 0)
        sink_commands_end_chunk(session);
    return taken;
}

/* False: the session has ended. */
static bool take_input(struct sink_session *session, char *p, size_t size)
{
    while (size > 0 && session->state != SINK_CLOSING) {
        size_t taken = 0;
        if (session->state == SINK_DATA)
            taken = take_data(session, p, size);
        else if (session->state == SINK_CHUNK ||
                 session->state == SINK_LOST_CHUNK)
            taken = take_chunk(session, p, size);
        else if (session->state != SINK_STARTTLS)
            taken = take_line(session, p, size);
        /* What was said in the clear behind STARTTLS counts for nothing. */
        if (taken == 0)
            return false;
        p += taken;
        size -= taken;
    }
    return true;
}

/* WIRE_AGAIN, or 1: it is done. */
static int shake_hands(struct sink_session *session)
{
    int done = wire_handshake(&session->wire);
    if (done == WIRE_AGAIN)
        wire_watch(&session->wire, session->epoll,
                   EPOLLIN | (session->wire.wants_to_write ? EPOLLOUT : 0u),
                   session);
    return done;
}

/* False: its answers are not read, so that nothing is taken from it. */
static bool is_read_from(const struct sink_session *session)
{
    return octets_size(&session->out) < MOST_UNWRITTEN;
}

static bool read_all(struct sink_session *session, char *input, size_t room)
{
    ssize_t n;
    do {
        if (!is_read_from(session) && !flush(session))
            return false;
        if (!is_read_from(session))
            return true;
        n = wire_read(&session->wire, input, room);
        if (n == WIRE_AGAIN)
            break;
        if (n <= 0)
            return false;
        if (session->sink->options->acknowledges_at_once)
            wire_acknowledge(&session->wire);
        if (!take_input(session, input, (size_t)n))
            return false;
        /* In clear text a read that is not full has left nothing. */
    } while (session->state != SINK_STARTTLS &&
             (session->wire.tls != NULL || (size_t)n == room));
    return flush(session);
}

bool sink_session_event(struct sink_session *session, char *input, size_t room)
{
    if (session->state == SINK_HANDSHAKE) {
        int done = shake_hands(session);
        if (done == WIRE_AGAIN)
            return true;
        if (done == WIRE_FAILED || !greet(session))
            return false;
    }
    return read_all(session, input, room);
}
