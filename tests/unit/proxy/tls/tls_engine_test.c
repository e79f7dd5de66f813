#include "proxy/tls/tls_engine.h"

#include "tests/support/certificates.h"
#include "tests/support/engine_pair.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

struct contexts {
    struct certificate_folder folder;
    struct tls_context *server;   /* a.example and 127.0.0.1, b.example */
    struct tls_context *server13; /* TLS 1.3 only */
    struct tls_context *expired;
    struct tls_context *ticketless;
    struct tls_context *client;     /* trusts the authority */
    struct tls_context *unverified; /* trusts anyone */
};

enum server_wish { SERVER_USUAL, SERVER_TLS13, SERVER_NO_TICKETS };

static struct tls_context *new_server(const struct certificate_folder *folder,
                                      const char *first, const char *second,
                                      enum server_wish wish)
{
    const char *stems[] = {first, second};
    struct certificate_settings certificates[2] = {{0}};
    char *paths[4] = {NULL};
    struct tls_settings settings = {.certificates = certificates,
                                    .is_minimum_13 = wish == SERVER_TLS13,
                                    .has_tickets = wish != SERVER_NO_TICKETS};
    struct diags diags;
    for (size_t i = 0; i < 2 && stems[i] != NULL; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%s.pem", stems[i]);
        certificates[i].chain = paths[i * 2] = certificate_path(folder, name);
        snprintf(name, sizeof(name), "%s.key", stems[i]);
        certificates[i].key = paths[i * 2 + 1] = certificate_path(folder, name);
        settings.certificate_count++;
    }
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    diags_print(&diags, stderr);
    assert_non_null(context);
    diags_release(&diags);
    for (size_t i = 0; i < 4; i++)
        free(paths[i]);
    return context;
}

