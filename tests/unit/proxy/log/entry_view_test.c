#include "proxy/log/entry_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct view_case {
    const char *name;
    const char *line;
    const char *want;
};

static const struct view_case cases[] = {
    {.name = "an accepted mail",
     .line = "{\"time\":\"2026-01-05T09:30:01.123456Z\","
             "\"event\":\"transaction\",\"id\":\"7QK3M9T2XA01\","
             "\"verdict\":\"accept\",\"auth\":{\"user\":\"bob\"},"
             "\"mail\":{\"from\":\"bob@old.example\",\"size\":999},"
             "\"rcpt\":[{\"to\":\"a@example.net\"},{\"to\":\"b@example.net\"}],"
             "\"message\":{\"bytes\":20480},"
             "\"rules\":[{\"rule\":\"one\"},{\"rule\":\"two\"},{\"rule\":"
             "\"one\"}],\"upstream\":{\"name\":\"mta\",\"reply\":\"250 2.0.0 "
             "Ok\",\"queue_id\":\"4XyZ\"},\"ms\":{\"total\":14.2}}",
     .want = "2026-01-05 09:30:01 7QK3M9T2XA01 accept bob bob@old.example → "
             "a@example.net (+1) 20.0K 250 2.0.0 Ok [one, two] mta:4XyZ "
             "14 ms\n"},
    {.name = "a refused mail with controls in it",
     .line = "{\"time\":\"2026-01-05T09:30:01Z\",\"event\":\"transaction\","
             "\"id\":\"X\",\"verdict\":\"reject\","
             "\"reply\":\"553 5.7.1 no\\u001b[2J\\r\\nthe \\u009b end\","
             "\"mail\":{\"from\":\"\"},\"rcpt\":[]}",
     .want = "2026-01-05 09:30:01 X reject - <> → - 553 5.7.1 "
             "no\\x1b[2J\\r\\nthe \\u{9b} end\n"},
    {.name = "an uncertain one",
     .line = "{\"event\":\"transaction\",\"verdict\":\"defer\","
             "\"upstream\":{\"fault\":\"closed\"},\"uncertain\":true}",
     .want = "(no time) - defer - - → - (closed) uncertain\n"},
    {.name = "one that crossed two caps",
     .line = "{\"event\":\"transaction\",\"verdict\":\"reject\","
             "\"reply\":\"552 No\",\"caps\":[\"caps.message\",\"caps.drain\"],"
             "\"rules\":[{\"rule\":\"one\"}]}",
     .want = "(no time) - reject - - → - 552 No over caps.message, caps.drain "
             "[one]\n"},
    {.name = "a session that took too long",
     .line = "{\"event\":\"session\",\"end\":\"timeout\",\"caps\":"
             "[\"timeouts.command\"]}",
     .want = "(no time) session end=timeout over timeouts.command\n"},
    {.name = "a failed login",
     .line = "{\"time\":\"2026-01-05T09:30:01Z\",\"event\":\"auth\","
             "\"id\":\"X\",\"auth\":{\"name\":\"bob\",\"result\":"
             "\"failed\",\"mechanism\":\"PLAIN\"},\"client\":{\"ip\":"
             "\"192.0.2.1\"},\"listener\":\"submission\"}",
     .want = "2026-01-05 09:30:01 X auth failed bob from 192.0.2.1 PLAIN "
             "submission\n"},
    {.name = "any other event",
     .line = "{\"time\":\"2026-01-05T09:30:01Z\",\"event\":\"list\","
             "\"list\":\"contained\",\"value\":\"bob\",\"on\":true,"
             "\"n\":3,\"x\":{\"y\":{\"z\":null,\"w\":{\"v\":1}}},"
             "\"a\":[1]}",
     .want = "2026-01-05 09:30:01 list list=contained value=bob on=true n=3 "
             "z=null\n"},
    {.name = "a foreign shape",
     .line = "{\"event\":\"transaction\",\"id\":1,\"auth\":2,"
             "\"rcpt\":\"x\",\"rules\":{},\"ms\":[],\"message\":7}",
     .want = "(no time) - - - - → -\n"},
};

static void assert_view(const char *line, bool is_coloured, const char *want)
{
    char *text = NULL;
    size_t length = 0;
    json_t *entry = json_loads(line, 0, NULL);
    FILE *to = open_memstream(&text, &length);
    assert_non_null(entry);
    assert_non_null(to);
    entry_view_print(to, entry, is_coloured);
    fclose(to);
    assert_string_equal(text, want);
    free(text);
    json_decref(entry);
}

static void each_event_is_one_readable_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("  %s\n", cases[i].name);
        assert_view(cases[i].line, false, cases[i].want);
    }
}

static void verdicts_have_their_colours(void **state)
{
    (void)state;
    assert_view("{\"event\":\"transaction\",\"verdict\":\"accept\"}", true,
                "(no time)\x1b[2m -\x1b[0m\x1b[32m accept\x1b[0m - - → -\n");
    assert_view("{\"event\":\"transaction\",\"verdict\":\"reject\"}", true,
                "(no time)\x1b[2m -\x1b[0m\x1b[31m reject\x1b[0m - - → -\n");
    assert_view("{\"event\":\"log\",\"lost\":3}", true,
                "\x1b[2m(no time) log lost=3\x1b[0m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_one_readable_line),
        cmocka_unit_test(verdicts_have_their_colours),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
