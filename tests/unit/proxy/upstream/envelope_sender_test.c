#include "proxy/upstream/envelope_sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct envelope plain = {.reverse_path =
                                          STR_INIT("a@example.com")};

static const struct rcpt_params usual = {.notify = {NULL, 0}};

/* The next commands as text. */
static const char *next(struct envelope_sender *sender,
                        const struct capabilities *capabilities,
                        size_t want_commands)
{
    static char octets[4096];
    size_t commands;
    size_t n = envelope_sender_next(sender, capabilities, octets,
                                    sizeof(octets) - 1, &commands);
    octets[n] = '\0';
    assert_int_equal(commands, want_commands);
    return octets;
}

struct mail_case {
    struct envelope envelope;
    struct capabilities capabilities;
    const char *want;
};

static const struct mail_case mail_cases[] = {
    {.envelope = {.reverse_path = STR_INIT("a@example.com")},
     .want = "MAIL FROM:<a@example.com>\r\n"},
    {.envelope = {.reverse_path = {NULL, 0}}, .want = "MAIL FROM:<>\r\n"},
    {.envelope = {.reverse_path = STR_INIT("a@b.c"),
                  .params = {.has_size = true,
                             .size = 12,
                             .body = BODY_8BITMIME}},
     .want = "MAIL FROM:<a@b.c>\r\n"},
    {.envelope = {.reverse_path = STR_INIT("a@b.c"),
                  .params = {.has_size = true,
                             .size = 12,
                             .body = BODY_8BITMIME}},
     .capabilities = {.has_size = true},
     .want = "MAIL FROM:<a@b.c> SIZE=12\r\n"},
    {.envelope = {.reverse_path = STR_INIT("a@b.c"),
                  .params = {.has_size = true,
                             .size = UINT64_MAX,
                             .body = BODY_8BITMIME}},
     .capabilities = {.has_size = true, .has_8bitmime = true},
     .want = "MAIL FROM:<a@b.c> SIZE=18446744073709551615 BODY=8BITMIME\r\n"},
    {.envelope = {.reverse_path = STR_INIT("a@b.c"),
                  .params = {.body = BODY_7BIT}},
     .capabilities = {.has_size = true, .has_8bitmime = true},
     .want = "MAIL FROM:<a@b.c>\r\n"},
};

static void mail_says_what_is_asked_and_offered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mail_cases) / sizeof(mail_cases[0]); i++) {
        const struct mail_case *c = &mail_cases[i];
        struct envelope_sender sender;
        assert_int_equal(envelope_sender_init(&sender, &c->envelope), 0);
        assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
        assert_string_equal(next(&sender, &c->capabilities, 1), c->want);
        envelope_sender_release(&sender);
    }
}

static void with_pipelining_all_goes_at_once(void **state)
{
    (void)state;
    struct capabilities offered = {.has_pipelining = true};
    struct envelope_sender sender;
    assert_int_equal(envelope_sender_init(&sender, &plain), 0);
    assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
    assert_string_equal(next(&sender, &offered, 2),
                        "MAIL FROM:<a@example.com>\r\nRCPT TO:<r@x.y>\r\n");
    assert_int_equal(envelope_sender_add(&sender, STR("s@x.y"), &usual), 0);
    assert_string_equal(next(&sender, &offered, 1), "RCPT TO:<s@x.y>\r\n");
    assert_string_equal(next(&sender, &offered, 0), "");
    assert_int_equal(envelope_sender_answer(&sender, true), ANSWER_TO_MAIL);
    assert_int_equal(envelope_sender_answer(&sender, true), ANSWER_TO_RCPT);
    assert_int_equal(envelope_sender_answer(&sender, true), ANSWER_TO_RCPT);
    envelope_sender_release(&sender);
}

static void without_it_each_waits_for_the_answer_before(void **state)
{
    (void)state;
    struct capabilities offered = {0};
    struct envelope_sender sender;
    assert_int_equal(envelope_sender_init(&sender, &plain), 0);
    assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
    assert_int_equal(envelope_sender_add(&sender, STR("s@x.y"), &usual), 0);
    next(&sender, &offered, 1);
    next(&sender, &offered, 0);
    envelope_sender_answer(&sender, true);
    assert_string_equal(next(&sender, &offered, 1), "RCPT TO:<r@x.y>\r\n");
    next(&sender, &offered, 0);
    envelope_sender_answer(&sender, false);
    assert_string_equal(next(&sender, &offered, 1), "RCPT TO:<s@x.y>\r\n");
    envelope_sender_release(&sender);
}

