#include "proxy/log/redactor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct str NAMES[] = {STR_INIT("auth.user")};
static const struct redaction ONE = {
    .names = NAMES, .name_count = 1, .secret = {1}};
static const struct redaction OTHER = {
    .names = NAMES, .name_count = 1, .secret = {2}};

static void assert_shown(const struct redactor *redactor, const char *text,
                         const char *want)
{
    char room[REDACTED_TEXT_ROOM];
    struct str shown = redactor_text(redactor, str_from(text), room);
    if (!str_equals(shown, str_from(want)))
        fail_msg("%.*s instead of %s", (int)shown.n, shown.p, want);
}

static void equal_values_have_equal_tokens(void **state)
{
    (void)state;
    char a[REDACTED_ROOM], b[REDACTED_ROOM];
    struct str bob = redaction_token(&ONE, STR("bob@example.com"), a);
    assert_int_equal(bob.n, sizeof "redacted:0123456789abcdef" - 1);
    assert_true(str_starts_with(bob, STR("redacted:")));
    assert_true(
        str_equals(bob, redaction_token(&ONE, STR("BOB@Example.com"), b)));
    assert_false(
        str_equals(bob, redaction_token(&ONE, STR("bob@example.org"), b)));
    assert_false(
        str_equals(bob, redaction_token(&OTHER, STR("bob@example.com"), b)));
    assert_int_equal(redaction_token(&ONE, STR(""), b).n, 0);
}

static void a_text_is_told_without_hidden_values(void **state)
{
    (void)state;
    struct redactor redactor;
    char bob[REDACTED_ROOM], address[REDACTED_ROOM], local[REDACTED_ROOM],
        want[200];
    redaction_token(&ONE, STR("bob"), bob);
    redaction_token(&ONE, STR("annabel@example.net"), address);
    redaction_token(&ONE, STR("annabel"), local);
    redactor_init(&redactor, &ONE);
    redactor_hide(&redactor, STR("bob"));
    redactor_hide(&redactor, STR("annabel@example.net"));
    redactor_hide(&redactor, STR("Annabel@Example.net"));
    redactor_hide(&redactor, STR(""));
    assert_int_equal(redactor.count, 3);
    assert_shown(&redactor, "", "");
    assert_shown(&redactor, "2.1.5 Ok, bobby", "2.1.5 Ok, bobby");
    snprintf(want, sizeof want, "<%s> %s", bob, bob);
    assert_shown(&redactor, "<bob> BOB", want);
    snprintf(want, sizeof want, "5.1.1 <%s>: x%sx", address, local);
    assert_shown(&redactor, "5.1.1 <ANNABEL@example.NET>: xannabelx", want);
    redactor_release(&redactor);
}

static void a_text_of_many_hidden_values_is_cut_not_overrun(void **state)
{
    (void)state;
    struct redactor redactor;
    char text[REDACTED_TEXT_ROOM], room[REDACTED_TEXT_ROOM];
    redactor_init(&redactor, &ONE);
    redactor_hide(&redactor, STR("a"));
    memset(text, ' ', sizeof text);
    for (size_t i = 0; i < sizeof text; i += 2)
        text[i] = 'a';
    struct str shown =
        redactor_text(&redactor, str_span(text, sizeof text), room);
    assert_in_range(shown.n, REDACTED_TEXT_ROOM - REDACTED_ROOM,
                    REDACTED_TEXT_ROOM);
    for (size_t i = 0; i + 1 < shown.n; i++)
        assert_false(shown.p[i] == 'a' && shown.p[i + 1] == ' ' &&
                     (i == 0 || shown.p[i - 1] == ' '));
    redactor_release(&redactor);
}

static void too_many_values_make_it_blind(void **state)
{
    (void)state;
    static char values[20000][8];
    struct redactor redactor;
    redactor_init(&redactor, &ONE);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        snprintf(values[i], sizeof values[i], "%zu", 10000 + i);
        redactor_hide(&redactor, str_from(values[i]));
    }
    assert_shown(&redactor, "anything", "redacted");
    redactor_release(&redactor);
}

static void without_names_nothing_is_hidden(void **state)
{
    (void)state;
    static const struct redaction none = {.name_count = 0};
    struct redactor redactor;
    redactor_init(&redactor, &none);
    assert_false(redactor_is_on(&redactor));
    assert_shown(&redactor, "bob", "bob");
    redactor_release(&redactor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_have_equal_tokens),
        cmocka_unit_test(a_text_is_told_without_hidden_values),
        cmocka_unit_test(a_text_of_many_hidden_values_is_cut_not_overrun),
        cmocka_unit_test(too_many_values_make_it_blind),
        cmocka_unit_test(without_names_nothing_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
