#include "proxy/net/stream.h"

#include "proxy/net/loop_internal.h"
#include "tests/support/stream_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int open_pair(void **state)
{
    *state = malloc(sizeof(struct stream_pair));
    stream_pair_init(*state);
    return 0;
}

static int free_pair(void **state)
{
    stream_pair_release(*state);
    free(*state);
    return 0;
}

static char *make_octets(size_t size)
{
    char *octets = malloc(size);
    for (size_t i = 0; i < size; i++)
        octets[i] = (char)(i * 2654435761U >> 23);
    return octets;
}

static bool server_heard_five(struct stream_pair *pair)
{
    return end_heard(&pair->server).n == 5;
}

static bool client_heard_five(struct stream_pair *pair)
{
    return end_heard(&pair->client).n == 5;
}

static bool server_has_more(struct stream_pair *pair)
{
    return stream_input(pair->server.stream).n == 8;
}

static bool client_ended(struct stream_pair *pair)
{
    return strchr(pair->client.log, 'e') != NULL;
}

static bool server_ended(struct stream_pair *pair)
{
    return strchr(pair->server.log, 'e') != NULL;
}

static void both_ends_hear_each_other(void **state)
{
    struct stream_pair *pair = *state;
    stream_pair_connect(pair);
    end_write(&pair->client, STR("he"));
    end_write(&pair->client, STR("llo"));
    stream_pair_run(pair, server_heard_five);
    assert_true(str_equals(end_heard(&pair->server), STR("hello")));
    end_write(&pair->server, STR("hello"));
    stream_pair_run(pair, client_heard_five);
    assert_string_equal(pair->server.log, "b");
    assert_string_equal(stream_peer_host(pair->server.stream), "127.0.0.1");
    assert_string_equal(stream_local_host(pair->client.stream), "127.0.0.1");
    assert_int_equal(stream_peer_port(pair->client.stream),
                     listen_port(pair->listen));
    assert_false(stream_is_secure(pair->server.stream));
    assert_string_equal(stream_tls_version(pair->server.stream), "");
    assert_int_equal(stream_pending(pair->server.stream), 0);
}

#define MUCH ((size_t)8 * 1024 * 1024)

struct pouring {
    char *octets;
    size_t sent;
};

/* As an owner should: writes up to the high mark, goes on when drained. */
static void pour(struct stream_end_point *self, char event)
{
    struct pouring *pouring = self->pair->test;
    (void)event;
    while (pouring->sent < MUCH &&
           stream_pending(self->stream) < STREAM_OUTPUT_HIGH) {
        struct str next = str_head(
            str_skip(str_span(pouring->octets, MUCH), pouring->sent), 10000);
        end_write(self, next);
        pouring->sent += next.n;
        assert_true(stream_pending(self->stream) < STREAM_OUTPUT_HIGH + 10000);
    }
}

static bool server_heard_much(struct stream_pair *pair)
{
    return end_heard(&pair->server).n == MUCH;
}

static void a_slow_reader_holds_the_writer_back(void **state)
{
    struct stream_pair *pair = *state;
    struct pouring pouring = {make_octets(MUCH), 0};
    pair->test = &pouring;
    stream_pair_connect(pair);
    pair->server.is_hoarding = true;
    pair->client.on_event = pour;
    pour(&pair->client, 'd');
    stream_pair_turn(pair);
    /* The reader's buffer is full, and so are the kernel's. */
    assert_int_equal(stream_input(pair->server.stream).n, STREAM_INPUT_MAX);
    assert_true(pouring.sent < MUCH);
    assert_true(stream_pending(pair->client.stream) > STREAM_OUTPUT_LOW);
    end_hear(&pair->server);
    stream_pair_run(pair, server_heard_much);
    assert_memory_equal(end_heard(&pair->server).p, pouring.octets, MUCH);
    free(pouring.octets);
}

/* In pieces that wait for the end of the turn. */
static void write_in_pieces(struct stream_end_point *end, const char *octets,
                            size_t size)
{
    enum { PIECE = 8 * 1024 };
    for (size_t at = 0; at < size; at += PIECE)
        end_write(end, str_head(str_span(octets + at, size - at), PIECE));
}

