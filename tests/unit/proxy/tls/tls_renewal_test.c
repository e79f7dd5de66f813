/* Certificates and CAs that are exchanged while connections are open. */
#include "proxy/tls/tls_context.h"

#include "proxy/tls/tls_context_internal.h"
#include "tests/support/certificates.h"
#include "tests/support/engine_pair.h"
#include "tests/support/from_disk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two authorities, each with a server's and a client's certificate. */
static const struct certificate_wish WISHES[] = {
    {.file = "ca1", .names = "DNS:ca1", .until_days = 30, .is_authority = true},
    {.file = "ca2", .names = "DNS:ca2", .until_days = 30, .is_authority = true},
    {.file = "s1", .names = "DNS:a.example", .issuer = "ca1", .until_days = 30},
    {.file = "s2", .names = "DNS:a.example", .issuer = "ca2", .until_days = 30},
    {.file = "c1", .names = "DNS:client", .issuer = "ca1", .until_days = 30},
};

static int make_folder(void **state)
{
    struct certificate_folder *folder = calloc(1, sizeof *folder);
    certificate_folder_init(folder);
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++)
        certificate_make(folder, &WISHES[i]);
    *state = folder;
    return 0;
}

static int free_folder(void **state)
{
    certificate_folder_release(*state);
    free(*state);
    return 0;
}

/* "s1.pem" in the folder; overwritten by the eighth one behind it. */
static const char *in(const struct certificate_folder *folder, const char *name,
                      const char *kind)
{
    static char paths[8][128];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s.%s", folder->path, name, kind);
    return path;
}

/* `ca` NULL: clients are not asked for a certificate. */
static struct tls_context *new_server(const struct certificate_folder *folder,
                                      const char *name, const char *ca)
{
    struct certificate_settings certificate = {
        in(folder, name, "pem"), in(folder, name, "key"), {0}, {0}};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1,
                                    .has_tickets = true};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    if (ca != NULL) {
        struct client_ca_settings asked = {.path = in(folder, ca, "pem")};
        struct tls_context *base = context;
        context = FROM_DISK(
            tls_context_asking_clients(base, &settings, &asked, disk, &diags));
        tls_context_free(base);
    }
    assert_non_null(context);
    diags_release(&diags);
    return context;
}