static struct tls_context *new_client(const struct certificate_folder *folder,
                                      bool is_verified)
{
    char *ca = certificate_path(folder, "authority.pem");
    struct upstream_settings settings = {.is_verified = is_verified, .ca = ca};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_client(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    free(ca);
    return context;
}

static const struct certificate_wish WISHES[] = {
    {.file = "authority", .until_days = 30, .is_authority = true},
    {.file = "a",
     .names = "DNS:a.example,IP:127.0.0.1",
     .until_days = 30,
     .issuer = "authority"},
    {.file = "b",
     .names = "DNS:b.example,DNS:*.b.example",
     .until_days = 30,
     .issuer = "authority"},
    {.file = "expired",
     .names = "DNS:a.example",
     .from_days = -9,
     .until_days = -1,
     .issuer = "authority"},
    {.file = "self", .names = "DNS:self.example", .until_days = 30},
};

static int make_contexts(void **state)
{
    struct contexts *all = calloc(1, sizeof(*all));
    certificate_folder_init(&all->folder);
    for (size_t i = 0; i < sizeof(WISHES) / sizeof(WISHES[0]); i++)
        certificate_make(&all->folder, &WISHES[i]);
    all->server = new_server(&all->folder, "a", "b", SERVER_USUAL);
    all->server13 = new_server(&all->folder, "self", NULL, SERVER_TLS13);
    all->expired = new_server(&all->folder, "expired", NULL, SERVER_USUAL);
    all->ticketless = new_server(&all->folder, "a", NULL, SERVER_NO_TICKETS);
    all->client = new_client(&all->folder, true);
    all->unverified = new_client(&all->folder, false);
    *state = all;
    return 0;
}

static int free_contexts(void **state)
{
    struct contexts *all = *state;
    tls_context_free(all->server);
    tls_context_free(all->server13);
    tls_context_free(all->expired);
    tls_context_free(all->ticketless);
    tls_context_free(all->client);
    tls_context_free(all->unverified);
    certificate_folder_release(&all->folder);
    free(all);
    return 0;
}

static void say(struct tls_engine *from, struct tls_engine *to, size_t step,
                struct str words)
{
    char heard[256];
    assert_int_equal(tls_engine_write(from, words), words.n);
    engines_carry(from, to, step);
    assert_int_equal(tls_engine_pending(to), words.n);
    assert_int_equal(tls_engine_read(to, heard, sizeof(heard)), words.n);
    assert_memory_equal(heard, words.p, words.n);
    assert_int_equal(tls_engine_read(to, heard, sizeof(heard)), 0);
}

static void check_whole_life(struct contexts *all, size_t step)
{
    struct engine_pair pair =
        engine_pair_new(all->server, all->client, "a.example", step);
    assert_int_equal(tls_engine_advance(pair.server), TLS_OPEN);
    assert_int_equal(tls_engine_advance(pair.client), TLS_OPEN);
    assert_string_equal(tls_engine_version(pair.server), "1.3");
    assert_string_equal(tls_engine_sni(pair.server), "a.example");
    assert_memory_equal(tls_engine_cipher(pair.server), "TLS_", 4);
    say(pair.client, pair.server, step, STR("EHLO client.example\r\n"));
    say(pair.server, pair.client, step, STR("250 a.example\r\n"));
    tls_engine_write(pair.client, STR("QUIT\r\n"));
    tls_engine_close(pair.client);
    tls_engine_close(pair.client);
    engines_carry(pair.client, pair.server, step);
    /* The end is seen behind what was said before it. */
    char heard[16];
    assert_int_equal(tls_engine_advance(pair.server), TLS_OPEN);
    assert_int_equal(tls_engine_read(pair.server, heard, sizeof(heard)), 6);
    assert_int_equal(tls_engine_advance(pair.server), TLS_PEER_CLOSED);
    assert_int_equal(tls_engine_write(pair.server, STR("221 bye\r\n")), 9);
    engines_carry(pair.server, pair.client, step);
    engine_pair_free(&pair);
}

static void both_ends_talk_whatever_the_size_of_the_pieces(void **state)
{
    const size_t steps[] = {1, 2, 5, 1000, 100000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        check_whole_life(*state, steps[i]);
}

static void much_clear_text_passes_in_bounded_memory(void **state)
{
    struct contexts *all = *state;
    struct engine_pair pair =
        engine_pair_new(all->server, all->client, "a.example", 9999);
    size_t size = 1000000, sent = 0, got = 0;
    char *octets = malloc(size), *heard = malloc(size);
    for (size_t i = 0; i < size; i++)
        octets[i] = (char)(i * 2654435761U >> 24);
    while (got < size) {
        sent += tls_engine_write(pair.client,
                                 str_skip(str_span(octets, size), sent));
        assert_true(tls_engine_output(pair.client).n <
                    TLS_ENGINE_OUTPUT_HIGH + 17 * 1024);
        engines_carry(pair.client, pair.server, 9999);
        got += tls_engine_read(pair.server, heard + got, size - got);
        assert_true(tls_engine_room(pair.server) <= TLS_ENGINE_INPUT_MAX);
    }
    assert_memory_equal(octets, heard, size);
    assert_int_equal(tls_engine_room(pair.server), TLS_ENGINE_INPUT_MAX);
    assert_int_equal(tls_engine_output(pair.client).n, 0);
    free(octets);
    free(heard);
    engine_pair_free(&pair);
}

static void writing_coalesces_into_full_records(void **state)
{
    struct contexts *all = *state;
    struct engine_pair pair =
        engine_pair_new(all->server, all->client, "a.example", 9999);
    static const char zeros[32 * 1024];
    assert_int_equal(
        tls_engine_write(pair.client, str_span(zeros, sizeof(zeros))),
        sizeof(zeros));
    assert_in_range(tls_engine_output(pair.client).n, sizeof(zeros) + 1,
                    sizeof(zeros) + 2 * 30);
    engine_pair_free(&pair);
}

static const struct name_case {
    const char *name;
    const char *want_error; /* part of it; NULL: the handshake succeeds */
    bool is_expired, is_self_signed, is_unverified;
} NAME_CASES[] = {
    {.name = "a.example"},
    {.name = "127.0.0.1"},
    {.name = "b.example"},
    {.name = "mx.b.example"},
    {.name = "wrong.example",
     .want_error = "certificate verify failed: Hostname mismatch"},
    {.name = "127.0.0.2",
     .want_error = "certificate verify failed: IP address mismatch"},
    {.name = "", .want_error = "can't be the name of a TLS server"},
    {.name = "a.example",
     .is_expired = true,
     .want_error = "certificate verify failed: certificate has expired"},
    {.name = "self.example",
     .is_self_signed = true,
     .want_error = "certificate verify failed: self signed certificate"},
    {.name = "self.example", .is_self_signed = true, .is_unverified = true},
    {.name = "wrong.example", .is_expired = true, .is_unverified = true},
};

static void the_client_checks_chain_and_name(void **state)
{
    struct contexts *all = *state;
    for (size_t i = 0; i < sizeof(NAME_CASES) / sizeof(NAME_CASES[0]); i++) {
        const struct name_case *c = &NAME_CASES[i];
        struct tls_context *server = c->is_expired       ? all->expired
                                     : c->is_self_signed ? all->server13
                                                         : all->server;
        struct engine_pair pair = engine_pair_new(
            server, c->is_unverified ? all->unverified : all->client, c->name,
            9999);
        enum tls_state want = c->want_error == NULL ? TLS_OPEN : TLS_FAILED;
        print_message("%s: %s\n", c->name, tls_engine_error(pair.client));
        assert_int_equal(tls_engine_advance(pair.client), want);
        if (c->want_error != NULL)
            assert_non_null(
                strstr(tls_engine_error(pair.client), c->want_error));
        engine_pair_free(&pair);
    }
}

/* A peer of BoringSSL's own, for what our contexts would never do. */
struct peer {
    SSL_CTX *context;
    SSL *ssl;
};

static struct peer new_peer(void)
{
    struct peer peer = {.context = SSL_CTX_new(TLS_method())};
    peer.ssl = SSL_new(peer.context);
    SSL_set_bio(peer.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(peer.ssl), -1);
    SSL_set_connect_state(peer.ssl);
    return peer;
}

static void free_peer(struct peer *peer)
{
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    ERR_clear_error();
}

static void carry_from_peer(struct peer *peer, struct tls_engine *to)
{
    char piece[4096];
    int n;
    while ((n = BIO_read(SSL_get_wbio(peer->ssl), piece, sizeof(piece))) > 0) {
        assert_int_equal(tls_engine_feed(to, str_span(piece, (size_t)n)), n);
        tls_engine_advance(to);
    }
}

/* Until neither has anything to say. */
static void talk_to_peer(struct peer *peer, struct tls_engine *server)
{
    for (int i = 0; i < 8; i++) {
        SSL_do_handshake(peer->ssl);
        carry_from_peer(peer, server);
        struct str output = tls_engine_output(server);
        BIO_write(SSL_get_rbio(peer->ssl), output.p, (int)output.n);
        tls_engine_sent(server, output.n);
    }
    ERR_clear_error();
}

enum peer_wish {
    PEER_PLAIN,
    PEER_TLS11,
    PEER_TLS12,
    PEER_CBC,
    PEER_ALPN_H2,
    PEER_ALPN_SMTP,
    PEER_ALPN_BOTH,
};

static void wish(struct peer *peer, enum peer_wish what)
{
    static const uint8_t h2[] = "\x02h2\x08http/1.1";
    static const uint8_t smtp[] = "\x04smtp";
    static const uint8_t both[] = "\x02h2\x04smtp";
    if (what == PEER_TLS11)
        SSL_set_max_proto_version(peer->ssl, TLS1_1_VERSION);
    if (what == PEER_TLS12 || what == PEER_CBC)
        SSL_set_max_proto_version(peer->ssl, TLS1_2_VERSION);
    if (what == PEER_CBC)
        SSL_set_cipher_list(peer->ssl,
                            "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA");
    if (what == PEER_ALPN_H2)
        SSL_set_alpn_protos(peer->ssl, h2, sizeof(h2) - 1);
    if (what == PEER_ALPN_SMTP)
        SSL_set_alpn_protos(peer->ssl, smtp, sizeof(smtp) - 1);
    if (what == PEER_ALPN_BOTH)
        SSL_set_alpn_protos(peer->ssl, both, sizeof(both) - 1);
}

static const struct peer_case {
    enum peer_wish wish;
    bool is_minimum_13;
    const char *want_error; /* NULL: the handshake succeeds */
    const char *want_version;
    const char *want_protocol;
} PEER_CASES[] = {
    {.wish = PEER_PLAIN, .want_version = "1.3", .want_protocol = ""},
    {.wish = PEER_TLS12, .want_version = "1.2", .want_protocol = ""},
    {.wish = PEER_TLS12,
     .is_minimum_13 = true,
     .want_error = "unsupported protocol version"},
    {.wish = PEER_TLS11, .want_error = "unsupported protocol version"},
    {.wish = PEER_CBC, .want_error = "no shared cipher"},
    {.wish = PEER_ALPN_H2,
     .want_error = "no shared application protocol (ALPN)"},
    {.wish = PEER_ALPN_SMTP, .want_version = "1.3", .want_protocol = "smtp"},
    {.wish = PEER_ALPN_BOTH, .want_version = "1.3", .want_protocol = "smtp"},
};

static void check_peer_case(struct contexts *all, const struct peer_case *c)
{
    struct peer peer = new_peer();
    struct tls_engine *server =
        tls_engine_new(c->is_minimum_13 ? all->server13 : all->server, NULL);
    wish(&peer, c->wish);
    talk_to_peer(&peer, server);
    if (c->want_error != NULL) {
        assert_int_equal(tls_engine_advance(server), TLS_FAILED);
        assert_string_equal(tls_engine_error(server), c->want_error);
        assert_false(SSL_is_init_finished(peer.ssl));
    } else {
        const uint8_t *protocol;
        unsigned size;
        assert_int_equal(tls_engine_advance(server), TLS_OPEN);
        assert_string_equal(tls_engine_version(server), c->want_version);
        SSL_get0_alpn_selected(peer.ssl, &protocol, &size);
        assert_int_equal(size, strlen(c->want_protocol));
    }
    tls_engine_free(server);
    free_peer(&peer);
}

static void what_is_not_modern_or_not_smtp_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof(PEER_CASES) / sizeof(PEER_CASES[0]); i++)
        check_peer_case(*state, &PEER_CASES[i]);
}