#define LARGE ((size_t)64 * 1024)

static bool client_heard_both(struct stream_pair *pair)
{
    return end_heard(&pair->client).n == 5 + LARGE;
}

static void a_large_piece_goes_at_once_behind_what_waits(void **state)
{
    struct stream_pair *pair = *state;
    char *octets = make_octets(LARGE);
    stream_pair_connect(pair);
    end_write(&pair->server, STR("small"));
    assert_int_equal(stream_pending(pair->server.stream), 5);
    end_write(&pair->server, str_span(octets, LARGE));
    assert_true(stream_pending(pair->server.stream) < LARGE);
    stream_pair_run(pair, client_heard_both);
    assert_memory_equal(end_heard(&pair->client).p, "small", 5);
    assert_memory_equal(end_heard(&pair->client).p + 5, octets, LARGE);
    free(octets);
}

static bool client_heard_one(struct stream_pair *pair)
{
    return end_heard(&pair->client).n > 0;
}

static void what_is_held_leaves_as_one(void **state)
{
    struct stream_pair *pair = *state;
    stream_pair_connect(pair);
    stream_hold_output(pair->server.stream, true);
    end_write(&pair->server, STR("one "));
    stream_pair_turn(pair);
    assert_int_equal(stream_pending(pair->server.stream), 4);
    end_write(&pair->server, STR("two"));
    stream_hold_output(pair->server.stream, false);
    stream_pair_run(pair, client_heard_one);
    assert_true(str_equals(end_heard(&pair->client), STR("one two")));
}

static void what_is_held_leaves_in_time_all_the_same(void **state)
{
    struct stream_pair *pair = *state;
    stream_pair_connect(pair);
    stream_hold_output(pair->server.stream, true);
    end_write(&pair->server, STR("held"));
    stream_pair_run(pair, client_heard_one);
    assert_true(str_equals(end_heard(&pair->client), STR("held")));
}

static void a_close_does_not_wait_for_what_is_held(void **state)
{
    struct stream_pair *pair = *state;
    stream_pair_connect(pair);
    stream_hold_output(pair->server.stream, true);
    end_write(&pair->server, STR("last"));
    end_close(&pair->server);
    stream_pair_run(pair, client_ended);
    assert_true(str_equals(end_heard(&pair->client), STR("last")));
}

static void the_output_queue_has_a_maximum(void **state)
{
    struct stream_pair *pair = *state;
    char *octets = make_octets(STREAM_OUTPUT_MAX + 1);
    stream_pair_connect(pair);
    assert_int_equal(stream_write(pair->client.stream,
                                  str_span(octets, STREAM_OUTPUT_MAX + 1)),
                     -1);
    assert_int_equal(stream_pending(pair->client.stream), 0);
    write_in_pieces(&pair->client, octets, STREAM_OUTPUT_MAX);
    assert_int_equal(stream_write(pair->client.stream, STR("x")), -1);
    free(octets);
}

static void close_sends_all_that_is_queued(void **state)
{
    struct stream_pair *pair = *state;
    char *octets = make_octets(STREAM_OUTPUT_MAX);
    stream_pair_connect(pair);
    end_write(&pair->server, str_span(octets, STREAM_OUTPUT_MAX));
    end_close(&pair->server);
    stream_pair_run(pair, client_ended);
    assert_int_equal(pair->client.end, STREAM_END_EOF);
    assert_string_equal(pair->client.log, "rbe");
    assert_int_equal(end_heard(&pair->client).n, STREAM_OUTPUT_MAX);
    assert_memory_equal(end_heard(&pair->client).p, octets, STREAM_OUTPUT_MAX);
    free(octets);
}

