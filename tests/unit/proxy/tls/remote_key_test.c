/* Handshakes of a server whose key is somewhere else. */
#include "proxy/tls/tls_engine.h"

#include "proxy/tls/tls_context_internal.h"
#include "tests/support/engine_pair.h"
#include "tests/support/kept_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Which allocation fails: 1 is the next; 0: none. */
static size_t fail_at;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    if (fail_at > 0 && --fail_at == 0)
        return NULL;
    return __real_calloc(count, size);
}

struct meeting {
    struct engine_pair pair;
    size_t questions;
    struct key_question last;
};

/* What a keeper would say. */
static void answer(struct meeting *meeting, const struct key_set *keys)
{
    struct key_signature signature;
    enum key_result result = key_set_sign(keys, &meeting->last, &signature);
    tls_engine_answer(meeting->pair.server,
                      str_span(signature.octets, signature.n),
                      result == KEY_SIGNED ? "" : "refused");
    tls_engine_advance(meeting->pair.server);
    engines_shake_hands(meeting->pair.server, meeting->pair.client, 700);
}

static bool asks(struct meeting *meeting)
{
    bool is_asking = tls_engine_asks(meeting->pair.server, &meeting->last);
    meeting->questions += is_asking ? 1 : 0;
    return is_asking;
}

static struct meeting meet(const struct kept_keys *kept,
                           struct ssl_session_st *session)
{
    struct meeting meeting = {
        .pair = {tls_engine_new(kept->keyless, NULL),
                 tls_engine_new(kept->client, "a.example")}};
    assert_non_null(meeting.pair.server);
    assert_non_null(meeting.pair.client);
    tls_engine_offer(meeting.pair.client, session);
    engines_shake_hands(meeting.pair.server, meeting.pair.client, 700);
    return meeting;
}

static bool are_open(const struct meeting *meeting)
{
    return tls_engine_advance(meeting->pair.server) == TLS_OPEN &&
           tls_engine_advance(meeting->pair.client) == TLS_OPEN;
}

static void start(struct kept_keys *kept, bool is_rsa, bool is_13)
{
    kept_keys_init(kept, is_rsa, is_13);
    if (!is_13)
        assert_int_equal(SSL_CTX_set_max_proto_version(
                             kept->client->set.contexts[0], TLS1_2_VERSION),
                         1);
}

static void check_handshake(bool is_rsa, bool is_13)
{
    struct kept_keys kept;
    start(&kept, is_rsa, is_13);
    struct meeting meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    assert_false(asks(&meeting));
    answer(&meeting, kept.keys);
    assert_true(are_open(&meeting));
    assert_string_equal(tls_engine_version(meeting.pair.server),
                        is_13 ? "1.3" : "1.2");
    /* Tickets leave with the first words. */
    assert_int_equal(tls_engine_write(meeting.pair.server, STR("220 ")), 4);
    engines_carry(meeting.pair.server, meeting.pair.client, 700);
    struct ssl_session_st *session = tls_engine_session(meeting.pair.client);
    assert_non_null(session);
    engine_pair_free(&meeting.pair);

    /* A resumed handshake signs nothing. */
    meeting = meet(&kept, session);
    assert_false(asks(&meeting));
    assert_true(are_open(&meeting));
    assert_true(tls_engine_is_resumed(meeting.pair.client));
    engine_pair_free(&meeting.pair);
    kept_keys_release(&kept);
}

static void a_handshake_asks_for_one_signature(void **state)
{
    (void)state;
    check_handshake(false, true);
    check_handshake(false, false);
    check_handshake(true, true);
    check_handshake(true, false);
}

static void it_waits_for_the_answer(void **state)
{
    struct kept_keys kept;
    (void)state;
    start(&kept, false, true);
    struct meeting meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    for (int i = 0; i < 3; i++) {
        tls_engine_feed(meeting.pair.server, STR(""));
        tls_engine_sent(meeting.pair.server, 0);
        assert_int_equal(tls_engine_advance(meeting.pair.server),
                         TLS_HANDSHAKING);
        assert_false(asks(&meeting));
    }
    answer(&meeting, kept.keys);
    assert_true(are_open(&meeting));
    engine_pair_free(&meeting.pair);
    /* One that never comes leaves nothing behind. */
    meeting = meet(&kept, NULL);
    engine_pair_free(&meeting.pair);
    meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    engine_pair_free(&meeting.pair);
    kept_keys_release(&kept);
}

static void a_refusal_fails_the_handshake_with_its_words(void **state)
{
    struct kept_keys kept;
    (void)state;
    start(&kept, false, true);
    struct meeting meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    tls_engine_answer(meeting.pair.server, STR(""), "nobody is there");
    assert_int_equal(tls_engine_advance(meeting.pair.server), TLS_FAILED);
    assert_string_equal(tls_engine_error(meeting.pair.server),
                        "nobody is there");
    engine_pair_free(&meeting.pair);
    kept_keys_release(&kept);
}

