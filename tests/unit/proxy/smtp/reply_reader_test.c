#include "proxy/smtp/reply_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct reply_limits LIMITS = {
    .line = 64, .lines = 5, .total = 128};

struct reply_case {
    struct str octets;
    enum reply_next want;
    struct reply want_reply;
};

/* The first reply, fed in pieces. */
static enum reply_next first_reply(struct reply_reader *reader,
                                   struct str octets, size_t piece,
                                   struct reply *out)
{
    enum reply_next next = REPLY_MORE;
    reply_reader_init(reader, &LIMITS);
    while (octets.n > 0 && next == REPLY_MORE) {
        struct str input = str_head(octets, piece);
        octets = str_skip(octets, input.n);
        next = reply_reader_next(reader, &input, out);
    }
    return next;
}

static void assert_cases(const struct reply_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct reply_case *c = &cases[i];
        for (size_t piece = 1; piece <= c->octets.n; piece++) {
            struct reply_reader reader;
            struct reply reply;
            assert_int_equal(first_reply(&reader, c->octets, piece, &reply),
                             c->want);
            assert_int_equal(reader.error != NULL, c->want == REPLY_ERROR);
            if (c->want == REPLY_READY) {
                assert_int_equal(reply.code, c->want_reply.code);
                assert_true(str_equals(reply.enhanced, c->want_reply.enhanced));
                assert_true(str_equals(reply.text, c->want_reply.text));
            }
            reply_reader_release(&reader);
        }
    }
}

