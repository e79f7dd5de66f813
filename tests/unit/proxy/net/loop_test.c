#include "proxy/net/loop.h"

#include "proxy/net/job.h"
#include "proxy/net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct diary {
    struct loop *loop;
    struct loop_later first, second;
    struct timer *timer;
    struct wakeup *wakeup;
    char log[32];
    size_t logged;
};

static void note(struct diary *diary, char what)
{
    assert_true(diary->logged < sizeof(diary->log) - 1);
    diary->log[diary->logged++] = what;
}

#define DIARY_OF(field, pointer)                                               \
    ((struct diary *)((char *)(pointer)-offsetof(struct diary, field)))

static void run_second(struct loop_later *later)
{
    note(DIARY_OF(second, later), '2');
}

static void run_first(struct loop_later *later)
{
    struct diary *diary = DIARY_OF(first, later);
    note(diary, '1');
    loop_later(diary->loop, &diary->second);
}

static void init_diary(struct diary *diary)
{
    *diary = (struct diary){.loop = loop_new(),
                            .first = {.run = run_first},
                            .second = {.run = run_second}};
    assert_non_null(diary->loop);
}

static void what_is_put_off_runs_once_though_nothing_else_happens(void **state)
{
    struct diary diary;
    (void)state;
    init_diary(&diary);
    loop_later(diary.loop, &diary.first);
    loop_later(diary.loop, &diary.first);
    loop_run(diary.loop);
    assert_string_equal(diary.log, "12");
    loop_later(diary.loop, &diary.first);
    loop_run(diary.loop);
    assert_string_equal(diary.log, "1212");
    loop_free(diary.loop);
}

static void what_is_left_over_runs_when_the_loop_is_freed(void **state)
{
    struct diary diary;
    (void)state;
    init_diary(&diary);
    loop_later(diary.loop, &diary.first);
    loop_free(diary.loop);
    assert_string_equal(diary.log, "12");
}

static void run_freed(struct loop_later *later)
{
    free(later);
}

static void what_is_put_off_may_free_itself(void **state)
{
    struct loop *loop = loop_new();
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct loop_later *later = calloc(1, sizeof(*later));
        later->run = run_freed;
        loop_later(loop, later);
    }
    loop_run(loop);
    loop_free(loop);
}

static void on_timer(void *owner)
{
    struct diary *diary = owner;
    note(diary, 't');
    loop_later(diary->loop, &diary->first);
    if (diary->logged < 6)
        timer_start(diary->timer, 1);
}

static void put_off_things_follow_the_timer_that_queued_them(void **state)
{
    struct diary diary;
    (void)state;
    init_diary(&diary);
    diary.timer = timer_new(diary.loop, on_timer, &diary);
    timer_start(diary.timer, 60000);
    timer_start(diary.timer, 0);
    loop_run(diary.loop);
    assert_string_equal(diary.log, "t12t12t12");
    timer_free(diary.timer);
    loop_free(diary.loop);
}

static void on_forbidden(void *owner)
{
    (void)owner;
    fail();
}

static void a_stopped_or_freed_timer_never_fires(void **state)
{
    struct loop *loop = loop_new();
    struct timer *stopped = timer_new(loop, on_forbidden, NULL);
    struct timer *freed = timer_new(loop, on_forbidden, NULL);
    (void)state;
    timer_start(stopped, 0);
    timer_start(freed, 0);
    timer_stop(stopped);
    timer_free(freed);
    loop_run(loop);
    timer_free(stopped);
    timer_free(NULL);
    loop_free(loop);
}

static void free_timer(void *owner)
{
    struct diary *diary = owner;
    timer_free(diary->timer);
}

static void a_timer_may_be_freed_in_its_own_call(void **state)
{
    struct diary diary;
    (void)state;
    init_diary(&diary);
    diary.timer = timer_new(diary.loop, free_timer, &diary);
    timer_start(diary.timer, 0);
    loop_run(diary.loop);
    loop_free(diary.loop);
}

static void on_wakeup(void *owner)
{
    struct diary *diary = owner;
    if (diary->logged == 0 || diary->log[diary->logged - 1] != 'w')
        note(diary, 'w');
    wakeup_free(diary->wakeup);
    diary->wakeup = NULL;
}

struct waking_job {
    struct job job;
    struct diary *diary;
};

static void wake(struct job *job)
{
    struct waking_job *waking = (struct waking_job *)job;
    wakeup_wake(waking->diary->wakeup);
    wakeup_wake(waking->diary->wakeup);
}

static void free_job(struct job *job)
{
    struct waking_job *waking = (struct waking_job *)job;
    loop_later(waking->diary->loop, &waking->diary->first);
    free(waking);
}

static void a_job_wakes_the_loop_from_its_thread(void **state)
{
    struct diary diary;
    (void)state;
    init_diary(&diary);
    diary.wakeup = wakeup_new(diary.loop, on_wakeup, &diary);
    struct waking_job *waking = calloc(1, sizeof(*waking));
    waking->job = (struct job){.work = wake, .done = free_job};
    waking->diary = &diary;
    assert_int_equal(job_start(diary.loop, &waking->job), 0);
    loop_run(diary.loop);
    assert_non_null(strchr(diary.log, 'w'));
    assert_non_null(strstr(diary.log, "12"));
    loop_free(diary.loop);
}

static void clocks_go_forward(void **state)
{
    struct loop *loop = loop_new();
    (void)state;
    uint64_t before = loop_clock_us(loop);
    assert_true(loop_clock_us(loop) >= before);
    assert_true(loop_now_ms(loop) <= loop_clock_us(loop) / 1000);
    /* Later than the first day of 2020. */
    assert_true(loop_wall_us(loop) > UINT64_C(1577836800000000));
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_off_runs_once_though_nothing_else_happens),
        cmocka_unit_test(what_is_left_over_runs_when_the_loop_is_freed),
        cmocka_unit_test(what_is_put_off_may_free_itself),
        cmocka_unit_test(put_off_things_follow_the_timer_that_queued_them),
        cmocka_unit_test(a_stopped_or_freed_timer_never_fires),
        cmocka_unit_test(a_timer_may_be_freed_in_its_own_call),
        cmocka_unit_test(a_job_wakes_the_loop_from_its_thread),
        cmocka_unit_test(clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
