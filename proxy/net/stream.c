#include "proxy/net/stream_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool stream_has_owner(const struct stream *stream)
{
    return stream->state < STREAM_FLUSHING;
}

void stream_touch(struct stream *stream)
{
    loop_later(stream->loop, &stream->later);
}

/* A failed stream keeps its input: the owner may still read it. */
static void fail(struct stream *stream)
{
    stream->state = STREAM_FAILED;
    octet_queue_release(&stream->output);
    stream->clear_octets = 0;
    stream->is_above_low = false;
}

void stream_note_end(struct stream *stream, enum stream_end end,
                     const char *words)
{
    bool is_orderly = end == STREAM_END_EOF || end == STREAM_END_TRUNCATED;
    if (!stream_has_owner(stream)) {
        stream_vanish(stream);
        return;
    }
    if (stream->end == STREAM_END_OWNER) {
        stream->end = end;
        stream->untold |= EVENT_ENDED;
        free(stream->error);
        stream->error = strdup(words);
    }
    if (!is_orderly)
        fail(stream);
}

static enum stream_event next_event(const struct stream *stream)
{
    unsigned untold = stream->untold;
    bool has_failed = stream->state == STREAM_FAILED;
    if ((untold & EVENT_READY) != 0)
        return EVENT_READY;
    if ((untold & EVENT_BYTES) != 0 && !stream->is_paused)
        return EVENT_BYTES;
    if ((untold & EVENT_DRAINED) != 0)
        return EVENT_DRAINED;
    /* An orderly end is told after all octets before it. */
    if ((untold & EVENT_ENDED) != 0 &&
        (has_failed || (untold & EVENT_BYTES) == 0))
        return EVENT_ENDED;
    return 0;
}

static void tell(struct stream *stream, enum stream_event event)
{
    const struct stream_events *events = stream->events;
    void *owner = stream->owner;
    if (event == EVENT_READY && events->on_ready != NULL)
        events->on_ready(owner);
    if (event == EVENT_BYTES && stream->input.size > 0 &&
        events->on_bytes != NULL)
        events->on_bytes(owner);
    if (event == EVENT_DRAINED && events->on_drained != NULL)
        events->on_drained(owner);
    if (event == EVENT_ENDED && events->on_ended != NULL)
        events->on_ended(owner, stream->end);
}

static void tell_owner(struct stream *stream)
{
    enum stream_event event;
    while (stream_has_owner(stream) && (event = next_event(stream)) != 0) {
        stream->untold &= ~(unsigned)event;
        tell(stream, event);
    }
}

/* While leaving there is nobody to tell; the peer's end is all that counts. */
static void leave_turn(struct stream *stream)
{
    stream_send_output(stream);
    if (stream->state == STREAM_LINGERING && stream->has_peer_ended)
        stream_vanish(stream);
    if (stream->state != STREAM_GONE)
        stream_update_reading(stream);
}

void stream_turn(struct stream *stream)
{
    if (stream->state == STREAM_GONE)
        return;
    if (!stream_has_owner(stream)) {
        leave_turn(stream);
        return;
    }
    stream_take_input(stream);
    stream_send_output(stream);
    tell_owner(stream);
    stream_update_reading(stream);
}

static void on_turn_end(struct loop_later *later)
{
    struct stream *stream =
        (struct stream *)((char *)later - offsetof(struct stream, later));
    if (stream->state == STREAM_GONE)
        stream_free_if_gone(stream);
    else
        stream_turn(stream);
}

static struct stream *
new_stream(struct loop *loop, const struct stream_events *events, void *owner)
{
    struct stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL)
        return NULL;
    if (uv_tcp_init(&loop->uv, &stream->tcp) != 0) {
        free(stream);
        return NULL;
    }
    uv_timer_init(&loop->uv, &stream->timer);
    stream->tcp.data = stream;
    stream->timer.data = stream;
    stream->open_handles = 2;
    stream->loop = loop;
    stream->later.run = on_turn_end;
    stream->events = events;
    stream->owner = owner;
    stream->state = STREAM_CONNECTING;
    stream->end = STREAM_END_OWNER;
    octet_queue_init(&stream->input, STREAM_INPUT_MAX);
    octet_queue_init(&stream->output, STREAM_OUTPUT_MAX);
    octet_queue_share(&stream->input, &loop->spare);
    octet_queue_share(&stream->output, &loop->spare);
    return stream;
}

static int learn_addresses(struct stream *stream)
{
    struct sockaddr_storage address = {0};
    int size = sizeof(address);
    int result =
        uv_tcp_getpeername(&stream->tcp, (struct sockaddr *)&address, &size);
    if (result != 0)
        return result;
    socket_address_text(&address, stream->peer_host);
    stream->peer_port = socket_address_port(&address);
    size = sizeof(address);
    result =
        uv_tcp_getsockname(&stream->tcp, (struct sockaddr *)&address, &size);
    if (result == 0)
        socket_address_text(&address, stream->local_host);
    if (result == 0)
        stream->local_port = socket_address_port(&address);
    return result;
}

