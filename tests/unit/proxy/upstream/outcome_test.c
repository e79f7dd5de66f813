#include "proxy/upstream/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct outcome_case {
    const char *name;
    enum question_asked asked;
    int code;
    const char *enhanced;
    const char *text;
    enum outcome_class want_class;
    int want_code;
    const char *want_enhanced;
    const char *want_text; /* NULL: not the upstream's words */
    bool want_upstreams;
};

static const struct outcome_case cases[] = {
    {"acceptance passes", ASKED_RCPT, 250, "2.1.5", "Ok", OUTCOME_ACCEPTED, 250,
     "2.1.5", "Ok", true},
    {"251 passes", ASKED_RCPT, 251, "2.1.5", "forwards", OUTCOME_ACCEPTED, 251,
     "2.1.5", "forwards", true},
    {"missing code of RCPT is supplied", ASKED_RCPT, 250, "", "Ok",
     OUTCOME_ACCEPTED, 250, "2.1.5", "Ok", true},
    {"missing code of MAIL is supplied", ASKED_MAIL, 250, "", "Ok",
     OUTCOME_ACCEPTED, 250, "2.1.0", "Ok", true},
    {"missing code of the end is supplied", ASKED_END, 250, "", "queued",
     OUTCOME_ACCEPTED, 250, "2.0.0", "queued", true},
    {"refusal passes", ASKED_RCPT, 550, "5.1.1", "No such user",
     OUTCOME_REFUSED, 550, "5.1.1", "No such user", true},
    {"missing code of a refusal is supplied", ASKED_RCPT, 552, "", "Full",
     OUTCOME_REFUSED, 552, "5.0.0", "Full", true},
    {"code of the wrong class is replaced", ASKED_RCPT, 550, "4.2.2", "Full",
     OUTCOME_REFUSED, 550, "5.0.0", "Full", true},
    {"deferral passes", ASKED_MAIL, 451, "4.7.1", "Greylisted", OUTCOME_REFUSED,
     451, "4.7.1", "Greylisted", true},
    {"421 becomes 451 with its text", ASKED_RCPT, 421, "4.3.2", "Going down",
     OUTCOME_BROKEN, 451, "4.3.2", "Going down", true},
    {"421 without a code gets one", ASKED_END, 421, "", "Bye", OUTCOME_BROKEN,
     451, "4.0.0", "Bye", true},
    {"refusal of DATA passes", ASKED_DATA, 554, "5.5.1", "No valid recipients",
     OUTCOME_REFUSED, 554, "5.5.1", "No valid recipients", true},
    {"500 is a fault of the set-up", ASKED_MAIL, 500, "5.5.2", "What?",
     OUTCOME_SET_UP, 451, "4.3.5", NULL, false},
    {"502 is", ASKED_MAIL, 502, "", "", OUTCOME_SET_UP, 451, "4.3.5", NULL,
     false},
    {"503 is", ASKED_DATA, 503, "", "", OUTCOME_SET_UP, 451, "4.3.5", NULL,
     false},
    {"530 is", ASKED_MAIL, 530, "5.7.0", "STARTTLS first", OUTCOME_SET_UP, 451,
     "4.3.5", NULL, false},
    {"534 is", ASKED_RCPT, 534, "", "", OUTCOME_SET_UP, 451, "4.3.5", NULL,
     false},
    {"535 is", ASKED_RCPT, 535, "", "", OUTCOME_SET_UP, 451, "4.3.5", NULL,
     false},
    {"538 is", ASKED_END, 538, "", "", OUTCOME_SET_UP, 451, "4.3.5", NULL,
     false},
    {"501 is not", ASKED_RCPT, 501, "5.1.3", "Bad address", OUTCOME_REFUSED,
     501, "5.1.3", "Bad address", true},
    {"354 to MAIL is out of order", ASKED_MAIL, 354, "", "go", OUTCOME_BROKEN,
     451, "4.4.2", NULL, false},
    {"250 to DATA is out of order", ASKED_DATA, 250, "2.0.0", "Ok",
     OUTCOME_BROKEN, 451, "4.4.2", NULL, false},
    {"220 to RCPT is out of order", ASKED_RCPT, 220, "", "hi", OUTCOME_BROKEN,
     451, "4.4.2", NULL, false},
    {"334 to MAIL is out of order", ASKED_MAIL, 334, "", "", OUTCOME_BROKEN,
     451, "4.4.2", NULL, false},
    {"235 at the end is out of order", ASKED_END, 235, "", "", OUTCOME_BROKEN,
     451, "4.4.2", NULL, false},
};