/* A client that talks on and on, and only then listens. */
static void the_last_reply_arrives_though_input_is_unread(void **state)
{
    struct stream_pair *pair = *state;
    char *octets = make_octets(MUCH);
    char heard[16];
    size_t sent = 0;
    int fd = stream_pair_connect_raw(pair);
    pair->server.is_hoarding = true;
    for (int i = 0; i < 1000 && sent < MUCH; i++) {
        ssize_t n = send(fd, octets + sent, MUCH - sent, MSG_DONTWAIT);
        assert_true(n > 0 || errno == EAGAIN);
        sent += n > 0 ? (size_t)n : 0;
        stream_pair_turn(pair);
        if (i == 2) {
            assert_true(sent < MUCH);
            end_write(&pair->server, STR("221 bye\r\n"));
            end_close(&pair->server);
        }
    }
    assert_int_equal(sent, MUCH);
    shutdown(fd, SHUT_WR);
    stream_pair_turn(pair);
    assert_int_equal(read(fd, heard, sizeof(heard)), 9);
    assert_memory_equal(heard, "221 bye\r\n", 9);
    assert_int_equal(read(fd, heard, sizeof(heard)), 0);
    close(fd);
    free(octets);
}

static void abort_is_a_reset_for_the_peer(void **state)
{
    struct stream_pair *pair = *state;
    stream_pair_connect(pair);
    end_write(&pair->server, STR("never sent"));
    end_abort(&pair->server);
    stream_pair_run(pair, client_ended);
    assert_int_equal(pair->client.end, STREAM_END_RESET);
    assert_string_equal(pair->client.error, "connection reset by peer");
    assert_int_equal(stream_write(pair->client.stream, STR("dropped")), 0);
    assert_int_equal(stream_pending(pair->client.stream), 0);
}

static void input_before_the_end_is_told_first_and_stays(void **state)
{
    struct stream_pair *pair = *state;
    int fd = stream_pair_connect_raw(pair);
    char heard[8] = "";
    pair->server.is_hoarding = true;
    assert_int_equal(write(fd, "QUIT\r\n", 6), 6);
    shutdown(fd, SHUT_WR);
    stream_pair_run(pair, server_ended);
    assert_string_equal(pair->server.log, "be");
    assert_int_equal(pair->server.end, STREAM_END_EOF);
    assert_true(str_equals(stream_input(pair->server.stream), STR("QUIT\r\n")));
    /* A half-closed connection still carries our words. */
    end_write(&pair->server, STR("221\r\n"));
    stream_pair_turn(pair);
    assert_int_equal(read(fd, heard, sizeof(heard)), 5);
    assert_memory_equal(heard, "221\r\n", 5);
    end_close(&pair->server);
    stream_pair_turn(pair);
    assert_int_equal(read(fd, heard, sizeof(heard)), 0);
    close(fd);
}

static void a_paused_stream_is_silent_until_resumed(void **state)
{
    struct stream_pair *pair = *state;
    int fd = stream_pair_connect_raw(pair);
    pair->server.is_hoarding = true;
    end_pause(&pair->server);
    assert_int_equal(write(fd, "NOOP\r\n", 6), 6);
    shutdown(fd, SHUT_WR);
    stream_pair_turn(pair);
    assert_string_equal(pair->server.log, "");
    assert_int_equal(stream_input(pair->server.stream).n, 0);
    end_resume(&pair->server);
    stream_pair_run(pair, server_ended);
    assert_string_equal(pair->server.log, "be");
    close(fd);
}

static void resuming_announces_unread_input_again(void **state)
{
    struct stream_pair *pair = *state;
    int fd = stream_pair_connect_raw(pair);
    pair->server.is_hoarding = true;
    assert_int_equal(write(fd, "NOOP\r\n", 6), 6);
    stream_pair_turn(pair);
    assert_string_equal(pair->server.log, "b");
    pair->server.logged = 0;
    end_resume(&pair->server);
    stream_pair_turn(pair);
    assert_int_equal(pair->server.logged, 0);
    end_pause(&pair->server);
    end_resume(&pair->server);
    stream_pair_turn(pair);
    assert_int_equal(pair->server.logged, 1);
    close(fd);
}

static void let_go(struct stream_end_point *self, char event)
{
    char *wanted = self->pair->test;
    if (self->stream == NULL || event != wanted[0])
        return;
    if (wanted[1] == 'c')
        end_close(self);
    else
        end_abort(self);
}