static void a_failed_handshake_leaves_an_alert_to_send(void **state)
{
    struct contexts *all = *state;
    struct peer peer = new_peer();
    struct tls_engine *server = tls_engine_new(all->server, NULL);
    wish(&peer, PEER_ALPN_H2);
    SSL_do_handshake(peer.ssl);
    carry_from_peer(&peer, server);
    struct str output = tls_engine_output(server);
    assert_int_equal(output.n, 7);
    /* RFC 7301 3.2: fatal, no_application_protocol. */
    assert_int_equal((unsigned char)output.p[0], 21);
    assert_int_equal((unsigned char)output.p[5], 2);
    assert_int_equal((unsigned char)output.p[6], 120);
    tls_engine_free(server);
    free_peer(&peer);
}

static const struct clear_case {
    struct str octets;
    const char *want_error;
} CLEAR_CASES[] = {
    {STR_INIT("EHLO client.example\r\n"), "wrong version number (clear text?)"},
    {STR_INIT("GET / HTTP/1.1\r\n\r\n"), "an HTTP request, not TLS"},
    {STR_INIT("POST / HTTP/1.1\r\n\r\n"), "an HTTP request, not TLS"},
    {STR_INIT("\x16\x03\x01\xff\xff garbage"), "encrypted length too long"},
};