static struct str text_of(const char *terminated)
{
    return str_from(terminated);
}

static void check_case(const struct outcome_case *c)
{
    struct reply reply = {c->code, text_of(c->enhanced), text_of(c->text)};
    struct fault fault = {0};
    struct outcome out;
    enum outcome_class class =
        outcome_of_reply(c->asked, &reply, STR("mx:25"), &fault, &out);
    if (class != c->want_class || out.reply.code != c->want_code)
        fail_msg("%s: class %d, code %d", c->name, class, out.reply.code);
    assert_true(str_equals(out.reply.enhanced, text_of(c->want_enhanced)));
    assert_true(enhanced_code_fits(out.reply.enhanced, out.reply.code));
    assert_int_equal(out.is_upstreams, c->want_upstreams);
    assert_int_equal(out.original.code, c->code);
    assert_true(str_equals(out.original.text, reply.text));
    assert_false(out.is_uncertain);
    if (c->want_text != NULL) {
        assert_true(str_equals(out.reply.text, text_of(c->want_text)));
        assert_null(out.fault);
    } else {
        assert_non_null(strstr(out.fault, "answered"));
        assert_true(out.reply.text.n > 0);
    }
}

static void replies_become_outcomes_as_promised(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_case(&cases[i]);
}

static void every_fault_is_a_451_with_words_for_both_sides(void **state)
{
    (void)state;
    for (int kind = 0; kind < FAULT_KIND_COUNT; kind++) {
        struct fault fault;
        struct outcome out;
        fault_set(&fault, (enum fault_kind)kind, "secret %d", kind);
        outcome_of_fault(&fault, STR("mx:25"), &out);
        assert_int_equal(out.reply.code, 451);
        assert_true(enhanced_code_fits(out.reply.enhanced, 451));
        assert_true(out.reply.text.n > 0);
        assert_false(out.is_upstreams);
        assert_int_equal(out.original.code, 0);
        assert_string_equal(out.fault, fault.words);
    }
}

static void long_words_are_cut(void **state)
{
    (void)state;
    static char text[FAULT_WORDS_MAX * 4];
    memset(text, 'x', sizeof(text) - 1);
    struct fault fault;
    fault_set(&fault, FAULT_LOST, "%s", text);
    assert_int_equal(strlen(fault.words), FAULT_WORDS_MAX - 1);
}

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    (void)state;
    struct outcome_copy copy;
    outcome_copy_init(&copy);
    char text[] = "No such user";
    char enhanced[] = "5.1.1";
    struct reply reply = {550, str_from(enhanced), str_from(text)};
    struct outcome out = {.reply = reply, .original = reply, .fault = text};
    outcome_copy_set(&copy, &out);
    memset(text, '#', sizeof(text) - 1);
    memset(enhanced, '#', sizeof(enhanced) - 1);
    assert_true(str_equals(copy.outcome.reply.text, STR("No such user")));
    assert_true(str_equals(copy.outcome.reply.enhanced, STR("5.1.1")));
    assert_true(str_equals(copy.outcome.original.text, STR("No such user")));
    assert_string_equal(copy.outcome.fault, "No such user");
    outcome_copy_release(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_become_outcomes_as_promised),
        cmocka_unit_test(every_fault_is_a_451_with_words_for_both_sides),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
