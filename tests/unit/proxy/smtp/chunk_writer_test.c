#include "proxy/smtp/chunk_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct content_case {
    struct str content;
    bool is_refused;
    struct str end;
};

static const struct content_case CASES[] = {
    {.content = STR_INIT(""), .end = STR_INIT("")},
    {.content = STR_INIT("\r\n"), .end = STR_INIT("")},
    {.content = STR_INIT("a\r\n"), .end = STR_INIT("")},
    {.content = STR_INIT("a"), .end = STR_INIT("\r\n")},
    {.content = STR_INIT("\r\n.\r\n."), .end = STR_INIT("\r\n")},
    {.content = STR_INIT("0123456789abcdef\r\n0123456789abcdef\r\n"),
     .end = STR_INIT("")},
    {.content = STR_INIT("\xe9\x85\r\n\xff"), .end = STR_INIT("\r\n")},
    {.content = STR_INIT("a\r"), .is_refused = true},
    {.content = STR_INIT("a\r.\r\n"), .is_refused = true},
    {.content = STR_INIT("a\n.\r\n"), .is_refused = true},
    {.content = STR_INIT("\n"), .is_refused = true},
    {.content = STR_INIT("a\r\r\n"), .is_refused = true},
    {.content = STR_INIT("a\r\n\n"), .is_refused = true},
    {.content = STR_INIT("a\0b\r\n"), .is_refused = true},
    {.content = STR_INIT("a\r\0\n"), .is_refused = true},
};

static void the_invariant_holds_however_the_content_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct content_case *c = &CASES[i];
        for (size_t piece = 1; piece <= c->content.n + 1; piece++) {
            struct chunk_writer writer;
            struct str rest = c->content, end;
            int result = 0;
            chunk_writer_init(&writer);
            for (; rest.n > 0; rest = str_skip(rest, str_head(rest, piece).n))
                if (chunk_writer_check(&writer, str_head(rest, piece)) != 0)
                    result = -1;
            if (chunk_writer_finish(&writer, &end) != 0)
                result = -1;
            assert_int_equal(result, c->is_refused ? -1 : 0);
            if (!c->is_refused)
                assert_true(str_equals(end, c->end));
        }
    }
}

static void what_is_broken_stays_broken(void **state)
{
    (void)state;
    struct chunk_writer writer;
    struct str end;
    chunk_writer_init(&writer);
    assert_int_equal(chunk_writer_check(&writer, STR("a\nb\r\n")), -1);
    assert_int_equal(chunk_writer_check(&writer, STR("c\r\n")), -1);
    assert_int_equal(chunk_writer_finish(&writer, &end), -1);
}

static void a_command_names_its_octets(void **state)
{
    (void)state;
    char to[CHUNK_COMMAND_MAX];
    assert_true(str_equals(chunk_command(to, 0, true), STR("BDAT 0 LAST\r\n")));
    assert_true(
        str_equals(chunk_command(to, 65536, false), STR("BDAT 65536\r\n")));
    assert_int_equal(chunk_command(to, SIZE_MAX, true).n, CHUNK_COMMAND_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_invariant_holds_however_the_content_is_cut),
        cmocka_unit_test(what_is_broken_stays_broken),
        cmocka_unit_test(a_command_names_its_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
