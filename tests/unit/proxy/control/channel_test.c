#include "proxy/control/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    int ends[2];
};

static int open_pair(void **state)
{
    static struct pair pair;
    assert_int_equal(channel_pair(pair.ends), 0);
    *state = &pair;
    return 0;
}

static int close_pair(void **state)
{
    const struct pair *pair = *state;
    for (size_t i = 0; i < 2; i++)
        if (pair->ends[i] >= 0)
            close(pair->ends[i]);
    return 0;
}

static void messages_come_whole_and_in_order(void **state)
{
    const struct pair *pair = *state;
    struct channel_message message;
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_NOTHING);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            channel_send(pair->ends[0],
                         json_pack("{s:s, s:i}", "do", "count", "number", i),
                         NULL, 0),
            0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(channel_next(pair->ends[1], &message),
                         CHANNEL_MESSAGE);
        assert_string_equal(message.verb, "count");
        assert_int_equal(
            json_integer_value(json_object_get(message.body, "number")), i);
        channel_release(&message);
    }
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_NOTHING);
}

static bool is_same_file(int a, int b)
{
    struct stat one, other;
    assert_int_equal(fstat(a, &one), 0);
    assert_int_equal(fstat(b, &other), 0);
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void descriptors_come_along_and_close_at_an_exec(void **state)
{
    const struct pair *pair = *state;
    struct channel_message message;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(channel_send(pair->ends[0], json_object(), pipes, 2), 0);
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_MESSAGE);
    assert_int_equal(message.descriptor_count, 2);
    int taken = channel_take(&message, 0);
    int left = message.descriptors[1];
    assert_true(is_same_file(taken, pipes[0]));
    assert_int_equal(channel_take(&message, 2), -1);
    assert_int_equal(fcntl(taken, F_GETFD), FD_CLOEXEC);
    channel_release(&message);
    assert_int_equal(fcntl(left, F_GETFD), -1); /* closed */
    assert_int_not_equal(fcntl(taken, F_GETFD), -1);
    close(taken);
    close(pipes[0]);
    close(pipes[1]);
}

static void as_many_as_the_kernel_passes(void **state)
{
    const struct pair *pair = *state;
    struct channel_message message;
    int many[CHANNEL_DESCRIPTORS_MAX + 1];
    for (size_t i = 0; i <= CHANNEL_DESCRIPTORS_MAX; i++)
        many[i] = pair->ends[0];
    assert_int_equal(channel_send(pair->ends[0], json_object(), many,
                                  CHANNEL_DESCRIPTORS_MAX + 1),
                     -1);
    assert_int_equal(channel_send(pair->ends[0], json_object(), many,
                                  CHANNEL_DESCRIPTORS_MAX),
                     0);
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_MESSAGE);
    assert_int_equal(message.descriptor_count, CHANNEL_DESCRIPTORS_MAX);
    channel_release(&message);
}

static void what_makes_no_sense_closes(void **state)
{
    static const char *const cases[] = {"",  "[]",  "{", "{\"do\":1,\"do\":2}",
                                        "7", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct channel_message message;
        int ends[2];
        assert_int_equal(channel_pair(ends), 0);
        assert_int_equal(send(ends[0], cases[i], strlen(cases[i]), 0),
                         strlen(cases[i]));
        assert_int_equal(channel_next(ends[1], &message), CHANNEL_CLOSED);
        close(ends[0]);
        close(ends[1]);
    }
}

static void what_is_too_long_is_not_sent_nor_taken(void **state)
{
    const struct pair *pair = *state;
    struct channel_message message;
    static char text[CHANNEL_OCTETS_MAX + 64];
    memset(text, 'a', sizeof text - 1);
    assert_int_equal(
        channel_send(pair->ends[0], json_pack("{s:s}", "text", text), NULL, 0),
        -1);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + sizeof text - 3, "\"}", 2);
    assert_true(send(pair->ends[0], text, sizeof text - 1, 0) > 0);
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_CLOSED);
}

static void the_end_is_seen(void **state)
{
    struct pair *pair = *state;
    struct channel_message message;
    close(pair->ends[0]);
    pair->ends[0] = -1;
    assert_int_equal(channel_next(pair->ends[1], &message), CHANNEL_CLOSED);
    assert_int_equal(channel_send(pair->ends[1], json_object(), NULL, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_come_whole_and_in_order),
        TEST(descriptors_come_along_and_close_at_an_exec),
        TEST(as_many_as_the_kernel_passes),
        TEST(what_makes_no_sense_closes),
        TEST(what_is_too_long_is_not_sent_nor_taken),
        TEST(the_end_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
