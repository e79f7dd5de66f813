#include "proxy/net/dial.h"

#include "proxy/net/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct result {
    unsigned calls;
    int fd;
    char error[200];
};

static void on_dialled(void *owner, int fd, const char *error)
{
    struct result *result = owner;
    result->calls++;
    result->fd = fd;
    snprintf(result->error, sizeof(result->error), "%s",
             error == NULL ? "" : error);
}

/* A socket that listens on a free port, on 127.0.0.1 alone. */
static int open_listener(int backlog, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static struct result dial(struct str host, uint16_t port, uint64_t timeout_ms)
{
    struct loop *loop = loop_new();
    struct result result = {.fd = -1};
    assert_non_null(
        dial_start(loop, host, port, timeout_ms, on_dialled, &result));
    assert_int_equal(result.calls, 0);
    loop_run(loop);
    assert_int_equal(result.calls, 1);
    loop_free(loop);
    return result;
}

/* A bare system may lack even /etc/hosts. */
static bool knows_localhost(void)
{
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
        return false;
    freeaddrinfo(found);
    return true;
}

static void an_address_is_connected_to(void **state)
{
    uint16_t port;
    int listener = open_listener(5, &port);
    (void)state;
    struct result result = dial(STR("127.0.0.1"), port, 5000);
    assert_true(result.fd >= 0);
    close(result.fd);
    close(listener);
}

static void a_name_is_looked_up_and_its_addresses_tried_in_turn(void **state)
{
    uint16_t port;
    (void)state;
    if (!knows_localhost())
        skip();
    int listener = open_listener(5, &port);
    struct result result = dial(STR("localhost"), port, 5000);
    assert_string_equal(result.error, "");
    assert_true(result.fd >= 0);
    close(result.fd);
    close(listener);
    result = dial(STR("localhost"), port, 5000);
    assert_string_equal(result.error, "connection refused");
}

static void a_closed_port_is_refused_in_words(void **state)
{
    uint16_t port;
    close(open_listener(5, &port));
    (void)state;
    struct result result = dial(STR("127.0.0.1"), port, 5000);
    assert_int_equal(result.fd, -1);
    assert_string_equal(result.error, "connection refused");
}

static void a_silent_address_times_out(void **state)
{
    uint16_t port;
    int listener = open_listener(0, &port);
    (void)state;
    /* The one place in the backlog is taken, so further SYNs are dropped. */
    struct result first = dial(STR("127.0.0.1"), port, 5000);
    struct result result = dial(STR("127.0.0.1"), port, 50);
    assert_int_equal(result.fd, -1);
    assert_string_equal(result.error, "timed out after 50ms");
    close(first.fd);
    close(listener);
}

static void what_can_not_be_a_name_is_no_such_host(void **state)
{
    char longest[400];
    (void)state;
    memset(longest, 'a', sizeof(longest));
    const struct str cases[] = {STR(""), STR("a\0b"),
                                str_span(longest, sizeof(longest))};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result = dial(cases[i], 25, 5000);
        assert_int_equal(result.fd, -1);
        assert_string_equal(result.error, "no such host");
    }
}

static void a_cancelled_dial_is_never_heard_of(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    uint16_t port;
    int listener = open_listener(5, &port);
    struct loop *loop = loop_new();
    struct result result = {0};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        dial_cancel(dial_start(loop, str_from(hosts[i]), port, 5000, on_dialled,
                               &result));
    loop_run(loop);
    assert_int_equal(result.calls, 0);
    loop_free(loop);
    close(listener);
}

struct caller {
    struct stream *stream;
    unsigned ended;
    char error[200];
};

static void on_ended(void *owner, enum stream_end end)
{
    struct caller *caller = owner;
    caller->ended++;
    assert_int_equal(end, STREAM_END_CONNECT);
    snprintf(caller->error, sizeof(caller->error), "%s",
             stream_error(caller->stream));
    stream_close(caller->stream);
}

static void a_stream_that_never_connected_says_why(void **state)
{
    static const struct stream_events events = {.on_ended = on_ended};
    struct loop *loop = loop_new();
    struct caller caller = {0};
    uint16_t port;
    close(open_listener(5, &port));
    (void)state;
    caller.stream =
        stream_connect(loop, STR("127.0.0.1"), port, 5000, &events, &caller);
    assert_int_equal(stream_write(caller.stream, STR("early")), 0);
    assert_int_equal(caller.ended, 0);
    loop_run(loop);
    assert_int_equal(caller.ended, 1);
    assert_string_equal(caller.error, "connection refused");
    loop_free(loop);
}

static void a_stream_may_be_given_up_while_it_connects(void **state)
{
    static const struct stream_events events = {.on_ended = on_ended};
    struct loop *loop = loop_new();
    struct caller caller = {0};
    uint16_t port;
    int listener = open_listener(5, &port);
    (void)state;
    stream_abort(
        stream_connect(loop, STR("127.0.0.1"), port, 5000, &events, &caller));
    stream_close(
        stream_connect(loop, STR("localhost"), port, 5000, &events, &caller));
    loop_run(loop);
    assert_int_equal(caller.ended, 0);
    loop_free(loop);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_connected_to),
        cmocka_unit_test(a_name_is_looked_up_and_its_addresses_tried_in_turn),
        cmocka_unit_test(a_closed_port_is_refused_in_words),
        cmocka_unit_test(a_silent_address_times_out),
        cmocka_unit_test(what_can_not_be_a_name_is_no_such_host),
        cmocka_unit_test(a_cancelled_dial_is_never_heard_of),
        cmocka_unit_test(a_stream_that_never_connected_says_why),
        cmocka_unit_test(a_stream_may_be_given_up_while_it_connects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
