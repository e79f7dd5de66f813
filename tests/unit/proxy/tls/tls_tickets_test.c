/* The keys of session tickets over the days. The server's clock is ours. */
#include "proxy/tls/tls_engine.h"

#include "proxy/tls/tls_context_internal.h"
#include "tests/support/certificates.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KEY_NAME 16 /* RFC 5077 4: the first octets of a ticket */

static time_t now;

static void read_clock(const SSL *ssl, struct timeval *out)
{
    (void)ssl;
    *out = (struct timeval){.tv_sec = now};
}

static int make_context(void **state)
{
    struct certificate_folder folder;
    struct diags diags;
    certificate_folder_init(&folder);
    certificate_make(
        &folder, &(struct certificate_wish){
                     .file = "a", .names = "DNS:a.example", .until_days = 30});
    char *chain = certificate_path(&folder, "a.pem");
    char *key = certificate_path(&folder, "a.key");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1,
                                    .has_tickets = true};
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(context);
    SSL_CTX_set_current_time_cb(context->opener, read_clock);
    SSL_CTX_set_current_time_cb(context->set.contexts[0], read_clock);
    now = time(NULL);
    *state = context;
    diags_release(&diags);
    free(chain);
    free(key);
    certificate_folder_release(&folder);
    return 0;
}

static int free_context(void **state)
{
    tls_context_free(*state);
    return 0;
}

/* A handshake of a client that holds `session`, or none. Whether that was
 * resumed; the session it has then is *out, if wanted. */
static bool connect_with(struct tls_context *context, SSL_SESSION *session,
                         SSL_SESSION **out)
{
    SSL_CTX *client = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(client);
    struct tls_engine *server = tls_engine_new(context, NULL);
    char piece[8192];
    SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    SSL_set_connect_state(ssl);
    SSL_set_session(ssl, session);
    for (int i = 0; i < 4; i++) {
        SSL_do_handshake(ssl);
        int n = BIO_read(SSL_get_wbio(ssl), piece, sizeof(piece));
        if (n > 0)
            tls_engine_feed(server, str_span(piece, (size_t)n));
        tls_engine_advance(server);
        struct str output = tls_engine_output(server);
        BIO_write(SSL_get_rbio(ssl), output.p, (int)output.n);
        tls_engine_sent(server, output.n);
    }
    assert_int_equal(tls_engine_advance(server), TLS_OPEN);
    assert_true(SSL_is_init_finished(ssl));
    bool is_resumed = SSL_session_reused(ssl) == 1;
    if (out != NULL)
        *out = SSL_get1_session(ssl);
    tls_engine_free(server);
    SSL_free(ssl);
    SSL_CTX_free(client);
    ERR_clear_error();
    return is_resumed;
}

static bool has_key_of(SSL_SESSION *session, SSL_SESSION *other)
{
    const uint8_t *one, *two;
    size_t n, m;
    SSL_SESSION_get0_ticket(session, &one, &n);
    SSL_SESSION_get0_ticket(other, &two, &m);
    assert_true(n > KEY_NAME && m > KEY_NAME);
    return memcmp(one, two, KEY_NAME) == 0;
}

static void the_keys_change_and_the_last_ones_still_open(void **state)
{
    SSL_SESSION *first, *late, *new;
    assert_false(connect_with(*state, NULL, &first));
    now += 2 * DAY - HOUR;
    assert_false(connect_with(*state, NULL, &late));
    assert_true(has_key_of(late, first));
    /* The key has gone out of use; its tickets have not. */
    now += HOUR + MINUTE;
    assert_false(connect_with(*state, NULL, &new));
    assert_false(has_key_of(new, first));
    assert_true(connect_with(*state, late, NULL));
    SSL_SESSION_free(first);
    SSL_SESSION_free(late);
    SSL_SESSION_free(new);
}

static void a_ticket_is_good_for_two_hours(void **state)
{
    SSL_SESSION *session;
    assert_false(connect_with(*state, NULL, &session));
    now += 2 * HOUR - MINUTE;
    assert_true(connect_with(*state, session, NULL));
    now += 2 * MINUTE;
    assert_false(connect_with(*state, session, NULL));
    SSL_SESSION_free(session);
}

static void keys_that_nobody_used_for_days_are_gone(void **state)
{
    SSL_SESSION *first, *new;
    assert_false(connect_with(*state, NULL, &first));
    now += 5 * DAY;
    assert_false(connect_with(*state, first, &new));
    assert_false(has_key_of(new, first));
    SSL_SESSION_free(first);
    SSL_SESSION_free(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_keys_change_and_the_last_ones_still_open, make_context,
            free_context),
        cmocka_unit_test_setup_teardown(a_ticket_is_good_for_two_hours,
                                        make_context, free_context),
        cmocka_unit_test_setup_teardown(keys_that_nobody_used_for_days_are_gone,
                                        make_context, free_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
