#include "rules/policy_action.h"

/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void assert_text(struct str got, const char *want)
{
    if (!str_equals(got, str_from(want == NULL ? "" : want)))
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.n,
                 got.n == 0 ? "" : got.p, want);
}

/* access(5) of Postfix: the words and what may stand behind them. */
static void actions_of_access_tables_are_understood(void **state)
{
    static const struct {
        const char *text;
        enum policy_action_kind want;
        int want_code;
        const char *want_enhanced, *want_text, *want_name;
    } CASES[] = {
        {.text = "DUNNO", POLICY_ACTION_DUNNO},
        {.text = "dunno", POLICY_ACTION_DUNNO},
        {.text = "  Dunno  ", POLICY_ACTION_DUNNO},
        {.text = "DUNNO whatever stands here",
         POLICY_ACTION_DUNNO,
         .want_text = "whatever stands here"},
        {.text = "OK", POLICY_ACTION_OK},
        {.text = "REJECT",
         POLICY_ACTION_REPLY,
         554,
         "5.7.1",
         "Not accepted here"},
        {.text = "reject go away",
         POLICY_ACTION_REPLY,
         554,
         "5.7.1",
         "go away"},
        {.text = "REJECT 5.7.25 no name",
         POLICY_ACTION_REPLY,
         554,
         "5.7.25",
         "no name"},
        {.text = "REJECT 4.7.1 odd", POLICY_ACTION_REPLY, 554, "5.7.1", "odd"},
        {.text = "REJECT 5.7.1",
         POLICY_ACTION_REPLY,
         554,
         "5.7.1",
         "Not accepted here"},
        {.text = "DEFER",
         POLICY_ACTION_REPLY,
         450,
         "4.7.1",
         "Not accepted now, try again later"},
        {.text = "DEFER 4.2.0 greylisted",
         POLICY_ACTION_REPLY,
         450,
         "4.2.0",
         "greylisted"},
        {.text = "DEFER_IF_PERMIT Service unavailable",
         POLICY_ACTION_DEFER_IF_PERMIT,
         450,
         "4.7.1",
         "Service unavailable"},
        {.text = "Defer_If_Reject\t4.3.0 later",
         POLICY_ACTION_DEFER_IF_REJECT,
         450,
         "4.3.0",
         "later"},
        {.text = "450 4.2.2 full", POLICY_ACTION_REPLY, 450, "4.2.2", "full"},
        {.text = "450 full", POLICY_ACTION_REPLY, 450, "4.7.1", "full"},
        {.text = "550   spaced   text ",
         POLICY_ACTION_REPLY,
         550,
         "5.7.1",
         "spaced   text"},
        {.text = "550", POLICY_ACTION_REPLY, 550, "5.7.1", "Not accepted here"},
        {.text = "421 4.7.0 bye", POLICY_ACTION_REPLY, 421, "4.7.0", "bye"},
        {.text = "521 never", POLICY_ACTION_REPLY, 521, "5.7.1", "never"},
        {.text = "550 5.7.1.2 odd",
         POLICY_ACTION_REPLY,
         550,
         "5.7.1",
         "5.7.1.2 odd"},
        /* Nobody is logging in. */
        {.text = "535 5.7.8 bad password",
         POLICY_ACTION_REPLY,
         554,
         "5.7.8",
         "bad password"},
        {.text = "454 4.7.0 later", POLICY_ACTION_REPLY, 450, "4.7.0", "later"},
        {.text = "PREPEND X-Policy: passed",
         POLICY_ACTION_PREPEND,
         .want_name = "X-Policy",
         .want_text = "passed"},
        {.text = "prepend Subject:a:b",
         POLICY_ACTION_PREPEND,
         .want_name = "Subject",
         .want_text = "a:b"},
        {.text = "WARN odd client",
         POLICY_ACTION_WARN,
         .want_text = "odd client"},
        {.text = "INFO", POLICY_ACTION_INFO},
        {.text = "info first seen",
         POLICY_ACTION_INFO,
         .want_text = "first seen"},
        {.text = ""},
        {.text = " "},
        {.text = "DISCARD"},
        {.text = "HOLD spam"},
        {.text = "REDIRECT x@example.com"},
        {.text = "FILTER smtp:[127.0.0.1]"},
        {.text = "BCC x@example.com"},
        {.text = "permit"},
        {.text = "reject_unauth_destination"},
        {.text = "REJECTED"},
        {.text = "250 ok"},
        {.text = "350 what"},
        {.text = "599 no such code"},
        {.text = "55 no"},
        {.text = "5500 no"},
        {.text = "+55 no"},
        {.text = "PREPEND"},
        {.text = "PREPEND no colon"},
        {.text = "PREPEND : no name"},
        {.text = "PREPEND X Y: blank in the name"},
        {.text = "PREPEND X-Empty:"},
        {.text = "PREPEND X: a\rb"},
        {.text = "PREPEND X: a\nb"},
        {.text = "PREPEND X: \x1b[2J"},
        {.text = "PREPEND X\xc3: y"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct policy_action got;
        policy_action_parse(str_from(CASES[i].text), &got);
        if (got.kind != CASES[i].want)
            fail_msg("%s: kind %d, want %d", CASES[i].text, (int)got.kind,
                     (int)CASES[i].want);
        assert_int_equal(got.code, CASES[i].want_code);
        assert_text(got.enhanced, CASES[i].want_enhanced);
        assert_text(got.text, CASES[i].want_text);
        assert_text(got.name, CASES[i].want_name);
    }
}

static void an_endless_action_is_none(void **state)
{
    static char text[POLICY_ACTION_MAX_OCTETS + 1];
    struct policy_action got;
    (void)state;
    memset(text, ' ', sizeof text);
    memcpy(text, "DUNNO", 5);
    policy_action_parse(str_span(text, sizeof text - 1), &got);
    assert_int_equal(got.kind, POLICY_ACTION_DUNNO);
    policy_action_parse(str_span(text, sizeof text), &got);
    assert_int_equal(got.kind, POLICY_ACTION_UNKNOWN);
}

/* A NUL ends nothing. */
static void octets_are_counted_not_terminated(void **state)
{
    static const char TEXT[] = "PREPEND X: a\0b";
    struct policy_action got;
    (void)state;
    policy_action_parse(str_span(TEXT, sizeof TEXT - 1), &got);
    assert_int_equal(got.kind, POLICY_ACTION_UNKNOWN);
    policy_action_parse(str_span("OK\0", 3), &got);
    assert_int_equal(got.kind, POLICY_ACTION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_of_access_tables_are_understood),
        cmocka_unit_test(an_endless_action_is_none),
        cmocka_unit_test(octets_are_counted_not_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
