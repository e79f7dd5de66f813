/* The calls of proxy/net/stream.h; what happens in a turn is in
 * fake_stream_turn.c. */
#include "tests/dialogue/fake_stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxy/tls/client_certificate.h"
#include "tests/dialogue/alloc_fault.h"

static struct stream *new_stream(struct loop *loop, struct far_end *far,
                                 const struct stream_events *events,
                                 void *owner)
{
    struct stream *stream = plain_alloc(sizeof *stream);
    stream->loop = loop;
    stream->far = far;
    stream->events = events;
    stream->owner = owner;
    stream->error = "";
    far->stream = stream;
    struct stream **at = &loop->streams;
    while (*at)
        at = &(*at)->next;
    *at = stream;
    return stream;
}

struct stream *stream_accept(struct loop *loop, int fd,
                             const struct stream_events *events, void *owner)
{
    struct far_end *far = loop->far_ends;
    while (far && far->fd != fd)
        far = far->next;
    assert(far && !far->stream);
    close(fd);
    far->fd = -1;
    if (alloc_fault_strikes()) {
        far_end_saw(far, FAR_SAW_CLOSE, "");
        return NULL;
    }
    struct stream *stream = new_stream(loop, far, events, owner);
    stream->state = STREAM_OPEN;
    return stream;
}

struct stream *stream_connect(struct loop *loop, struct str host, uint16_t port,
                              uint64_t timeout_ms,
                              const struct stream_events *events, void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    char text[300];
    snprintf(text, sizeof text, "%.*s:%u", (int)host.n, host.p, (unsigned)port);
    struct far_end *far = far_end_new(loop, 'U');
    snprintf(far->host, sizeof far->host, "%.*s", (int)host.n, host.p);
    far->port = port;
    far_end_saw(far, FAR_SAW_CONNECT, text);
    struct stream *stream = new_stream(loop, far, events, owner);
    stream->state = STREAM_CONNECTING;
    stream->deadline_us = loop->now_us + timeout_ms * 1000;
    return stream;
}

struct stream *stream_connect_unix(struct loop *loop, const char *path,
                                   uint64_t timeout_ms,
                                   const struct stream_events *events,
                                   void *owner)
{
    if (alloc_fault_strikes())
        return NULL;
    struct far_end *far = far_end_new(loop, 'U');
    far_end_saw(far, FAR_SAW_CONNECT, path);
    struct stream *stream = new_stream(loop, far, events, owner);
    stream->state = STREAM_CONNECTING;
    stream->deadline_us = loop->now_us + timeout_ms * 1000;
    return stream;
}

int stream_secure(struct stream *stream, struct tls_context *context,
                  const char *name)
{
    assert(stream->state == STREAM_OPEN && context && !stream->is_secure);
    if (octets_length(&stream->input) || alloc_fault_strikes())
        return -1;
    stream->state = STREAM_SECURING;
    stream->owes_hello = stream->far->side == 'U';
    snprintf(stream->hello_name, sizeof stream->hello_name, "%s",
             name ? name : "");
    return 0;
}

void stream_tls_offer(struct stream *stream, struct ssl_session_st *session)
{
    assert(stream->state == STREAM_SECURING && !session);
}

struct ssl_session_st *stream_tls_session(struct stream *stream)
{
    assert(stream->is_secure);
    return NULL;
}

/* No octets of TLS are ever played. */
int stream_secure_unread(struct stream *stream, struct tls_context *context)
{
    return stream_secure(stream, context, NULL);
}

struct str stream_input(const struct stream *stream)
{
    return octets_view(&stream->input);
}

void stream_consume(struct stream *stream, size_t octets)
{
    const struct net_tap *tap = stream->loop->tap;
    if (tap && octets)
        tap->on_taken(tap->owner, stream->far,
                      str_head(stream_input(stream), octets));
    octets_drop(&stream->input, octets);
}

void stream_wipe(struct stream *stream, size_t octets)
{
    stream_consume(stream, octets);
}

/* What leaves when within a turn is the real stream's affair. */
void stream_flush(struct stream *stream)
{
    (void)stream;
}

void stream_hold_output(struct stream *stream, bool is_held)
{
    (void)stream;
    (void)is_held;
}

void stream_expect_secrets(struct stream *stream, bool are_expected)
{
    (void)stream;
    (void)are_expected;
}

void stream_pause(struct stream *stream)
{
    stream->is_paused = true;
}

void stream_resume(struct stream *stream)
{
    stream->is_paused = false;
}

int stream_write(struct stream *stream, struct str octets)
{
    assert(stream->state != STREAM_CLOSING && stream->state != STREAM_GONE);
    size_t length = octets_length(&stream->output) + octets.n;
    if (length > STREAM_OUTPUT_MAX || alloc_fault_strikes())
        return -1;
    const struct net_tap *tap = stream->loop->tap;
    if (tap)
        tap->on_written(tap->owner, stream->far, octets);
    octets_append(&stream->output, octets);
    stream->was_over_low |= length > STREAM_OUTPUT_LOW;
    return 0;
}

size_t stream_pending(const struct stream *stream)
{
    return octets_length(&stream->output);
}

void stream_close(struct stream *stream)
{
    assert(stream->state != STREAM_CLOSING && stream->state != STREAM_GONE);
    stream->state = STREAM_CLOSING;
    stream->deadline_us = stream->loop->now_us + 10 * 1000000;
}

void stream_abort(struct stream *stream)
{
    assert(stream->state != STREAM_CLOSING && stream->state != STREAM_GONE);
    far_end_saw(stream->far, FAR_SAW_RESET, "");
    stream->state = STREAM_GONE;
}

const char *stream_error(const struct stream *stream)
{
    return stream->error;
}

bool stream_is_secure(const struct stream *stream)
{
    return stream->is_secure;
}

const char *stream_tls_version(const struct stream *stream)
{
    if (!stream->is_secure)
        return "";
    return stream->far->is_old ? "1.2" : "1.3";
}

const char *stream_tls_cipher(const struct stream *stream)
{
    return stream->is_secure ? "TLS_AES_128_GCM_SHA256" : "";
}

const char *stream_tls_sni(const struct stream *stream)
{
    return stream->is_secure ? stream->far->sni : "";
}

int stream_tls_binding(const struct stream *stream,
                       uint8_t out[TLS_BINDING_OCTETS])
{
    memset(out, 'b', TLS_BINDING_OCTETS);
    return stream->is_secure ? 0 : -1;
}

/* Its name is of every kind at once. */
int stream_tls_client(const struct stream *stream, struct arena *arena,
                      struct client_certificate *out)
{
    const char *name = stream->is_secure ? stream->far->certificate : "";
    *out = (struct client_certificate){0};
    if (!*name)
        return 0;
    struct str *names = arena_array(arena, 1, sizeof *names);
    struct str kept = arena_str(arena, str_from(name));
    if (!names || !kept.p)
        return -1;
    *names = kept;
    *out = (struct client_certificate){
        .fingerprint = STR("0123456789abcdef0123456789abcdef"
                           "0123456789abcdef0123456789abcdef"),
        .names = names,
        .name_count = 1,
        .rfc822 = kept,
        .dns = kept,
        .common_name = kept,
    };
    return 0;
}

const char *stream_peer_host(const struct stream *stream)
{
    return stream->far->host;
}

uint16_t stream_peer_port(const struct stream *stream)
{
    return stream->far->port;
}

const char *stream_local_host(const struct stream *stream)
{
    return stream ? "192.0.2.25" : "";
}

uint16_t stream_local_port(const struct stream *stream)
{
    return stream ? 587 : 0;
}
