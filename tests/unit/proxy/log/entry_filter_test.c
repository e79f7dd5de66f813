#include "proxy/log/entry_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_US 1767609000000000u /* 2026-01-05T10:30:00Z */

static const char transaction[] =
    "{\"time\":\"2026-01-05T09:30:01.123456Z\",\"event\":\"transaction\","
    "\"id\":\"7QK3M9T2XA01\",\"session\":\"7QK3M9T2XA\","
    "\"verdict\":\"accept\",\"client\":{\"ip\":\"198.51.100.7\"},"
    "\"listener\":\"submission\",\"auth\":{\"user\":\"bob\"},"
    "\"mail\":{\"from\":\"bob@old.example\",\"sent\":\"bob@example.com\"},"
    "\"rcpt\":[{\"to\":\"a@example.net\"},{\"to\":\"B@example.org\"}],"
    "\"rules\":[{\"stage\":\"mail\",\"rule\":\"the company we bought\"}]}";

struct filter_case {
    const char *words[3];
    bool want_match;
};

static const struct filter_case cases[] = {
    {.words = {NULL}, .want_match = true},
    {.words = {"user=bob"}, .want_match = true},
    {.words = {"user=BOB"}, .want_match = true},
    {.words = {"user=b*"}, .want_match = true},
    {.words = {"user=eve"}, .want_match = false},
    {.words = {"user=eve", "user=bob"}, .want_match = true},
    {.words = {"user=bob", "user=eve"}, .want_match = true},
    {.words = {"user=bob", "verdict=reject"}, .want_match = false},
    {.words = {"user=bob", "verdict=accept"}, .want_match = true},
    {.words = {"from=bob@old.example"}, .want_match = true},
    {.words = {"from=*@example.com"}, .want_match = true},
    {.words = {"from=example.org"}, .want_match = false},
    {.words = {"to=b@example.org"}, .want_match = true},
    {.words = {"to=c@example.org"}, .want_match = false},
    {.words = {"rule=*company*"}, .want_match = true},
    {.words = {"rule=other"}, .want_match = false},
    {.words = {"listener=submission"}, .want_match = true},
    {.words = {"client=198.51.100.7"}, .want_match = true},
    {.words = {"client=198.51.100.0/24"}, .want_match = true},
    {.words = {"client=198.51.101.0/24"}, .want_match = false},
    {.words = {"client=198.51.*"}, .want_match = true},
    {.words = {"id=7QK3M9T2XA01"}, .want_match = true},
    {.words = {"id=7qk3m9t2xa"}, .want_match = true},
    {.words = {"id=7QK3M9T2XA02"}, .want_match = false},
    {.words = {"event=transaction"}, .want_match = true},
    {.words = {"event=session"}, .want_match = false},
    {.words = {"event=all"}, .want_match = true},
    {.words = {"since=1h"}, .want_match = true},
    {.words = {"since=59m"}, .want_match = false},
    {.words = {"since=366d"}, .want_match = true},
    {.words = {"until=1h"}, .want_match = false},
    {.words = {"until=2026-01-05T09:30:01Z"}, .want_match = false},
    {.words = {"since=2026-01-05T09:30:01Z", "until=2026-01-05T09:30:02Z"},
     .want_match = true},
};

static bool matches(const struct filter_case *one, const char *line)
{
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    json_t *entry = json_loads(line, 0, NULL);
    assert_non_null(entry);
    entry_filter_init(&filter);
    for (size_t i = 0; i < 3 && one->words[i] != NULL; i++)
        assert_int_equal(
            entry_filter_add(&filter, str_from(one->words[i]), NOW_US, error),
            0);
    bool result = entry_filter_matches(&filter, entry);
    json_decref(entry);
    return result;
}

static void filters_choose_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("  case %zu\n", i);
        assert_int_equal(matches(&cases[i], transaction), cases[i].want_match);
    }
}

struct default_case {
    const char *line;
    bool want_match, want_match_with_id;
};

static const struct default_case defaults[] = {
    {"{\"event\":\"auth\",\"id\":\"A\",\"auth\":{\"result\":\"failed\"}}", true,
     true},
    {"{\"event\":\"auth\",\"id\":\"A\",\"auth\":{\"result\":\"ok\"}}", false,
     true},
    {"{\"event\":\"session\",\"id\":\"A\"}", false, true},
    {"{\"event\":\"list\",\"id\":\"A\"}", true, true},
    {"{\"event\":\"upstream\"}", true, false},
    {"{\"event\":\"log\",\"lost\":3}", true, false},
    {"{\"event\":7}", false, false},
    {"{}", false, false},
};

