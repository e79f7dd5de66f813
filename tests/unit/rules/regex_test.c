/* cmocka wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/regex.h"

static struct regex *compile(const char *literal)
{
    struct problem problem;
    struct regex *regex = regex_new(str_from(literal), &problem);
    if (regex == NULL)
        fail_msg("%s: %s", literal, problem.text);
    return regex;
}

static enum regex_result match(const char *literal, struct str subject,
                               struct regex_match *out)
{
    struct regex_scratch *scratch = regex_scratch_new();
    struct regex *regex = compile(literal);
    enum regex_result result = regex_match(regex, scratch, subject, out);
    regex_free(regex);
    regex_scratch_free(scratch);
    return result;
}

static void flags_and_groups_work(void **state)
{
    struct regex_match groups;
    (void)state;
    assert_int_equal(
        match("/^(.+)@old\\.example$/i", STR("Bob@OLD.example"), &groups),
        REGEX_MATCH);
    assert_int_equal(groups.count, 2);
    assert_true(str_equals(groups.groups[1], STR("Bob")));
    assert_int_equal(match("/^a$/", STR("b"), &groups), REGEX_NO_MATCH);
    assert_int_equal(match("/^$/", STR(""), &groups), REGEX_MATCH);
    assert_int_equal(match("/a b/x", STR("ab"), &groups), REGEX_MATCH);
    assert_int_equal(match("/a.b/s", STR("a\nb"), &groups), REGEX_MATCH);
    assert_int_equal(match("/^b/m", STR("a\nb"), &groups), REGEX_MATCH);
}

static void groups_that_did_not_take_part_are_empty(void **state)
{
    struct regex_match groups;
    (void)state;
    assert_int_equal(match("/(a)|(b)/", STR("b"), &groups), REGEX_MATCH);
    assert_int_equal(groups.count, 3);
    assert_int_equal(groups.groups[1].n, 0);
    assert_int_equal(groups.groups[2].n, 1);
}

static void groups_have_names(void **state)
{
    struct regex *regex = compile("/(?<who>.+)@(?<where>.+)/");
    (void)state;
    assert_int_equal(regex_group_count(regex), 2);
    assert_int_equal(regex_group_named(regex, STR("where")), 2);
    assert_int_equal(regex_group_named(regex, STR("when")), -1);
    regex_free(regex);
}

static void wrong_patterns_are_refused_with_a_reason(void **state)
{
    static const char *const WRONG[] = {
        "/(/", "/a/q", "a", "/", "/[/i", "/\\C/", "/(*UTF)a/", "/(*UCP)a/",
    };
    struct problem problem;
    (void)state;
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        problem.text[0] = '\0';
        assert_null(regex_new(str_from(WRONG[i]), &problem));
        assert_int_not_equal(problem.text[0], '\0');
    }
}

static void wire_O06_patterns_and_groups_have_a_limit(void **state)
{
    char text[REGEX_PATTERN_MAX + 10];
    struct problem problem;
    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = text[sizeof text - 1] = '/';
    assert_null(regex_new(str_span(text, sizeof text), &problem));
    size_t n = 1;
    for (size_t i = 0; i < REGEX_GROUPS_MAX; i++, n += 3)
        memcpy(text + n, "(a)", 3);
    text[n] = '/';
    assert_null(regex_new(str_span(text, n + 1), &problem));
}

/* Whatever the pattern, a stranger's text costs a bounded time, and running
 * out of budget is told from "no match". */