static void check_wrong_signature(struct kept_keys *kept, struct str octets)
{
    struct meeting meeting = meet(kept, NULL);
    assert_true(asks(&meeting));
    tls_engine_answer(meeting.pair.server, octets, "none");
    tls_engine_advance(meeting.pair.server);
    engines_shake_hands(meeting.pair.server, meeting.pair.client, 700);
    assert_false(are_open(&meeting));
    engine_pair_free(&meeting.pair);
}

static void a_wrong_signature_convinces_nobody(void **state)
{
    struct kept_keys kept;
    char long_one[KEY_SIGNATURE_MAX + 1] = {1};
    (void)state;
    start(&kept, true, true);
    check_wrong_signature(&kept, STR("not a signature"));
    check_wrong_signature(&kept, str_span(long_one, 256));
    check_wrong_signature(&kept, str_span(long_one, KEY_SIGNATURE_MAX));
    check_wrong_signature(&kept, str_span(long_one, sizeof long_one));
    kept_keys_release(&kept);
}

static void the_asking_kind_has_no_key_either(void **state)
{
    struct kept_keys kept;
    struct diags diags;
    struct files *files = files_from_disk();
    (void)state;
    assert_non_null(files);
    start(&kept, false, true);
    char *ca = certificate_path(&kept.folder, "a.pem");
    const struct tls_settings settings = {.is_minimum_13 = true};
    const struct client_ca_settings clients = {.path = ca};
    diags_init(&diags);
    struct tls_context *asking = tls_context_asking_clients(
        kept.keyless, &settings, &clients, files, &diags);
    assert_non_null(asking);
    diags_release(&diags);
    files_free(files);
    free(ca);
    tls_context_free(kept.keyless);
    kept.keyless = asking;
    struct meeting meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    answer(&meeting, kept.keys);
    assert_true(are_open(&meeting));
    engine_pair_free(&meeting.pair);
    kept_keys_release(&kept);
}

static void only_words_of_a_server_are_signed(void **state)
{
    struct kept_keys kept, others;
    struct key_signature signature;
    (void)state;
    start(&kept, false, true);
    start(&others, true, true);
    struct meeting meeting = meet(&kept, NULL);
    assert_true(asks(&meeting));
    const struct key_question good = meeting.last;
    struct key_question bad = good;
    assert_int_equal(key_set_sign(kept.keys, &good, &signature), KEY_SIGNED);
    assert_int_equal(key_set_sign(others.keys, &good, &signature), KEY_UNKNOWN);
    assert_int_equal(key_set_sign(NULL, &good, &signature), KEY_UNKNOWN);
    assert_int_equal(signature.n, 0);

    bad.name[31] ^= 1;
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_UNKNOWN);
    bad = good;
    bad.algorithm = SSL_SIGN_RSA_PSS_RSAE_SHA256;
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_REFUSED);
    bad.algorithm = 0xffff;
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_REFUSED);
    bad = good;
    bad.input.n--;
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_REFUSED);
    bad.input = STR("a certificate for everybody");
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_REFUSED);
    bad.input = STR("");
    assert_int_equal(key_set_sign(kept.keys, &bad, &signature), KEY_REFUSED);
    engine_pair_free(&meeting.pair);
    kept_keys_release(&kept);
    kept_keys_release(&others);
}

/* Not in the middle of the test's own. */
static bool meets_though(struct kept_keys *kept, size_t which)
{
    struct engine_pair pair = {NULL, tls_engine_new(kept->client, "a.example")};
    struct key_question question;
    struct key_signature signature;
    fail_at = which;
    pair.server = tls_engine_new(kept->keyless, NULL);
    if (pair.server != NULL) {
        engines_shake_hands(pair.server, pair.client, 700);
        if (tls_engine_asks(pair.server, &question)) {
            key_set_sign(kept->keys, &question, &signature);
            tls_engine_answer(pair.server,
                              str_span(signature.octets, signature.n), "none");
            tls_engine_advance(pair.server);
            engines_shake_hands(pair.server, pair.client, 700);
        }
    }
    bool has_failed = fail_at == 0 && which > 0;
    fail_at = 0;
    assert_true(has_failed || tls_engine_advance(pair.client) == TLS_OPEN);
    engine_pair_free(&pair);
    return !has_failed;
}

static void without_memory_a_handshake_fails_in_order(void **state)
{
    struct kept_keys kept;
    size_t which = 1;
    (void)state;
    start(&kept, false, true);
    while (!meets_though(&kept, which))
        which++;
    assert_true(which > 2);
    kept_keys_release(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_asks_for_one_signature),
        cmocka_unit_test(it_waits_for_the_answer),
        cmocka_unit_test(a_refusal_fails_the_handshake_with_its_words),
        cmocka_unit_test(a_wrong_signature_convinces_nobody),
        cmocka_unit_test(the_asking_kind_has_no_key_either),
        cmocka_unit_test(only_words_of_a_server_are_signed),
        cmocka_unit_test(without_memory_a_handshake_fails_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