/* `own` NULL: it has no certificate to show. */
static struct tls_context *new_client(const struct certificate_folder *folder,
                                      const char *ca, const char *own)
{
    struct upstream_settings settings = {.is_verified = true,
                                         .ca = in(folder, ca, "pem")};
    struct diags diags;
    diags_init(&diags);
    if (own != NULL)
        settings.certificate = (struct certificate_settings){
            in(folder, own, "pem"), in(folder, own, "key"), {0}, {0}};
    struct tls_context *context =
        FROM_DISK(tls_context_new_client(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    return context;
}

enum meeting { MET_NOT, MET, MET_AGAIN };

static enum meeting meet(struct tls_context *server, struct tls_context *client,
                         struct tls_sessions *sessions)
{
    struct engine_pair pair = {tls_engine_new(server, NULL),
                               tls_engine_new(client, "a.example")};
    tls_engine_offer(pair.client, tls_sessions_take(sessions));
    engines_shake_hands(pair.server, pair.client, 9999);
    bool has_met = tls_engine_advance(pair.client) == TLS_OPEN;
    bool is_resumed = tls_engine_is_resumed(pair.client);
    if (has_met) {
        assert_int_equal(tls_engine_write(pair.server, STR("250 hi\r\n")), 8);
        engines_carry(pair.server, pair.client, 9999);
        tls_sessions_keep(sessions, tls_engine_session(pair.client));
    }
    engine_pair_free(&pair);
    return !has_met ? MET_NOT : is_resumed ? MET_AGAIN : MET;
}

static void new_handshakes_get_the_new_certificate(void **state)
{
    struct tls_context *server = new_server(*state, "s1", NULL);
    struct tls_context *of_ca1 = new_client(*state, "ca1", NULL);
    struct tls_context *of_ca2 = new_client(*state, "ca2", NULL);
    struct tls_sessions none = {0};
    char to[16];
    struct engine_pair open = engine_pair_new(server, of_ca1, "a.example", 99);
    struct engine_pair begun = {tls_engine_new(server, NULL),
                                tls_engine_new(of_ca2, "a.example")};
    assert_int_equal(meet(server, of_ca2, &none), MET_NOT);
    tls_context_renew(server, new_server(*state, "s2", NULL));
    assert_int_equal(meet(server, of_ca1, &none), MET_NOT);
    assert_int_equal(meet(server, of_ca2, &none), MET);
    /* The connection of before goes on. */
    assert_int_equal(tls_engine_write(open.client, STR("NOOP\r\n")), 6);
    engines_carry(open.client, open.server, 99);
    assert_int_equal(tls_engine_read(open.server, to, sizeof to), 6);
    engine_pair_free(&open);
    /* One that had said nothing yet shows what is newest. */
    engines_shake_hands(begun.server, begun.client, 99);
    assert_int_equal(tls_engine_advance(begun.client), TLS_OPEN);
    engine_pair_free(&begun);
    tls_sessions_release(&none);
    tls_context_free(server);
    tls_context_free(of_ca1);
    tls_context_free(of_ca2);
}

static void tickets_outlive_the_certificate(void **state)
{
    struct tls_context *server = new_server(*state, "s1", NULL);
    struct tls_context *client = new_client(*state, "ca1", NULL);
    struct tls_sessions sessions = {0};
    assert_int_equal(meet(server, client, &sessions), MET);
    tls_context_renew(server, new_server(*state, "s2", NULL));
    assert_int_equal(meet(server, client, &sessions), MET_AGAIN);
    tls_sessions_release(&sessions);
    tls_context_free(server);
    tls_context_free(client);
}

static void a_ticket_is_void_when_the_cas_of_clients_are_others(void **state)
{
    struct tls_context *server = new_server(*state, "s1", "ca1");
    struct tls_context *client = new_client(*state, "ca1", "c1");
    struct tls_sessions sessions = {0};
    assert_int_equal(meet(server, client, &sessions), MET);
    tls_context_renew(server, new_server(*state, "s1", "ca1"));
    assert_int_equal(meet(server, client, &sessions), MET_AGAIN);
    /* In TLS 1.3 a client hears of its refusal after its own handshake. */
    tls_context_renew(server, new_server(*state, "s1", "ca2"));
    assert_int_not_equal(meet(server, client, &sessions), MET_AGAIN);
    tls_sessions_release(&sessions);
    tls_context_free(server);
    tls_context_free(client);
}

static void a_session_is_not_offered_under_other_cas(void **state)
{
    struct tls_context *server = new_server(*state, "s1", NULL);
    struct tls_context *client = new_client(*state, "ca1", NULL);
    struct tls_sessions sessions = {0};
    assert_int_equal(meet(server, client, &sessions), MET);
    tls_context_renew(client, new_client(*state, "ca1", NULL));
    assert_int_equal(meet(server, client, &sessions), MET_AGAIN);
    tls_context_renew(client, new_client(*state, "ca2", NULL));
    assert_int_equal(meet(server, client, &sessions), MET_NOT);
    tls_sessions_release(&sessions);
    tls_context_free(server);
    tls_context_free(client);
}

static void nor_when_another_certificate_is_shown(void **state)
{
    struct tls_context *server = new_server(*state, "s1", "ca1");
    struct tls_context *client = new_client(*state, "ca1", "c1");
    struct tls_sessions sessions = {0};
    assert_int_equal(meet(server, client, &sessions), MET);
    tls_context_renew(client, new_client(*state, "ca1", NULL));
    assert_int_equal(meet(server, client, &sessions), MET);
    tls_sessions_release(&sessions);
    tls_context_free(server);
    tls_context_free(client);
}

struct visitor {
    struct tls_context *server, *client;
    atomic_bool *is_over;
    atomic_size_t met, failed;
};

static void *visit(void *argument)
{
    struct visitor *visitor = argument;
    while (!atomic_load(visitor->is_over)) {
        struct engine_pair pair = {
            tls_engine_new(visitor->server, NULL),
            tls_engine_new(visitor->client, "a.example")};
        engines_shake_hands(pair.server, pair.client, 9999);
        if (tls_engine_advance(pair.client) == TLS_OPEN)
            visitor->met++;
        else
            visitor->failed++;
        engine_pair_free(&pair);
    }
    return NULL;
}

/* A machine that is busy may not have let it begin. */
static bool has_visited(const struct visitor *visitor)
{
    return atomic_load(&visitor->met) + atomic_load(&visitor->failed) > 0;
}

static void threads_shake_hands_meanwhile(void **state)
{
    struct tls_context *server = new_server(*state, "s1", "ca1");
    struct tls_context *client = new_client(*state, "ca1", "c1");
    atomic_bool is_over = false;
    struct visitor visitors[2] = {{server, client, &is_over, 0, 0},
                                  {server, client, &is_over, 0, 0}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]),
                         0);
    for (size_t i = 0;
         i < 50 || !has_visited(&visitors[0]) || !has_visited(&visitors[1]);
         i++) {
        tls_context_renew(server, new_server(*state, "s1", "ca1"));
        tls_context_renew(client, new_client(*state, "ca1", "c1"));
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(visitors[i].met > 0);
        assert_int_equal(visitors[i].failed, 0);
    }
    tls_context_free(server);
    tls_context_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_handshakes_get_the_new_certificate),
        cmocka_unit_test(tickets_outlive_the_certificate),
        cmocka_unit_test(a_ticket_is_void_when_the_cas_of_clients_are_others),
        cmocka_unit_test(a_session_is_not_offered_under_other_cas),
        cmocka_unit_test(nor_when_another_certificate_is_shown),
        cmocka_unit_test(threads_shake_hands_meanwhile),
    };
    return cmocka_run_group_tests(tests, make_folder, free_folder);
}