static void clear_text_is_never_let_through(void **state)
{
    struct contexts *all = *state;
    for (size_t i = 0; i < sizeof(CLEAR_CASES) / sizeof(CLEAR_CASES[0]); i++) {
        const struct clear_case *c = &CLEAR_CASES[i];
        char heard[64];
        struct tls_engine *server = tls_engine_new(all->server, NULL);
        assert_int_equal(tls_engine_feed(server, c->octets), c->octets.n);
        assert_int_equal(tls_engine_advance(server), TLS_FAILED);
        assert_string_equal(tls_engine_error(server), c->want_error);
        assert_int_equal(tls_engine_read(server, heard, sizeof(heard)), 0);
        assert_int_equal(tls_engine_write(server, STR("220 hi\r\n")), 0);
        tls_engine_free(server);
    }
}

static void clear_text_behind_the_handshake_ends_the_connection(void **state)
{
    struct contexts *all = *state;
    struct engine_pair pair =
        engine_pair_new(all->server, all->client, "a.example", 9999);
    char heard[64];
    tls_engine_feed(pair.server, STR("MAIL FROM:<a@example.com>\r\n"));
    assert_int_equal(tls_engine_advance(pair.server), TLS_FAILED);
    assert_int_equal(tls_engine_read(pair.server, heard, sizeof(heard)), 0);
    assert_true(strlen(tls_engine_error(pair.server)) > 0);
    engine_pair_free(&pair);
}

/* RFC 8446 5.2: a length that no record may have, and an empty record in
 * clear text. Said by its head, before the rest of it is there. */
static const struct str BAD_RECORDS[] = {
    STR_INIT("\x17\x03\x03\x42\x00"),
    STR_INIT("\x17\x03\x03\xff\xff"),
    STR_INIT("\x17\x03\x03\x00\x00"),
    STR_INIT("\x15\x03\x03\x00\x02\x02\x00"),
};

static void T10_a_record_that_is_none_ends_an_open_connection(void **state)
{
    struct contexts *all = *state;
    size_t count = sizeof(BAD_RECORDS) / sizeof(BAD_RECORDS[0]);
    for (size_t i = 0; i < count; i++) {
        char heard[64];
        struct engine_pair pair =
            engine_pair_new(all->server, all->client, "a.example", 9999);
        assert_int_equal(tls_engine_advance(pair.server), TLS_OPEN);
        tls_engine_feed(pair.server, BAD_RECORDS[i]);
        assert_int_equal(tls_engine_advance(pair.server), TLS_FAILED);
        print_message("%zu: %s\n", i, tls_engine_error(pair.server));
        assert_true(strlen(tls_engine_error(pair.server)) > 0);
        assert_int_equal(tls_engine_read(pair.server, heard, sizeof(heard)), 0);
        engine_pair_free(&pair);
    }
}