static bool is_let_go(struct stream_pair *pair)
{
    return pair->client.stream == NULL;
}

static void an_owner_may_let_go_in_any_event(void **state)
{
    static char *const cases[] = {"bc", "ba", "ec", "ea", "dc", "da"};
    char *octets = make_octets(STREAM_OUTPUT_HIGH);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stream_pair pair;
        stream_pair_init(&pair);
        stream_pair_connect(&pair);
        pair.test = cases[i];
        pair.client.on_event = let_go;
        write_in_pieces(&pair.client, octets, STREAM_OUTPUT_HIGH);
        end_write(&pair.server, STR("hello"));
        end_close(&pair.server);
        stream_pair_run(&pair, is_let_go);
        size_t logged = pair.client.logged;
        stream_pair_turn(&pair);
        assert_int_equal(pair.client.logged, logged);
        stream_pair_release(&pair);
    }
    free(octets);
}

static void freeing_the_loop_cuts_off_who_still_flushes(void **state)
{
    struct stream_pair *pair = *state;
    char *octets = make_octets(STREAM_OUTPUT_MAX);
    int fd = stream_pair_connect_raw(pair);
    end_write(&pair->server, str_span(octets, STREAM_OUTPUT_MAX));
    end_close(&pair->server);
    stream_pair_turn(pair);
    uint64_t before = loop_clock_us(pair->loop);
    stream_pair_release(pair);
    stream_pair_init(pair);
    assert_true(loop_clock_us(pair->loop) - before < 1500000);
    close(fd);
    free(octets);
}

/* What was read last is in the loop's scratch, unless that was wiped. */
static void what_may_be_a_secret_is_not_left_behind(void **state)
{
    struct stream_pair *pair = *state;
    const char *scratch = pair->loop->scratch;
    stream_pair_connect(pair);
    end_write(&pair->client, STR("hello"));
    stream_pair_run(pair, server_heard_five);
    assert_memory_equal(scratch, "hello", 5);
    octet_queue_release(&pair->server.heard);
    stream_expect_secrets(pair->server.stream, true);
    pair->server.is_hoarding = true;
    end_write(&pair->client, STR("a secret"));
    stream_pair_run(pair, server_has_more);
    assert_memory_equal(scratch, "\0\0\0\0\0\0\0\0", 8);
    const char *secret = stream_input(pair->server.stream).p;
    stream_wipe(pair->server.stream, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0et", 8);
    assert_true(str_equals(stream_input(pair->server.stream), STR("et")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ends_hear_each_other, open_pair,
                                        free_pair),
        cmocka_unit_test_setup_teardown(a_slow_reader_holds_the_writer_back,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(
            a_large_piece_goes_at_once_behind_what_waits, open_pair, free_pair),
        cmocka_unit_test_setup_teardown(what_is_held_leaves_as_one, open_pair,
                                        free_pair),
        cmocka_unit_test_setup_teardown(
            what_is_held_leaves_in_time_all_the_same, open_pair, free_pair),
        cmocka_unit_test_setup_teardown(a_close_does_not_wait_for_what_is_held,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(the_output_queue_has_a_maximum,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(close_sends_all_that_is_queued,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(
            the_last_reply_arrives_though_input_is_unread, open_pair,
            free_pair),
        cmocka_unit_test_setup_teardown(abort_is_a_reset_for_the_peer,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(
            input_before_the_end_is_told_first_and_stays, open_pair, free_pair),
        cmocka_unit_test_setup_teardown(a_paused_stream_is_silent_until_resumed,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(resuming_announces_unread_input_again,
                                        open_pair, free_pair),
        cmocka_unit_test(an_owner_may_let_go_in_any_event),
        cmocka_unit_test_setup_teardown(what_may_be_a_secret_is_not_left_behind,
                                        open_pair, free_pair),
        cmocka_unit_test_setup_teardown(
            freeing_the_loop_cuts_off_who_still_flushes, open_pair, free_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
