/* What a pattern needs is in all that it matches: told of known ones, and held
 * against what random ones match. */
#include "rules/regex_literal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/regex.h"

static void what_must_be_there_is_read_off(void **state)
{
    static const struct {
        const char *pattern, *want;
    } cases[] = {
        {"^(.+)@old\\.example$", "@old.example"},
        {"viagra", "viagra"},
        {"^VIAgra", "VIAgra"},
        {"\\bproject 17\\b", "project 17"},
        {"^(sales|info)17@", "17@"},
        {"[0-9]+ units", " units"},
        {"[[:digit:]]+ units", " units"},
        {"[^]]x[]]yy", "yy"},
        {"[\\]]abc", "abc"},
        {"abc?d", "ab"},
        {"abc*", "ab"},
        {"abc+de", "abc"},
        {"ab{2}cde", "cde"},
        {"ab{2,}?cde", "cde"},
        {"a{b", "a{b"},
        {"a{b}c", "a{b}c"},
        {"ab{ 1 , 2 }", "a"},
        {"abc{x|y}", ""},
        {"ab+?c", "ab"},
        {"(?:abc)def", "def"},
        {"(?<who>.+)@x", "@x"},
        {"(?=abc)de", "de"},
        {"(?<!abc)de", "de"},
        {"(a(b)c)de", "de"},
        {"(a\\)b)cd", "cd"},
        {"([)])cd", "cd"},
        {"a.b", "a"},
        {"a\\dbc", "bc"},
        {"\\$5\\.00", "$5.00"},
        /* What is not surely understood. */
        {"abc|def", ""},
        {"(?i)abc", ""},
        {"(?x) a b c", ""},
        {"((?x) a # )\n)abc", ""},
        {"(*ACCEPT)abc", ""},
        {"(a(*ACCEPT)b)abc", ""},
        {"\\Qa(\\Eb", ""},
        {"(\\Q)\\E)abc", ""},
        {"(\\c))abc", ""},
        {"abc\\x64", ""},
        {"(a)\\1bc", ""},
        {"(?(1)a|b)cd", ""},
        {"(?#a)bcd", ""},
        {"a(?C1)bcd", ""},
        {"[[.a.]]bcd", ""},
        {"[\\Q]\\E]bcd", ""},
        {"(?R)?abc", ""},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[REGEX_LITERAL_MAX];
        size_t n = regex_literal(str_from(cases[i].pattern), to);
        if (!str_equals(str_span(to, n), str_from(cases[i].want)))
            fail_msg("%s: got \"%.*s\", want \"%s\"", cases[i].pattern, (int)n,
                     to, cases[i].want);
    }
}

static void a_long_text_is_cut(void **state)
{
    char pattern[200], to[REGEX_LITERAL_MAX];
    (void)state;
    memset(pattern, 'a', sizeof pattern);
    memcpy(pattern + 150, "?b", 2);
    size_t n = regex_literal(str_span(pattern, sizeof pattern), to);
    assert_int_equal(n, REGEX_LITERAL_MAX);
    /* The octet that may be missing is the last of what was kept. */
    n = regex_literal(
        str_span(pattern + 150 - REGEX_LITERAL_MAX, REGEX_LITERAL_MAX + 2), to);
    assert_int_equal(n, REGEX_LITERAL_MAX - 1);
}

struct dice {
    uint32_t state;
};

static unsigned roll(struct dice *dice, unsigned sides)
{
    dice->state = dice->state * 1664525u + 1013904223u;
    return (dice->state >> 8) % sides;
}

static bool holds(struct str text, struct str needs)
{
    for (size_t i = 0; i + needs.n <= text.n; i++)
        if (str_equals_nocase(str_span(text.p + i, needs.n), needs))
            return true;
    return false;
}

/* Pieces in any order, so that there are patterns nobody would write; subjects
 * of the octets that they are about. */
static void whatever_matches_holds_it(void **state)
{
    static const char *const pieces[] = {
        "a",     "b",     "ab",      "B",    "\\.",         ".",    "a*",
        "b+",    "(ab)",  "(a|b)",   "a?",   "[ab]",        "[^a]", "[]b]",
        "{2}",   "{a",    "{1,2}?",  "^",    "$",           "|",    "\\d",
        "\\b",   "(?:b)", "(?=a)",   "(?i)", "(",           ")",    "{",
        "\\x61", "\\1",   "(?<n>b)", "++",   "[[:alpha:]]", "\\Q",  "\\E",
        "\\)",   "(?!b)", "?",       "*",    "#",           "a{0}",
    };
    static const char *const flags[] = {"", "i", "x", "m", "s", "ix"};
    struct regex_scratch *scratch = regex_scratch_new();
    size_t matched = 0, useful = 0;
    (void)state;
    for (uint32_t seed = 0; seed < 60000; seed++) {
        struct dice dice = {seed};
        char literal[128], subject[9];
        size_t used = (size_t)snprintf(literal, sizeof literal, "/");
        struct problem problem;
        struct regex_match match;
        for (size_t i = 1 + roll(&dice, 6); i > 0; i--)
            used += (size_t)snprintf(
                literal + used, sizeof literal - used, "%s",
                pieces[roll(&dice, sizeof pieces / sizeof *pieces)]);
        snprintf(literal + used, sizeof literal - used, "/%s",
                 flags[roll(&dice, 6)]);
        struct regex *regex = regex_new(str_from(literal), &problem);
        for (int i = 0; regex != NULL && i < 20; i++) {
            size_t n = roll(&dice, sizeof subject);
            for (size_t k = 0; k < n; k++)
                subject[k] = "abAB.1 #"[roll(&dice, 8)];
            struct str text = str_span(subject, n);
            if (regex_match(regex, scratch, text, &match) != REGEX_MATCH)
                continue;
            matched++;
            useful += regex_needs(regex).n > 0;
            if (!holds(text, regex_needs(regex)))
                fail_msg("%s matches %.*s without \"%.*s\"", literal, (int)n,
                         subject, (int)regex_needs(regex).n,
                         regex_needs(regex).p);
        }
        regex_free(regex);
    }
    assert_true(matched > 10000 && useful > 5000);
    regex_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_must_be_there_is_read_off),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(whatever_matches_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
