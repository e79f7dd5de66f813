#include "proxy/tls/tls_session.h"

#include "proxy/tls/tls_context_internal.h"
#include "proxy/tls/tls_engine.h"
#include "tests/support/certificates.h"
#include "tests/support/engine_pair.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct ends {
    struct certificate_folder folder;
    struct tls_context *server, *stranger, *client, *client12;
};

static const struct certificate_wish WISHES[] = {
    {.file = "a", .names = "DNS:a.example", .until_days = 30},
};

static struct tls_context *new_server(const char *chain, const char *key)
{
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1,
                                    .has_tickets = true};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    return context;
}

static struct tls_context *new_client(const char *ca)
{
    struct upstream_settings settings = {.is_verified = true, .ca = ca};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_client(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    return context;
}

static int make_ends(void **state)
{
    struct ends *ends = calloc(1, sizeof *ends);
    certificate_folder_init(&ends->folder);
    certificate_make(&ends->folder, &WISHES[0]);
    char *chain = certificate_path(&ends->folder, "a.pem");
    char *key = certificate_path(&ends->folder, "a.key");
    ends->server = new_server(chain, key);
    ends->stranger = new_server(chain, key);
    ends->client = new_client(chain);
    ends->client12 = new_client(chain);
    SSL_CTX_set_max_proto_version(ends->client12->set.contexts[0],
                                  TLS1_2_VERSION);
    free(chain);
    free(key);
    *state = ends;
    return 0;
}

static int free_ends(void **state)
{
    struct ends *ends = *state;
    tls_context_free(ends->server);
    tls_context_free(ends->stranger);
    tls_context_free(ends->client);
    tls_context_free(ends->client12);
    certificate_folder_release(&ends->folder);
    free(ends);
    return 0;
}

/* One connection that takes a session from the store and leaves its own there.
 * Whether it was resumed. */
static bool connect_once(struct tls_context *server, struct tls_context *client,
                         struct tls_sessions *sessions)
{
    struct engine_pair pair = {tls_engine_new(server, NULL),
                               tls_engine_new(client, "a.example")};
    tls_engine_offer(pair.client, tls_sessions_take(sessions));
    engines_shake_hands(pair.server, pair.client, 9999);
    assert_int_equal(tls_engine_advance(pair.client), TLS_OPEN);
    bool is_resumed = tls_engine_is_resumed(pair.client);
    assert_int_equal(is_resumed, tls_engine_is_resumed(pair.server));
    /* Tickets leave with the first words of the server. */
    assert_int_equal(tls_engine_write(pair.server, STR("250 hi\r\n")), 8);
    engines_carry(pair.server, pair.client, 9999);
    tls_sessions_keep(sessions, tls_engine_session(pair.client));
    assert_null(tls_engine_session(pair.client));
    engine_pair_free(&pair);
    return is_resumed;
}

static void a_session_is_resumed_over_and_over(void **state)
{
    struct ends *ends = *state;
    struct tls_context *const clients[] = {ends->client, ends->client12};
    for (size_t i = 0; i < 2; i++) {
        struct tls_sessions sessions = {0};
        assert_false(connect_once(ends->server, clients[i], &sessions));
        assert_int_equal(sessions.count, 1);
        for (int n = 0; n < 3; n++) {
            assert_true(connect_once(ends->server, clients[i], &sessions));
            assert_int_equal(sessions.count, 1);
        }
        tls_sessions_release(&sessions);
    }
}

/* RFC 8446 C.4: who listens could else tell that it is the same client. */
static void a_ticket_is_offered_once(void **state)
{
    struct ends *ends = *state;
    struct tls_sessions sessions = {0};
    connect_once(ends->server, ends->client, &sessions);
    tls_session_free(tls_sessions_take(&sessions));
    assert_null(tls_sessions_take(&sessions));
    assert_false(connect_once(ends->server, ends->client, &sessions));
    tls_sessions_release(&sessions);
}

static void a_server_that_forgot_shakes_hands_anew(void **state)
{
    struct ends *ends = *state;
    struct tls_sessions sessions = {0};
    connect_once(ends->server, ends->client, &sessions);
    assert_false(connect_once(ends->stranger, ends->client, &sessions));
    assert_true(connect_once(ends->stranger, ends->client, &sessions));
    tls_sessions_release(&sessions);
}

static void a_failed_handshake_leaves_no_session(void **state)
{
    struct ends *ends = *state;
    struct engine_pair pair =
        engine_pair_new(ends->server, ends->client, "b.example", 9999);
    assert_int_equal(tls_engine_advance(pair.client), TLS_FAILED);
    assert_null(tls_engine_session(pair.client));
    engine_pair_free(&pair);
}

static void what_nobody_takes_goes_with_the_engine(void **state)
{
    struct ends *ends = *state;
    struct tls_sessions sessions = {0};
    connect_once(ends->server, ends->client, &sessions);
    struct tls_engine *bad = tls_engine_new(ends->client, "");
    assert_int_equal(tls_engine_advance(bad), TLS_FAILED);
    tls_engine_offer(bad, tls_sessions_take(&sessions));
    tls_engine_offer(bad, NULL);
    tls_engine_free(bad);
    struct engine_pair pair =
        engine_pair_new(ends->server, ends->client, "a.example", 9999);
    assert_int_equal(tls_engine_advance(pair.client), TLS_OPEN);
    engine_pair_free(&pair);
}

static void the_newest_are_kept_and_no_more_than_that(void **state)
{
    struct ends *ends = *state;
    struct tls_sessions sessions = {0};
    SSL_SESSION *made[TLS_SESSIONS_MAX + 2];
    for (size_t i = 0; i < TLS_SESSIONS_MAX + 2; i++) {
        made[i] = SSL_SESSION_new(ends->client->set.contexts[0]);
        tls_sessions_keep(&sessions, made[i]);
    }
    tls_sessions_keep(&sessions, NULL);
    for (size_t i = TLS_SESSIONS_MAX + 2; i > 2; i--) {
        SSL_SESSION *taken = tls_sessions_take(&sessions);
        assert_ptr_equal(taken, made[i - 1]);
        tls_session_free(taken);
    }
    assert_null(tls_sessions_take(&sessions));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_resumed_over_and_over),
        cmocka_unit_test(a_ticket_is_offered_once),
        cmocka_unit_test(a_server_that_forgot_shakes_hands_anew),
        cmocka_unit_test(a_failed_handshake_leaves_no_session),
        cmocka_unit_test(what_nobody_takes_goes_with_the_engine),
        cmocka_unit_test(the_newest_are_kept_and_no_more_than_that),
    };
    return cmocka_run_group_tests(tests, make_ends, free_ends);
}
