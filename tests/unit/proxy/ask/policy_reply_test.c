#include "proxy/ask/policy_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct case_of_reply {
    const char *said;
    enum policy_reply_next want;
    const char *want_action; /* POLICY_REPLY_READY */
    const char *want_left;   /* NULL: nothing */
};

static const struct case_of_reply CASES[] = {
    {"action=DUNNO\n\n", POLICY_REPLY_READY, "DUNNO", NULL},
    {"action=DUNNO\n", POLICY_REPLY_MORE, NULL, NULL},
    {"action=DUN", POLICY_REPLY_MORE, NULL, NULL},
    {"", POLICY_REPLY_MORE, NULL, NULL},
    {"action= REJECT  no, thanks \n\n", POLICY_REPLY_READY,
     "REJECT  no, thanks", NULL},
    {"action=a=b\n\n", POLICY_REPLY_READY, "a=b", NULL},
    {"x=1\naction=OK\ny=\n\n", POLICY_REPLY_READY, "OK", NULL},
    {"action=OK\n\naction=REJECT\n\n", POLICY_REPLY_READY, "OK",
     "action=REJECT\n\n"},
    /* Out of form. */
    {"\n", POLICY_REPLY_BAD, NULL, NULL},
    {"x=1\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"action=\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"action=A\naction=B\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"DUNNO\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"=DUNNO\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"action=OK\r\n\r\n", POLICY_REPLY_BAD, NULL, NULL},
    {"action=\x1b[2J\n\n", POLICY_REPLY_BAD, NULL, NULL},
    {"220 mx.example.com ESMTP\n", POLICY_REPLY_BAD, NULL, NULL},
};

static void check(const struct case_of_reply *c, size_t step)
{
    struct policy_reply reply;
    struct str rest = str_from(c->said);
    enum policy_reply_next next = POLICY_REPLY_MORE;
    policy_reply_init(&reply);
    while (next == POLICY_REPLY_MORE && rest.n > 0) {
        struct str piece = str_head(rest, step);
        size_t offered = piece.n;
        next = policy_reply_feed(&reply, &piece);
        rest = str_skip(rest, offered - piece.n);
    }
    assert_int_equal(next, c->want);
    if (c->want != POLICY_REPLY_READY)
        return;
    assert_true(
        str_equals(policy_reply_action(&reply), str_from(c->want_action)));
    assert_true(str_equals(rest, str_from(c->want_left ? c->want_left : "")));
}

static void an_answer_is_one_action_in_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        check(&CASES[i], SIZE_MAX);
        check(&CASES[i], 1);
    }
}

static enum policy_reply_next feed(struct policy_reply *reply, const char *p,
                                   size_t n)
{
    struct str octets = str_span(p, n);
    return policy_reply_feed(reply, &octets);
}

static void a_line_has_a_longest_length(void **state)
{
    static char line[POLICY_REPLY_LINE_MAX + 1];
    struct policy_reply reply;
    (void)state;
    memset(line, 'x', sizeof line);
    memcpy(line, "action=", 7);
    policy_reply_init(&reply);
    assert_int_equal(feed(&reply, line, POLICY_REPLY_LINE_MAX),
                     POLICY_REPLY_MORE);
    assert_int_equal(feed(&reply, "\n\n", 2), POLICY_REPLY_READY);
    assert_int_equal(policy_reply_action(&reply).n, POLICY_REPLY_LINE_MAX - 7);
    policy_reply_init(&reply);
    assert_int_equal(feed(&reply, line, sizeof line), POLICY_REPLY_BAD);
}

static void an_answer_has_a_most(void **state)
{
    struct policy_reply reply;
    enum policy_reply_next next = POLICY_REPLY_MORE;
    size_t octets = 0;
    (void)state;
    policy_reply_init(&reply);
    for (; next == POLICY_REPLY_MORE; octets += 4)
        next = feed(&reply, "a=b\n", 4);
    assert_int_equal(next, POLICY_REPLY_BAD);
    assert_int_equal(octets, POLICY_REPLY_MAX + 4);
}

static void a_nul_is_out_of_form(void **state)
{
    struct policy_reply reply;
    (void)state;
    policy_reply_init(&reply);
    assert_int_equal(feed(&reply, "action=O\0K\n\n", 12), POLICY_REPLY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_one_action_in_form),
        cmocka_unit_test(a_line_has_a_longest_length),
        cmocka_unit_test(an_answer_has_a_most),
        cmocka_unit_test(a_nul_is_out_of_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