static void behind_a_refused_mail_nothing_goes_and_nothing_counts(void **state)
{
    (void)state;
    struct capabilities offered = {.has_pipelining = true};
    struct envelope_sender sender;
    assert_int_equal(envelope_sender_init(&sender, &plain), 0);
    assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
    next(&sender, &offered, 2);
    assert_int_equal(envelope_sender_answer(&sender, false), ANSWER_TO_MAIL);
    assert_int_equal(envelope_sender_add(&sender, STR("s@x.y"), &usual), 0);
    next(&sender, &offered, 0);
    assert_int_equal(envelope_sender_answer(&sender, false), ANSWER_TO_NOTHING);
    envelope_sender_release(&sender);
}

static void a_restart_sends_everything_again(void **state)
{
    (void)state;
    struct capabilities offered = {.has_pipelining = true};
    struct envelope_sender sender;
    assert_int_equal(envelope_sender_init(&sender, &plain), 0);
    assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
    next(&sender, &offered, 2);
    envelope_sender_restart(&sender);
    next(&sender, &offered, 2);
    envelope_sender_release(&sender);
}

static void many_recipients_go_in_pieces_that_fit(void **state)
{
    (void)state;
    struct capabilities offered = {.has_pipelining = true};
    struct envelope_sender sender;
    assert_int_equal(envelope_sender_init(&sender, &plain), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(envelope_sender_add(&sender, STR("r@x.y"), &usual), 0);
    char octets[2 * ENVELOPE_COMMAND_MAX];
    size_t sent = 0, commands;
    while (envelope_sender_next(&sender, &offered, octets, sizeof(octets),
                                &commands) > 0)
        sent += commands;
    assert_int_equal(sent, 1001);
    envelope_sender_release(&sender);
}

/* RFC 3461 4.1, and only where the upstream offers it. */
static void a_silent_recipient_asks_for_no_notification(void **state)
{
    static const struct {
        bool has_dsn;
        struct rcpt_params params;
        const char *want;
    } cases[] = {
        {true,
         {.notify = STR_INIT("NEVER")},
         "RCPT TO:<r@x.y> NOTIFY=NEVER\r\n"},
        {false, {.notify = STR_INIT("NEVER")}, "RCPT TO:<r@x.y>\r\n"},
        {true, {.notify = {NULL, 0}}, "RCPT TO:<r@x.y>\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capabilities offered = {.has_dsn = cases[i].has_dsn};
        struct envelope_sender sender;
        assert_int_equal(envelope_sender_init(&sender, &plain), 0);
        assert_int_equal(
            envelope_sender_add(&sender, STR("r@x.y"), &cases[i].params), 0);
        assert_string_equal(next(&sender, &offered, 1),
                            "MAIL FROM:<a@example.com>\r\n");
        assert_int_equal(envelope_sender_answer(&sender, true), ANSWER_TO_MAIL);
        assert_string_equal(next(&sender, &offered, 1), cases[i].want);
        envelope_sender_release(&sender);
    }
}

static void nothing_that_breaks_a_command_is_taken(void **state)
{
    (void)state;
    static char longer[1000];
    memset(longer, 'x', sizeof(longer));
    const struct str bad[] = {
        STR("a@b\r\nRCPT TO:<c@d>"),
        STR("a\n@b"),
        STR("a\r@b"),
        {"a\0@b", 4},
        STR("a\x7f@b"),
        STR("\xc3\xa4@b"),
        {longer, sizeof(longer)},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct envelope envelope = {.reverse_path = bad[i]};
        struct envelope_sender sender;
        assert_int_equal(envelope_sender_init(&sender, &envelope), -1);
        envelope_sender_release(&sender);
        assert_int_equal(envelope_sender_init(&sender, &plain), 0);
        assert_int_equal(envelope_sender_add(&sender, bad[i], &usual), -1);
        envelope_sender_release(&sender);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_says_what_is_asked_and_offered),
        cmocka_unit_test(with_pipelining_all_goes_at_once),
        cmocka_unit_test(without_it_each_waits_for_the_answer_before),
        cmocka_unit_test(behind_a_refused_mail_nothing_goes_and_nothing_counts),
        cmocka_unit_test(a_restart_sends_everything_again),
        cmocka_unit_test(many_recipients_go_in_pieces_that_fit),
        cmocka_unit_test(a_silent_recipient_asks_for_no_notification),
        cmocka_unit_test(nothing_that_breaks_a_command_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
