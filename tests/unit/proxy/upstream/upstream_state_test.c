#include "proxy/upstream/upstream_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_state_has_a_name_and_may_close(void **state)
{
    (void)state;
    for (int i = 0; i < UPSTREAM_STATE_COUNT; i++) {
        enum upstream_state from = (enum upstream_state)i;
        assert_true(strlen(upstream_state_name(from)) > 0);
        assert_int_equal(upstream_state_may_follow(from, UPSTREAM_CLOSED),
                         from != UPSTREAM_CLOSED);
    }
}

static void edges_that_would_lose_step_are_none(void **state)
{
    (void)state;
    static const struct {
        enum upstream_state from, to;
        bool want;
    } cases[] = {
        {UPSTREAM_CONNECTING, UPSTREAM_BANNER, true},
        {UPSTREAM_CONNECTING, UPSTREAM_EHLO, false},
        {UPSTREAM_UPGRADE, UPSTREAM_EHLO, false},
        {UPSTREAM_UPGRADE, UPSTREAM_READY, false},
        {UPSTREAM_SECURING, UPSTREAM_EHLO, true},
        {UPSTREAM_READY, UPSTREAM_DATA, false},
        {UPSTREAM_READY, UPSTREAM_XCLIENT, true},
        {UPSTREAM_READY, UPSTREAM_EHLO, false},
        {UPSTREAM_XCLIENT, UPSTREAM_XCLIENT, true},
        {UPSTREAM_XCLIENT, UPSTREAM_EHLO, true},
        {UPSTREAM_XCLIENT, UPSTREAM_READY, false},
        {UPSTREAM_XCLIENT, UPSTREAM_ENVELOPE, false},
        {UPSTREAM_ENVELOPE, UPSTREAM_XCLIENT, false},
        {UPSTREAM_EHLO, UPSTREAM_XCLIENT, false},
        {UPSTREAM_ENVELOPE, UPSTREAM_READY, false},
        {UPSTREAM_DATA, UPSTREAM_RSET, false},
        {UPSTREAM_BODY, UPSTREAM_RSET, false},
        {UPSTREAM_BODY, UPSTREAM_READY, false},
        {UPSTREAM_BODY, UPSTREAM_DOT, true},
        {UPSTREAM_DOT, UPSTREAM_READY, true},
        {UPSTREAM_CHUNKS, UPSTREAM_RSET, true},
        {UPSTREAM_CHUNKS, UPSTREAM_READY, false},
        {UPSTREAM_ENVELOPE, UPSTREAM_YIELDING, true},
        {UPSTREAM_YIELDING, UPSTREAM_RSET, true},
        {UPSTREAM_YIELDING, UPSTREAM_READY, false},
        {UPSTREAM_DATA, UPSTREAM_CHUNKS, false},
        {UPSTREAM_QUIT, UPSTREAM_READY, false},
        {UPSTREAM_CLOSED, UPSTREAM_CONNECTING, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(upstream_state_may_follow(cases[i].from, cases[i].to),
                         cases[i].want);
}

static void each_wait_has_its_own_deadline(void **state)
{
    (void)state;
    static const struct timeouts_settings timeouts = {
        .tls_handshake = 1,
        .upstream_connect = 2,
        .upstream_banner = 3,
        .upstream_mail = 4,
        .upstream_data = 5,
        .upstream_end_of_data = 6,
        .upstream_other = 7,
    };
    static const uint64_t want[UPSTREAM_STATE_COUNT] = {
        [UPSTREAM_BANNER] = 3,   [UPSTREAM_EHLO] = 3,
        [UPSTREAM_HELO] = 3,     [UPSTREAM_UPGRADE] = 7,
        [UPSTREAM_SECURING] = 1, [UPSTREAM_READY] = 0,
        [UPSTREAM_ENVELOPE] = 4, [UPSTREAM_DATA] = 5,
        [UPSTREAM_BODY] = 6,     [UPSTREAM_DOT] = 6,
        [UPSTREAM_RSET] = 7,     [UPSTREAM_QUIT] = 5000,
        [UPSTREAM_XCLIENT] = 3,  [UPSTREAM_CHUNKS] = 6,
        [UPSTREAM_YIELDING] = 7, [UPSTREAM_TOKEN] = 7,
        [UPSTREAM_AUTH] = 7,
    };
    for (int i = 0; i < UPSTREAM_STATE_COUNT; i++)
        assert_int_equal(
            upstream_state_deadline_ms((enum upstream_state)i, &timeouts),
            want[i]);
}

static void each_wait_names_the_key_to_turn(void **state)
{
    (void)state;
    static const struct timeouts_settings timeouts = {
        .tls_handshake = 1,
        .upstream_connect = 1,
        .upstream_banner = 1,
        .upstream_mail = 1,
        .upstream_data = 1,
        .upstream_end_of_data = 1,
        .upstream_other = 1,
    };
    for (enum upstream_state i = 0; i < UPSTREAM_STATE_COUNT; i++) {
        bool is_bounded = upstream_state_deadline_ms(i, &timeouts) == 1 ||
                          i == UPSTREAM_CONNECTING;
        const char *key = upstream_state_deadline_key(i);
        assert_int_equal(key != NULL, is_bounded);
        if (key != NULL)
            assert_memory_equal(key, "timeouts.", 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_a_name_and_may_close),
        cmocka_unit_test(edges_that_would_lose_step_are_none),
        cmocka_unit_test(each_wait_has_its_own_deadline),
        cmocka_unit_test(each_wait_names_the_key_to_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