static void routine_is_left_out_unless_asked_for(void **state)
{
    (void)state;
    const struct filter_case none = {.words = {NULL}};
    const struct filter_case by_id = {.words = {"id=A"}};
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        assert_int_equal(matches(&none, defaults[i].line),
                         defaults[i].want_match);
        assert_int_equal(matches(&by_id, defaults[i].line),
                         defaults[i].want_match_with_id);
    }
}

static void lines_of_foreign_shape_match_nothing_and_do_no_harm(void **state)
{
    (void)state;
    static const char foreign[] =
        "{\"event\":\"transaction\",\"auth\":[],\"rcpt\":{\"to\":1},"
        "\"rules\":\"x\",\"client\":{\"ip\":[]},\"mail\":null,\"time\":4}";
    static const char *const words[] = {"user=*",     "from=*",  "to=*",
                                        "rule=*",     "id=*",    "client=*",
                                        "listener=*", "since=1d"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct filter_case one = {.words = {words[i]}};
        assert_false(matches(&one, foreign));
    }
}

static void unknown_filters_are_answered_with_the_known(void **state)
{
    (void)state;
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    entry_filter_init(&filter);
    assert_int_equal(entry_filter_add(&filter, STR("usr=x"), NOW_US, error),
                     -1);
    assert_string_equal(error, "there is no filter usr=; known are user= "
                               "from= to= verdict= rule= listener= client= "
                               "id= shadow= event= since= until=");
    assert_int_equal(
        entry_filter_add(&filter, STR("since=soon"), NOW_US, error), -1);
    assert_non_null(strstr(error, "\"soon\" is no time"));
    assert_int_equal(
        entry_filter_add(&filter, STR("verdict=rejct"), NOW_US, error), -1);
    assert_string_equal(error, "there is no verdict rejct, did you mean "
                               "reject?");
    assert_int_equal(
        entry_filter_add(&filter, STR("event=weather"), NOW_US, error), -1);
    assert_string_equal(error, "there is no event weather");
    assert_int_equal(
        entry_filter_add(&filter, STR("verdict=r*"), NOW_US, error), 0);
}

static void more_filters_than_fit_are_refused(void **state)
{
    (void)state;
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    entry_filter_init(&filter);
    for (int i = 0; i < ENTRY_FILTER_MAX; i++)
        assert_int_equal(
            entry_filter_add(&filter, STR("user=x"), NOW_US, error), 0);
    assert_int_equal(entry_filter_add(&filter, STR("user=x"), NOW_US, error),
                     -1);
}

static void a_path_is_no_filter(void **state)
{
    (void)state;
    assert_true(entry_filter_is_word(STR("user=bob")));
    assert_true(entry_filter_is_word(STR("from=")));
    assert_false(entry_filter_is_word(STR("decisions.jsonl")));
    assert_false(entry_filter_is_word(STR("./a=b")));
    assert_false(entry_filter_is_word(STR("=b")));
}

static void lines_where_a_shadow_differs_are_found(void **state)
{
    static const struct {
        const char *line;
        bool want_match;
    } lines[] = {
        {"{\"event\":\"transaction\",\"rules\":[{\"rule\":\"a\"}]}", false},
        {"{\"event\":\"transaction\",\"shadow\":{\"verdict\":\"reject\"}}",
         true},
        {"{\"event\":\"transaction\",\"rcpt\":[{\"to\":\"a\"},{\"to\":\"b\","
         "\"shadow\":{}}]}",
         true},
        {"{\"event\":\"transaction\",\"rules\":[{\"rule\":\"a\"},"
         "{\"rule\":\"b\",\"mode\":\"shadow\"}]}",
         true},
    };
    char error[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    (void)state;
    entry_filter_init(&filter);
    assert_int_equal(
        entry_filter_add(&filter, STR("shadow=same"), NOW_US, error), -1);
    assert_int_equal(
        entry_filter_add(&filter, STR("shadow=differs"), NOW_US, error), 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        json_t *entry = json_loads(lines[i].line, 0, NULL);
        assert_non_null(entry);
        assert_int_equal(entry_filter_matches(&filter, entry),
                         lines[i].want_match);
        json_decref(entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_choose_lines),
        cmocka_unit_test(lines_where_a_shadow_differs_are_found),
        cmocka_unit_test(routine_is_left_out_unless_asked_for),
        cmocka_unit_test(lines_of_foreign_shape_match_nothing_and_do_no_harm),
        cmocka_unit_test(unknown_filters_are_answered_with_the_known),
        cmocka_unit_test(more_filters_than_fit_are_refused),
        cmocka_unit_test(a_path_is_no_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
