#include "proxy/control/token_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    int channel[2];
    int way[2]; /* any descriptors do */
};

static void set_up(struct scene *scene)
{
    assert_int_equal(channel_pair(scene->channel), 0);
    assert_int_equal(pipe(scene->way), 0);
}

static void tear_down(const struct scene *scene)
{
    for (size_t i = 0; i < 2; i++) {
        close(scene->channel[i]);
        close(scene->way[i]);
    }
}

static void an_order_comes_with_its_descriptors(void **state)
{
    struct scene scene;
    struct channel_message message;
    struct str upstream;
    int got[TOKEN_ORDER_DESCRIPTORS];
    char octet = 0;
    (void)state;
    set_up(&scene);
    assert_int_equal(
        token_order_send(scene.channel[0], STR("relay two"), scene.way), 0);
    assert_int_equal(channel_next(scene.channel[1], &message), CHANNEL_MESSAGE);
    assert_string_equal(message.verb, TOKEN_ORDER);
    assert_int_equal(token_order_read(&message, &upstream, got), 0);
    assert_true(str_equals(upstream, STR("relay two")));
    channel_release(&message);
    assert_int_equal(write(got[1], "x", 1), 1);
    assert_int_equal(read(got[0], &octet, 1), 1);
    assert_int_equal(octet, 'x');
    close(got[0]);
    close(got[1]);
    tear_down(&scene);
}

/* The other side may have been broken into. */
static void what_makes_no_sense_is_refused(void **state)
{
    const struct {
        const char *body;
        size_t descriptors;
    } rows[] = {
        {"{\"do\":\"token\"}", 2},
        {"{\"do\":\"token\",\"upstream\":7}", 2},
        {"{\"do\":\"token\",\"upstream\":\"relay\"}", 1},
        {"{\"do\":\"token\",\"upstream\":\"relay\"}", 0},
        {"{\"do\":\"token\",\"upstream\":\"relay\"}", 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        struct channel_message message;
        struct str upstream;
        int got[TOKEN_ORDER_DESCRIPTORS];
        set_up(&scene);
        const int sent[] = {scene.way[0], scene.way[1], scene.way[1]};
        assert_int_equal(channel_send(scene.channel[0],
                                      json_loads(rows[i].body, 0, NULL), sent,
                                      rows[i].descriptors),
                         0);
        assert_int_equal(channel_next(scene.channel[1], &message),
                         CHANNEL_MESSAGE);
        assert_int_equal(token_order_read(&message, &upstream, got), -1);
        channel_release(&message);
        tear_down(&scene);
    }
}

/* A loop must not stand still because the supervisor does. */
static void a_full_channel_is_told_at_once(void **state)
{
    struct scene scene;
    size_t sent = 0;
    (void)state;
    set_up(&scene);
    while (token_order_send(scene.channel[0], STR("relay"), scene.way) == 0)
        sent++;
    assert_true(sent > 0);
    tear_down(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_comes_with_its_descriptors),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(a_full_channel_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