/* Takes fd, whatever the result. */
static int open_socket(struct stream *stream, int fd)
{
    int result = uv_tcp_open(&stream->tcp, fd);
    if (result != 0) {
        close(fd);
        return result;
    }
    result = learn_addresses(stream);
    /* A unix socket, under a handle made for TCP, has no such option. */
    if (result == 0 && stream->peer_host[0] != '\0')
        result = uv_tcp_nodelay(&stream->tcp, 1);
    return result;
}

struct stream *stream_accept(struct loop *loop, int fd,
                             const struct stream_events *events, void *owner)
{
    struct stream *stream = new_stream(loop, events, owner);
    if (stream == NULL) {
        close(fd);
        return NULL;
    }
    if (open_socket(stream, fd) != 0) {
        stream_vanish(stream);
        return NULL;
    }
    stream->state = STREAM_OPEN;
    stream_touch(stream);
    return stream;
}

static void on_dialled(void *owner, int fd, const char *error)
{
    struct stream *stream = owner;
    int result = 0;
    stream->dial = NULL;
    if (fd >= 0) {
        result = open_socket(stream, fd);
        error = result == 0 ? NULL : uv_strerror(result);
    }
    if (error != NULL) {
        stream_note_end(stream, STREAM_END_CONNECT, error);
    } else {
        stream->state = STREAM_OPEN;
        stream->untold |= EVENT_READY;
    }
    stream_turn(stream);
}

struct stream *stream_connect(struct loop *loop, struct str host, uint16_t port,
                              uint64_t timeout_ms,
                              const struct stream_events *events, void *owner)
{
    struct stream *stream = new_stream(loop, events, owner);
    if (stream == NULL)
        return NULL;
    stream->dial = dial_start(loop, host, port, timeout_ms, on_dialled, stream);
    if (stream->dial == NULL) {
        stream_vanish(stream);
        return NULL;
    }
    return stream;
}

struct stream *stream_connect_unix(struct loop *loop, const char *path,
                                   uint64_t timeout_ms,
                                   const struct stream_events *events,
                                   void *owner)
{
    struct stream *stream = new_stream(loop, events, owner);
    if (stream == NULL)
        return NULL;
    stream->dial = dial_start_unix(loop, path, timeout_ms, on_dialled, stream);
    if (stream->dial == NULL) {
        stream_vanish(stream);
        return NULL;
    }
    return stream;
}

static int begin_tls(struct stream *stream, struct tls_context *context,
                     const char *name)
{
    stream->engine = tls_engine_new(context, name);
    if (stream->engine == NULL)
        return -1;
    tls_engine_share(stream->engine, &stream->loop->spare);
    tls_engine_expect_secrets(stream->engine, stream->expects_secrets);
    stream->clear_octets = stream->output.size;
    stream->state = STREAM_SECURING;
    stream_touch(stream);
    return 0;
}

int stream_secure(struct stream *stream, struct tls_context *context,
                  const char *name)
{
    if (stream->state != STREAM_OPEN || stream->engine != NULL ||
        stream->has_peer_ended || stream->input.size > 0)
        return -1;
    return begin_tls(stream, context, name);
}

int stream_secure_unread(struct stream *stream, struct tls_context *context)
{
    struct str unread = stream_input(stream);
    if (stream->state != STREAM_OPEN || stream->engine != NULL ||
        unread.n > TLS_ENGINE_INPUT_MAX ||
        begin_tls(stream, context, NULL) != 0)
        return -1;
    size_t taken = tls_engine_feed(stream->engine, unread);
    bool is_whole = taken == unread.n;
    stream_consume(stream, taken);
    return is_whole ? 0 : -1;
}

void stream_tls_offer(struct stream *stream, struct ssl_session_st *session)
{
    tls_engine_offer(stream->engine, session);
}

struct ssl_session_st *stream_tls_session(struct stream *stream)
{
    return stream->engine == NULL ? NULL : tls_engine_session(stream->engine);
}

const char *stream_error(const struct stream *stream)
{
    return stream->error == NULL ? "" : stream->error;
}

bool stream_is_secure(const struct stream *stream)
{
    return stream->engine != NULL &&
           tls_engine_version(stream->engine)[0] != '\0';
}

const char *stream_tls_version(const struct stream *stream)
{
    return stream->engine == NULL ? "" : tls_engine_version(stream->engine);
}

const char *stream_tls_cipher(const struct stream *stream)
{
    return stream->engine == NULL ? "" : tls_engine_cipher(stream->engine);
}

const char *stream_tls_sni(const struct stream *stream)
{
    return stream->engine == NULL ? "" : tls_engine_sni(stream->engine);
}

int stream_tls_binding(const struct stream *stream,
                       uint8_t out[TLS_BINDING_OCTETS])
{
    return stream->engine == NULL ? -1
                                  : tls_engine_binding(stream->engine, out);
}

int stream_tls_client(const struct stream *stream, struct arena *arena,
                      struct client_certificate *out)
{
    *out = (struct client_certificate){0};
    return stream->engine == NULL
               ? 0
               : tls_engine_client(stream->engine, arena, out);
}

const char *stream_peer_host(const struct stream *stream)
{
    return stream->peer_host;
}

uint16_t stream_peer_port(const struct stream *stream)
{
    return stream->peer_port;
}

const char *stream_local_host(const struct stream *stream)
{
    return stream->local_host;
}

uint16_t stream_local_port(const struct stream *stream)
{
    return stream->local_port;
}