static void T08_a_flood_of_key_updates_is_cut_short(void **state)
{
    struct contexts *all = *state;
    struct peer peer = new_peer();
    struct tls_engine *server = tls_engine_new(all->server, NULL);
    talk_to_peer(&peer, server);
    enum tls_state now = TLS_OPEN;
    for (int i = 0; i < 1000 && now == TLS_OPEN; i++) {
        SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_write(peer.ssl, "", 0);
        carry_from_peer(&peer, server);
        now = tls_engine_advance(server);
        assert_true(tls_engine_output(server).n < 4096);
    }
    assert_int_equal(now, TLS_FAILED);
    tls_engine_free(server);
    free_peer(&peer);
}

static bool resumes(struct tls_context *server_context, SSL_SESSION *session)
{
    struct peer peer = new_peer();
    struct tls_engine *server = tls_engine_new(server_context, NULL);
    wish(&peer, PEER_TLS12);
    SSL_set_session(peer.ssl, session);
    talk_to_peer(&peer, server);
    bool is_resumed = SSL_session_reused(peer.ssl) == 1;
    assert_int_equal(tls_engine_advance(server), TLS_OPEN);
    tls_engine_free(server);
    free_peer(&peer);
    return is_resumed;
}

static void a_ticket_resumes_on_the_same_context_only(void **state)
{
    struct contexts *all = *state;
    struct peer peer = new_peer();
    struct tls_engine *server = tls_engine_new(all->server, NULL);
    wish(&peer, PEER_TLS12);
    talk_to_peer(&peer, server);
    SSL_SESSION *session = SSL_get1_session(peer.ssl);
    assert_non_null(session);
    assert_true(resumes(all->server, session));
    assert_false(resumes(all->expired, session));
    SSL_SESSION_free(session);
    tls_engine_free(server);
    free_peer(&peer);
}

static int count_session(SSL *ssl, SSL_SESSION *session)
{
    size_t *count = SSL_get_app_data(ssl);
    (void)session;
    (*count)++;
    return 0;
}

static size_t count_tickets(struct tls_context *context, enum peer_wish what)
{
    size_t count = 0;
    char none;
    struct peer peer = new_peer();
    struct tls_engine *server = tls_engine_new(context, NULL);
    SSL_CTX_set_session_cache_mode(peer.context, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(peer.context, count_session);
    SSL_set_app_data(peer.ssl, &count);
    wish(&peer, what);
    talk_to_peer(&peer, server);
    /* In TLS 1.3 they leave with the server's first words. */
    tls_engine_write(server, STR("2"));
    talk_to_peer(&peer, server);
    assert_int_equal(SSL_read(peer.ssl, &none, 1), 1);
    assert_int_equal(tls_engine_advance(server), TLS_OPEN);
    tls_engine_free(server);
    free_peer(&peer);
    return count;
}

static void tickets_are_given_only_where_they_are_wanted(void **state)
{
    struct contexts *all = *state;
    assert_true(count_tickets(all->server, PEER_PLAIN) > 0);
    assert_true(count_tickets(all->server, PEER_TLS12) > 0);
    assert_int_equal(count_tickets(all->ticketless, PEER_PLAIN), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_talk_whatever_the_size_of_the_pieces),
        cmocka_unit_test(much_clear_text_passes_in_bounded_memory),
        cmocka_unit_test(writing_coalesces_into_full_records),
        cmocka_unit_test(the_client_checks_chain_and_name),
        cmocka_unit_test(what_is_not_modern_or_not_smtp_is_refused),
        cmocka_unit_test(a_failed_handshake_leaves_an_alert_to_send),
        cmocka_unit_test(clear_text_is_never_let_through),
        cmocka_unit_test(clear_text_behind_the_handshake_ends_the_connection),
        cmocka_unit_test(T10_a_record_that_is_none_ends_an_open_connection),
        cmocka_unit_test(T08_a_flood_of_key_updates_is_cut_short),
        cmocka_unit_test(a_ticket_resumes_on_the_same_context_only),
        cmocka_unit_test(tickets_are_given_only_where_they_are_wanted),
    };
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
