#include "tests/support/https_peer.h"

#include "proxy/net/listen.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WATCHDOG_MS 10000

static bool is_request(const struct https_guest *guest)
{
    struct str heard = str_span(guest->heard, guest->length);
    struct str end = str_from(guest->peer->end_of_request);
    return heard.n > end.n && str_equals(str_skip(heard, heard.n - end.n), end);
}

static void guest_on_bytes(void *owner)
{
    struct https_guest *guest = owner;
    struct https_peer *peer = guest->peer;
    struct str input = stream_input(guest->stream);
    assert_true(input.n < sizeof guest->heard - guest->length);
    memcpy(guest->heard + guest->length, input.p, input.n);
    guest->length += input.n;
    stream_consume(guest->stream, input.n);
    if (!is_request(guest))
        return;
    guest->length = 0;
    const char *answer = peer->answers[peer->answered++];
    if (answer != NULL)
        assert_int_equal(stream_write(guest->stream, str_from(answer)), 0);
    if (peer->closes) {
        stream_close(guest->stream);
        guest->stream = NULL;
    }
}

static void guest_on_ended(void *owner, enum stream_end end)
{
    struct https_guest *guest = owner;
    (void)end;
    stream_abort(guest->stream);
    guest->stream = NULL;
}

static const struct stream_events GUEST_EVENTS = {
    .on_bytes = guest_on_bytes,
    .on_ended = guest_on_ended,
};

static void on_accept(void *owner, int fd)
{
    struct https_peer *peer = owner;
    assert_true(peer->guest_count < HTTPS_GUESTS_MAX);
    struct https_guest *guest = &peer->guests[peer->guest_count++];
    guest->peer = peer;
    guest->stream = stream_accept(peer->loop, fd, &GUEST_EVENTS, guest);
    assert_non_null(guest->stream);
    if (peer->is_clear)
        stream_write(guest->stream, STR("220 ready\r\n"));
    else
        assert_int_equal(stream_secure(guest->stream, peer->tls, NULL), 0);
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

static void make_certificates(struct https_peer *peer)
{
    static const char *const files[] = {"a", "b"};
    certificate_folder_init(&peer->folder);
    for (size_t i = 0; i < 2; i++)
        certificate_make(&peer->folder,
                         &(struct certificate_wish){.file = files[i],
                                                    .names = "IP:127.0.0.1",
                                                    .until_days = 30,
                                                    .is_authority = true});
    peer->trusted = certificate_path(&peer->folder, "a.pem");
    peer->other = certificate_path(&peer->folder, "b.pem");
}

static void make_context(struct https_peer *peer)
{
    char *key = certificate_path(&peer->folder, "a.key");
    const struct certificate_settings certificate = {.chain = peer->trusted,
                                                     .key = key};
    const struct tls_settings settings = {.certificates = &certificate,
                                          .certificate_count = 1};
    struct diags diags;
    diags_init(&diags);
    peer->tls = FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(peer->tls);
    diags_release(&diags);
    free(key);
}

void https_peer_init(struct https_peer *peer)
{
    char error[200];
    memset(peer, 0, sizeof *peer);
    make_certificates(peer);
    make_context(peer);
    peer->loop = loop_new();
    assert_non_null(peer->loop);
    peer->listen = listen_open(peer->loop, STR("127.0.0.1"), 0, &LISTEN_EVENTS,
                               peer, error, sizeof error);
    assert_non_null(peer->listen);
    peer->port = listen_port(peer->listen);
    peer->watchdog = timer_new(peer->loop, on_watchdog, peer);
    timer_start(peer->watchdog, WATCHDOG_MS);
}

void https_peer_deafen(struct https_peer *peer)
{
    listen_close(peer->listen);
    peer->listen = NULL;
}

void https_peer_release(struct https_peer *peer)
{
    for (size_t i = 0; i < peer->guest_count; i++)
        if (peer->guests[i].stream != NULL)
            stream_abort(peer->guests[i].stream);
    listen_close(peer->listen);
    timer_free(peer->watchdog);
    loop_free(peer->loop);
    tls_context_free(peer->tls);
    free(peer->trusted);
    free(peer->other);
    certificate_folder_release(&peer->folder);
}
