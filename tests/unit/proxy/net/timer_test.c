#include "proxy/net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct scene {
    struct loop *loop;
    struct timer *timer;
    uint64_t fired_ms;
    int fired;
};

static void on_timer(void *owner)
{
    struct scene *scene = owner;
    scene->fired++;
    scene->fired_ms = loop_now_ms(scene->loop);
    loop_stop(scene->loop);
}

static int open_scene(void **state)
{
    static struct scene scene;
    scene = (struct scene){.loop = loop_new()};
    scene.timer = timer_new(scene.loop, on_timer, &scene);
    *state = &scene;
    return scene.timer == NULL ? -1 : 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;
    timer_free(scene->timer);
    loop_run(scene->loop);
    loop_free(scene->loop);
    return 0;
}

static void what_is_put_off_comes_once_and_not_before(void **state)
{
    struct scene *scene = *state;
    uint64_t start = loop_now_ms(scene->loop);
    timer_start(scene->timer, 1);
    timer_start(scene->timer, 30);
    timer_start(scene->timer, 40);
    loop_run(scene->loop);
    assert_int_equal(scene->fired, 1);
    assert_true(scene->fired_ms >= start + 40);
}

static void what_is_brought_forward_comes_earlier(void **state)
{
    struct scene *scene = *state;
    uint64_t start = loop_now_ms(scene->loop);
    timer_start(scene->timer, 3600000);
    timer_start(scene->timer, 1);
    loop_run(scene->loop);
    assert_int_equal(scene->fired, 1);
    assert_true(scene->fired_ms < start + 3600000);
}

static void a_stopped_timer_starts_anew(void **state)
{
    struct scene *scene = *state;
    timer_start(scene->timer, 1);
    timer_stop(scene->timer);
    timer_start(scene->timer, UINT64_MAX);
    timer_stop(scene->timer);
    loop_run(scene->loop);
    assert_int_equal(scene->fired, 0);
    timer_start(scene->timer, 1);
    loop_run(scene->loop);
    assert_int_equal(scene->fired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_put_off_comes_once_and_not_before, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(what_is_brought_forward_comes_earlier,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_stopped_timer_starts_anew, open_scene,
                                        close_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