static void wire_O06_backtracking_without_end_is_an_error(void **state)
{
    static const struct {
        const char *pattern, *unit, *tail;
    } CASES[] = {
        {"/^(a+)+$/", "a", "!"},
        {"/(.*a){20}$/", "a", "!"},
        {"/(x+x+)+y/", "x", "!y"},
        {"/^(([a-z])+.)+[A-Z]([a-z])+$/", "a", ""},
        {"/(*LIMIT_MATCH=4000000000)^(a+)+$/", "a", "!"},
        {"/(*NO_JIT)^(a+)+$/", "a", "!"},
        {"/^(?:(a|aa)+)$/", "a", "!"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char *text = malloc(REGEX_SUBJECT_MAX);
        assert_non_null(text);
        memset(text, CASES[i].unit[0], REGEX_SUBJECT_MAX);
        size_t tail = strlen(CASES[i].tail);
        memcpy(text + REGEX_SUBJECT_MAX - tail, CASES[i].tail, tail);
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        enum regex_result result =
            match(CASES[i].pattern, str_span(text, REGEX_SUBJECT_MAX), NULL);
        assert_true(result == REGEX_STEPS || result == REGEX_ERROR);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        print_message("%s: %.1f ms\n", CASES[i].pattern,
                      (double)(b.tv_sec - a.tv_sec) * 1e3 +
                          (double)(b.tv_nsec - a.tv_nsec) / 1e6);
        free(text);
    }
}

/* Recursion, callouts and what moves the start of a match. */
static void wire_O06_odd_parts_of_patterns(void **state)
{
    static const struct {
        const char *pattern;
        struct str subject;
        enum regex_result want;
    } CASES[] = {
        {"/^(\\((?1)*\\))$/", STR_INIT("((()())())"), REGEX_MATCH},
        {"/^(\\((?1)*\\))$/", STR_INIT("((()())()"), REGEX_NO_MATCH},
        {"/a(?C1)b(?C'x')/", STR_INIT("ab"), REGEX_MATCH},
        {"/foo\\Kbar/", STR_INIT("foobar"), REGEX_MATCH},
        {"/(?<=foo)bar/", STR_INIT("foobar"), REGEX_MATCH},
        {"/(?<=foo)bar/", STR_INIT("bar"), REGEX_NO_MATCH},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_int_equal(match(CASES[i].pattern, CASES[i].subject, NULL),
                         CASES[i].want);
    char *deep = malloc(REGEX_SUBJECT_MAX);
    assert_non_null(deep);
    memset(deep, '(', REGEX_SUBJECT_MAX);
    deep[REGEX_SUBJECT_MAX - 1] = ')';
    assert_int_equal(
        match("/^(\\((?1)*\\))$/", str_span(deep, REGEX_SUBJECT_MAX), NULL),
        REGEX_ERROR);
    free(deep);
}

static void ordinary_patterns_pass_on_long_texts(void **state)
{
    char *text = malloc(REGEX_SUBJECT_MAX);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', REGEX_SUBJECT_MAX);
    memcpy(text + 10000, "viagra", 6);
    struct str subject = str_span(text, REGEX_SUBJECT_MAX);
    assert_int_equal(match("/viagra/i", subject, NULL), REGEX_MATCH);
    assert_int_equal(match("/^.*viagra.*$/i", subject, NULL), REGEX_MATCH);
    assert_int_equal(match("/\\bcialis\\b/i", subject, NULL), REGEX_NO_MATCH);
    assert_int_equal(match("/^x+$/", subject, NULL), REGEX_NO_MATCH);
    free(text);
}

/* The platforms that Debian ships the library's compiler for. */
static void patterns_become_machine_code(void **state)
{
    (void)state;
#if defined(__x86_64__) || defined(__aarch64__)
    static const char *const PATTERNS[] = {
        "/^(.+)@old\\.example$/i",
        "/(?<a>x)(?=y)\\k<a>?/s",
        "/\\bviagra\\b/",
    };
    for (size_t i = 0; i < sizeof PATTERNS / sizeof PATTERNS[0]; i++) {
        struct regex *regex = compile(PATTERNS[i]);
        assert_true(regex_is_jit(regex));
        regex_free(regex);
    }
#else
    skip();
#endif
}

static void wire_O06_the_number_of_steps_can_be_set(void **state)
{
    struct regex_scratch *scratch = regex_scratch_new();
    struct regex *regex = compile("/^(a+)+$/");
    (void)state;
    regex_scratch_limit(scratch, 1000);
    assert_int_equal(regex_match(regex, scratch, STR("aaaaaa!"), NULL),
                     REGEX_NO_MATCH);
    assert_int_equal(regex_match(regex, scratch, STR("aaaaaaaaaaaa!"), NULL),
                     REGEX_STEPS);
    regex_scratch_limit(scratch, 100000);
    assert_int_equal(regex_match(regex, scratch, STR("aaaaaaaaaaaa!"), NULL),
                     REGEX_NO_MATCH);
    regex_free(regex);
    regex_scratch_free(scratch);
}

static void wire_O06_a_subject_over_the_cap_is_an_error(void **state)
{
    char *text = calloc(1, REGEX_SUBJECT_MAX + 1);
    (void)state;
    assert_non_null(text);
    assert_int_equal(match("/a/", str_span(text, REGEX_SUBJECT_MAX + 1), NULL),
                     REGEX_TOO_LONG);
    free(text);
}

static void wire_O06_invalid_utf8_is_only_octets(void **state)
{
    (void)state;
    assert_int_equal(match("/^.+$/", STR("\xff\xc0\x80"), NULL), REGEX_MATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_groups_work),
        cmocka_unit_test(groups_that_did_not_take_part_are_empty),
        cmocka_unit_test(groups_have_names),
        cmocka_unit_test(wrong_patterns_are_refused_with_a_reason),
        cmocka_unit_test(wire_O06_patterns_and_groups_have_a_limit),
        cmocka_unit_test(wire_O06_backtracking_without_end_is_an_error),
        cmocka_unit_test(wire_O06_odd_parts_of_patterns),
        cmocka_unit_test(ordinary_patterns_pass_on_long_texts),
        cmocka_unit_test(patterns_become_machine_code),
        cmocka_unit_test(wire_O06_the_number_of_steps_can_be_set),
        cmocka_unit_test(wire_O06_a_subject_over_the_cap_is_an_error),
        cmocka_unit_test(wire_O06_invalid_utf8_is_only_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