static void replies_are_read(void **state)
{
    (void)state;
    static const struct reply_case cases[] = {
        {STR_INIT("250 2.1.5 Ok\r\n"),
         REPLY_READY,
         {250, STR_INIT("2.1.5"), STR_INIT("Ok")}},
        {STR_INIT("220 mx ESMTP\r\n"),
         REPLY_READY,
         {220, STR_INIT(""), STR_INIT("mx ESMTP")}},
        {STR_INIT("250-mx\r\n250-SIZE 10\r\n250 DSN\r\n"),
         REPLY_READY,
         {250, STR_INIT(""), STR_INIT("mx\nSIZE 10\nDSN")}},
        {STR_INIT("550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1\r\n"),
         REPLY_READY,
         {550, STR_INIT("5.7.1"), STR_INIT("a\nb\n")}},
        {STR_INIT("550-5.7.1 a\r\n550 5.7.2 b\r\n"),
         REPLY_READY,
         {550, STR_INIT("5.7.1"), STR_INIT("a\n5.7.2 b")}},
        {STR_INIT("550 2.0.0 odd\r\n"),
         REPLY_READY,
         {550, STR_INIT(""), STR_INIT("odd")}},
        {STR_INIT("250 2.0.0\r\n"),
         REPLY_READY,
         {250, STR_INIT("2.0.0"), STR_INIT("")}},
        {STR_INIT("250 1.2.3 go\r\n"),
         REPLY_READY,
         {250, STR_INIT(""), STR_INIT("1.2.3 go")}},
        {STR_INIT("550 \t\x1b[2J\xc3\xa9\x7f\r\n"),
         REPLY_READY,
         {550, STR_INIT(""), STR_INIT("??[2J???")}},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_U09_malformed_replies_are_errors(void **state)
{
    (void)state;
    static const struct reply_case cases[] = {
        {STR_INIT("000 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("999 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("199 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("600 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("2x0 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("-50 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("2500 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250\tx\r\n"), REPLY_ERROR, {0}},
        {STR_INIT(" 250 x\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("ok\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-a\r\n251 b\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-a\r\n550 b\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-a\r\nb\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250 x\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-x\n250 y\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250 x\ry\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250 x\0\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-x\r\n"), REPLY_MORE, {0}},
        {STR_INIT("250-\r\n"), REPLY_MORE, {0}},
        {STR_INIT("250 x\r"), REPLY_MORE, {0}},
        {STR_INIT("250 \r\n"), REPLY_READY, {250, STR_INIT(""), STR_INIT("")}},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void wire_U20_short_replies_are_not_read_past_their_end(void **state)
{
    (void)state;
    static const struct reply_case cases[] = {
        {STR_INIT("\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("2\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("25\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250\r\n"), REPLY_READY, {250, STR_INIT(""), STR_INIT("")}},
        {STR_INIT("250-a\r\n25\r\n"), REPLY_ERROR, {0}},
        {STR_INIT("250-a\r\n250\r\n"),
         REPLY_READY,
         {250, STR_INIT(""), STR_INIT("a\n")}},
        {STR_INIT("550 5\r\n"),
         REPLY_READY,
         {550, STR_INIT(""), STR_INIT("5")}},
        {STR_INIT("550 5.\r\n"),
         REPLY_READY,
         {550, STR_INIT(""), STR_INIT("5.")}},
        {STR_INIT("550 5.7\r\n"),
         REPLY_READY,
         {550, STR_INIT(""), STR_INIT("5.7")}},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

#define TEXT_57 "012345678901234567890123456789012345678901234567890123456"

static void wire_U02_replies_are_bounded(void **state)
{
    (void)state;
    static const struct reply_case cases[] = {
        {STR_INIT("250 " TEXT_57 "7\r\n"),
         REPLY_READY,
         {250, STR_INIT(""), STR_INIT(TEXT_57 "7")}},
        {STR_INIT("250 " TEXT_57 "78\r\n"), REPLY_ERROR, {0}},
        {STR_INIT(TEXT_57 TEXT_57 TEXT_57), REPLY_ERROR, {0}},
        {STR_INIT("220-\r\n220-\r\n220-\r\n220-\r\n220 \r\n"),
         REPLY_READY,
         {220, STR_INIT(""), STR_INIT("\n\n\n\n")}},
        {STR_INIT("220-\r\n220-\r\n220-\r\n220-\r\n220-\r\n220 \r\n"),
         REPLY_ERROR,
         {0}},
        {STR_INIT("220-" TEXT_57 "\r\n220-" TEXT_57 "\r\n"), REPLY_MORE, {0}},
        {STR_INIT("220-" TEXT_57 "\r\n220-" TEXT_57 "\r\n220 \r\n"),
         REPLY_ERROR,
         {0}},
    };
    assert_cases(cases, sizeof cases / sizeof *cases);
}

static void replies_come_one_by_one(void **state)
{
    (void)state;
    struct reply_reader reader;
    struct reply reply;
    struct str input = STR("250 2.1.0 a\r\n550-b\r\n550 c\r\n354 d\r\n25");
    reply_reader_init(&reader, &LIMITS);
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_READY);
    assert_true(str_equals(reply.text, STR("a")));
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_READY);
    assert_int_equal(reply.code, 550);
    assert_int_equal(reply.enhanced.n, 0);
    assert_true(str_equals(reply.text, STR("b\nc")));
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_READY);
    assert_int_equal(reply.code, 354);
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_MORE);
    assert_int_equal(input.n, 0);
    reply_reader_release(&reader);
}

static void an_error_stays(void **state)
{
    (void)state;
    struct reply_reader reader;
    struct reply reply;
    struct str input = STR("oops\r\n250 Ok\r\n");
    reply_reader_init(&reader, &LIMITS);
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_ERROR);
    assert_int_equal(reply_reader_next(&reader, &input, &reply), REPLY_ERROR);
    assert_true(str_equals(input, STR("250 Ok\r\n")));
    reply_reader_release(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(wire_U09_malformed_replies_are_errors),
        cmocka_unit_test(wire_U20_short_replies_are_not_read_past_their_end),
        cmocka_unit_test(wire_U02_replies_are_bounded),
        cmocka_unit_test(replies_come_one_by_one),
        cmocka_unit_test(an_error_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
