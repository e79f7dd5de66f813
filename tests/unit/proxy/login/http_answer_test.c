#include "proxy/login/http_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct answer_case {
    const char *title;
    const char *octets;
    enum http_next want;
    unsigned want_status;
    const char *want_body; /* of HTTP_WHOLE; else a piece of the error */
    bool want_kept;
    bool is_closed; /* the server closes behind the octets */
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer_case cases[] = {
    {"a length", OK "Content-Length: 2\r\n\r\n{}", HTTP_WHOLE, 200, "{}", true,
     false},
    {"no body", OK "Content-Length: 0\r\n\r\n", HTTP_WHOLE, 200, "", true,
     false},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", HTTP_WHOLE, 204, "", true,
     false},
    {"a redirect",
     "HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\n"
     "Content-Length: 1\r\n\r\nx",
     HTTP_WHOLE, 302, "x", true, false},
    {"our credentials are wrong",
     "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", HTTP_WHOLE, 401,
     "", true, false},
    {"it will close", OK "Connection: close\r\nContent-Length: 2\r\n\r\n{}",
     HTTP_WHOLE, 200, "{}", false, false},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", HTTP_WHOLE,
     200, "{}", false, false},
    {"chunks",
     OK "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
     HTTP_WHOLE, 200, "{}", true, false},
    {"chunks with a trailer",
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n\r\n",
     HTTP_WHOLE, 200, "{}", true, false},
    {"until it closes", OK "\r\n{}", HTTP_WHOLE, 200, "{}", false, true},
    {"an interim answer",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
     "x\r\n\r\n" OK "Content-Length: 2\r\n\r\n{}",
     HTTP_WHOLE, 200, "{}", true, false},
    {"octets behind it", OK "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n",
     HTTP_WHOLE, 200, "{}", false, false},
    {"not yet whole", OK "Content-Length: 3\r\n\r\n{}", HTTP_MORE, 200, "",
     false, false},
    {"an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n", HTTP_MORE, 100,
     "", false, false},
    {"closed in the middle of its body", OK "Content-Length: 3\r\n\r\n{}",
     HTTP_BROKEN, 200, "before its answer ended", false, true},
    {"closed in the middle of a chunk",
     OK "Transfer-Encoding: chunked\r\n\r\n9\r\n{}", HTTP_BROKEN, 200,
     "before its answer ended", false, true},
    {"closed before the last chunk",
     OK "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", HTTP_BROKEN, 200,
     "before its answer ended", false, true},
    {"closed in its header", OK "Content-Le", HTTP_BROKEN, 0,
     "before its answer ended", false, true},
    {"closed at once", "", HTTP_BROKEN, 0, "before its answer ended", false,
     true},
    {"garbage", "220 mail.example ESMTP\r\n", HTTP_BROKEN, 0, "no HTTP", false,
     false},
    {"a TLS alert in clear text", "\x15\x03\x01", HTTP_BROKEN, 0, "no HTTP",
     false, false},
    {"two lengths", OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
     HTTP_BROKEN, 0, "no HTTP", false, false},
    {"a length and chunks",
     OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
     HTTP_BROKEN, 0, "no HTTP", false, false},
    {"a length that is none", OK "Content-Length: -2\r\n\r\n{}", HTTP_BROKEN, 0,
     "no HTTP", false, false},
    {"a chunk's length that is none",
     OK "Transfer-Encoding: chunked\r\n\r\nx\r\n", HTTP_BROKEN, 200, "no HTTP",
     false, false},
    {"another protocol",
     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
     "Connection: Upgrade\r\n\r\n",
     HTTP_BROKEN, 101, "another protocol", false, false},
    {"a header that is none", OK "X y\r\n\r\n", HTTP_BROKEN, 0, "no HTTP",
     false, false},
};

static void assert_answer(const struct answer_case *c,
                          struct http_answer *answer, enum http_next next)
{
    if (c->is_closed && next == HTTP_MORE)
        next = http_answer_end(answer);
    assert_int_equal(next, c->want);
    if (next != HTTP_BROKEN)
        assert_int_equal(http_answer_status(answer), c->want_status);
    if (next == HTTP_WHOLE)
        assert_true(
            str_equals(http_answer_body(answer), str_from(c->want_body)));
    if (next == HTTP_BROKEN)
        assert_non_null(strstr(http_answer_error(answer), c->want_body));
}

static void answers_are_read_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].title);
        struct http_answer *answer = http_answer_new();
        assert_answer(&cases[i], answer,
                      http_answer_feed(answer, str_from(cases[i].octets)));
        assert_int_equal(http_answer_keeps_connection(answer),
                         cases[i].want_kept);
        http_answer_free(answer);
    }
}

static void answers_are_read_octet_by_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].title);
        struct http_answer *answer = http_answer_new();
        struct str octets = str_from(cases[i].octets);
        enum http_next next = HTTP_MORE;
        for (size_t at = 0; at < octets.n && next == HTTP_MORE; at++)
            next = http_answer_feed(answer, str_span(octets.p + at, 1));
        assert_answer(&cases[i], answer, next);
        http_answer_free(answer);
    }
}

/* `count` times the same octets. */
static enum http_next feed_often(struct http_answer *answer, const char *octets,
                                 size_t count)
{
    enum http_next next = HTTP_MORE;
    for (size_t i = 0; i < count && next == HTTP_MORE; i++)
        next = http_answer_feed(answer, str_from(octets));
    return next;
}

static void headers_are_bounded(void **state)
{
    static const char *const lines[] = {"X: y\r\n", "x",
                                        "HTTP/1.1 100 C\r\n\r\n"};
    static const char *const begins[] = {OK, OK "X: ", ""};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct http_answer *answer = http_answer_new();
        http_answer_feed(answer, str_from(begins[i]));
        assert_int_equal(feed_often(answer, lines[i], HTTP_HEAD_MAX),
                         HTTP_BROKEN);
        assert_string_equal(http_answer_error(answer),
                            "its header is too long");
        http_answer_free(answer);
    }
}

static void bodies_are_bounded(void **state)
{
    static const char *const begins[] = {
        OK "\r\n", OK "Content-Length: 65537\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\nFFFFFFF\r\n"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct http_answer *answer = http_answer_new();
        assert_int_equal(http_answer_feed(answer, str_from(begins[i])),
                         HTTP_MORE);
        assert_int_equal(feed_often(answer, "01234567", HTTP_BODY_MAX / 8),
                         HTTP_MORE);
        assert_int_equal(http_answer_body(answer).n, HTTP_BODY_MAX);
        assert_int_equal(http_answer_feed(answer, STR("x")), HTTP_BROKEN);
        assert_string_equal(http_answer_error(answer),
                            "its answer is too long");
        http_answer_free(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_whole),
        cmocka_unit_test(answers_are_read_octet_by_octet),
        cmocka_unit_test(headers_are_bounded),
        cmocka_unit_test(bodies_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
