#include "proxy/smtp/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct command_case {
    struct str line;
    int want;
    enum verb want_verb;
    const char *want_argument; /* NULL: has none */
};

static void assert_cases(const struct command_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct command_case *c = &cases[i];
        struct command command;
        assert_int_equal(command_parse(c->line, &command), c->want);
        assert_int_equal(command.verb, c->want_verb);
        if (c->want < 0)
            continue;
        assert_int_equal(command.has_argument, c->want_argument != NULL);
        if (c->want_argument == NULL)
            assert_int_equal(command.argument.n, 0);
        else
            assert_true(
                str_equals(command.argument, str_from(c->want_argument)));
    }
}

static void commands_are_read(void **state)
{
    (void)state;
    static const struct command_case cases[] = {
        {STR_INIT("EHLO example.com"), 0, VERB_EHLO, "example.com"},
        {STR_INIT("HELO [127.0.0.1]"), 0, VERB_HELO, "[127.0.0.1]"},
        {STR_INIT("EHLO a b"), 0, VERB_EHLO, "a b"},
        {STR_INIT("EHLO  a"), 0, VERB_EHLO, " a"},
        {STR_INIT("EHLO"), 0, VERB_EHLO, NULL},
        {STR_INIT("STARTTLS"), 0, VERB_STARTTLS, NULL},
        {STR_INIT("STARTTLS now"), 0, VERB_STARTTLS, "now"},
        {STR_INIT("AUTH PLAIN AGEAYg=="), 0, VERB_AUTH, "PLAIN AGEAYg=="},
        {STR_INIT("MAIL FROM:<a@b>"), 0, VERB_MAIL, "<a@b>"},
        {STR_INIT("mail from:<a@b> SIZE=1"), 0, VERB_MAIL, "<a@b> SIZE=1"},
        {STR_INIT("MAIL FROM:<>"), 0, VERB_MAIL, "<>"},
        {STR_INIT("MAIL FROM:"), 0, VERB_MAIL, ""},
        {STR_INIT("RCPT TO:<a@b>"), 0, VERB_RCPT, "<a@b>"},
        {STR_INIT("rCpT tO:<a@b>"), 0, VERB_RCPT, "<a@b>"},
        {STR_INIT("RCPT TO:<\xc3\xa9@b>"), 0, VERB_RCPT, "<\xc3\xa9@b>"},
        {STR_INIT("DATA"), 0, VERB_DATA, NULL},
        {STR_INIT("QUIT   "), 0, VERB_QUIT, NULL},
        {STR_INIT("NOOP x  "), 0, VERB_NOOP, "x"},
        {STR_INIT("VRFY bob"), 0, VERB_VRFY, "bob"},
        {STR_INIT("EXPN list"), 0, VERB_EXPN, "list"},
        {STR_INIT("BDAT 10 LAST"), 0, VERB_BDAT, "10 LAST"},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_G01_no_command_holds_controls(void **state)
{
    (void)state;
    static const struct command_case cases[] = {
        {STR_INIT("EHLO\tx"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("NOOP\t"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT(" NOOP"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT(" "), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("\tNOOP"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("NOOP\0"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("NO\x7fOP"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("NOOP \x1b[2J"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("NOOP\r"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("MAIL FROM:<a@b>\rRCPT TO:<c@d>"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("RCPT TO:<a@b>\0evil"), -1, VERB_UNKNOWN, NULL},
        {STR_INIT("\xc3\xa9hlo x"), 0, VERB_UNKNOWN, "x"},
        {STR_INIT("NOOP\xa0x"), 0, VERB_UNKNOWN, NULL},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_G05_a_space_behind_the_colon_is_understood(void **state)
{
    (void)state;
    static const struct command_case cases[] = {
        {STR_INIT("MAIL FROM: <a@b>"), 0, VERB_MAIL, "<a@b>"},
        {STR_INIT("MAIL FROM:   <a@b> SIZE=1"), 0, VERB_MAIL, "<a@b> SIZE=1"},
        {STR_INIT("RCPT TO: <a@b>"), 0, VERB_RCPT, "<a@b>"},
        {STR_INIT("mail from:a@b"), 0, VERB_MAIL, "a@b"},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void mail_and_rcpt_need_their_word(void **state)
{
    (void)state;
    static const struct command_case cases[] = {
        {STR_INIT("MAIL"), -1, VERB_MAIL, NULL},
        {STR_INIT("MAIL <a@b>"), -1, VERB_MAIL, NULL},
        {STR_INIT("MAIL FROM <a@b>"), -1, VERB_MAIL, NULL},
        {STR_INIT("MAIL FROM :<a@b>"), -1, VERB_MAIL, NULL},
        {STR_INIT("MAIL TO:<a@b>"), -1, VERB_MAIL, NULL},
        {STR_INIT("MAIL  FROM:<a@b>"), -1, VERB_MAIL, NULL},
        {STR_INIT("RCPT FROM:<a@b>"), -1, VERB_RCPT, NULL},
        {STR_INIT("RCPT TO"), -1, VERB_RCPT, NULL},
        {STR_INIT("MAILFROM:<a@b>"), 0, VERB_UNKNOWN, NULL},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_G10_odd_commands_are_read_too(void **state)
{
    (void)state;
    static const struct command_case cases[] = {
        {STR_INIT("QUIT x"), 0, VERB_QUIT, "x"},
        {STR_INIT("qUiT"), 0, VERB_QUIT, NULL},
        {STR_INIT("DATA x"), 0, VERB_DATA, "x"},
        {STR_INIT("RSET x"), 0, VERB_RSET, "x"},
        {STR_INIT("NOOP"), 0, VERB_NOOP, NULL},
        {STR_INIT("NOOP \"\\"), 0, VERB_NOOP, "\"\\"},
        {STR_INIT("TURN"), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("ETRN x"), 0, VERB_UNKNOWN, "x"},
        {STR_INIT("DEBUG"), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("WIZ"), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("XCLIENT ADDR=1.2.3.4"), 0, VERB_UNKNOWN, "ADDR=1.2.3.4"},
        {STR_INIT("XFORWARD X"), 0, VERB_UNKNOWN, "X"},
        {STR_INIT("BURL imap://x"), 0, VERB_UNKNOWN, "imap://x"},
        {STR_INIT("."), 0, VERB_UNKNOWN, NULL},
        {STR_INIT(""), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("Host: x"), 0, VERB_UNKNOWN, "x"},
        {STR_INIT("EHLOX"), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("EHL"), 0, VERB_UNKNOWN, NULL},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_X01_other_protocols_are_foreign(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "GET / HTTP/1.1",
        "POST / HTTP/1.1",
        "PUT /x",
        "HEAD /",
        "OPTIONS *",
        "CONNECT a:25",
        "PATCH /",
        "DELETE /",
        "TRACE /",
        "get /",
        "SSH-2.0-OpenSSH_9",
        "\x16\x03\x01",
        "\x80\x2e\x01",
        "*1",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command;
        assert_int_equal(command_parse(str_from(lines[i]), &command), 0);
        assert_int_equal(command.verb, VERB_FOREIGN);
    }
    static const struct command_case others[] = {
        {STR_INIT("GETX /"), 0, VERB_UNKNOWN, "/"},
        {STR_INIT("*"), 0, VERB_UNKNOWN, NULL},
        {STR_INIT("*x"), 0, VERB_UNKNOWN, NULL},
    };
    assert_cases(others, sizeof others / sizeof *others);
}

static void a_chunk_is_announced_however_the_line_goes_on(void **state)
{
    (void)state;
    static const struct {
        struct str line;
        bool want;
    } cases[] = {
        {STR_INIT("BDAT 6"), true},   {STR_INIT("bdat 6 LAST"), true},
        {STR_INIT("BDAT"), true},     {STR_INIT("BDAT\t6"), true},
        {STR_INIT("BDAT 6\0"), true}, {STR_INIT("BDAT\n"), true},
        {STR_INIT("BDATA 6"), false}, {STR_INIT("BDAT(6"), false},
        {STR_INIT("BDA"), false},     {STR_INIT(" BDAT 6"), false},
        {STR_INIT(""), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(command_announces_chunk(cases[i].line), cases[i].want);
}

static void verbs_have_names(void **state)
{
    (void)state;
    static const char *const want[VERB_COUNT] = {
        "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT",
        "RSET", "NOOP", "VRFY",     "EXPN", "HELP", "QUIT", "?",    "?",
    };
    for (enum verb v = 0; v < VERB_COUNT; v++)
        assert_string_equal(verb_name(v), want[v]);
    assert_string_equal(verb_name(VERB_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_read),
        cmocka_unit_test(wire_G01_no_command_holds_controls),
        cmocka_unit_test(wire_G05_a_space_behind_the_colon_is_understood),
        cmocka_unit_test(mail_and_rcpt_need_their_word),
        cmocka_unit_test(wire_G10_odd_commands_are_read_too),
        cmocka_unit_test(wire_X01_other_protocols_are_foreign),
        cmocka_unit_test(a_chunk_is_announced_however_the_line_goes_on),
        cmocka_unit_test(verbs_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
