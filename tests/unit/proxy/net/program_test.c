/* The test is who runs the program. */
#include "proxy/net/program.h"

#include "proxy/net/program_end.h"
#include "proxy/net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 60000
#define ROOM 16

struct scene {
    struct loop *loop;
    bool is_deaf; /* nobody takes the order */
    char name[32];
    int ends[PROGRAM_DESCRIPTORS]; /* -1: closed */
    struct program *program;
    unsigned told;
    char output[64], error[120];
};

static int run(void *owner, struct str name,
               const int descriptors[PROGRAM_DESCRIPTORS])
{
    struct scene *scene = owner;
    if (scene->is_deaf)
        return -1;
    snprintf(scene->name, sizeof scene->name, "%.*s", (int)name.n, name.p);
    for (size_t i = 0; i < PROGRAM_DESCRIPTORS; i++)
        scene->ends[i] = dup(descriptors[i]);
    return 0;
}

static void on_done(void *owner, struct str output, const char *error)
{
    struct scene *scene = owner;
    scene->told++;
    snprintf(scene->output, sizeof scene->output, "%.*s", (int)output.n,
             output.p);
    snprintf(scene->error, sizeof scene->error, "%s",
             error == NULL ? "" : error);
}

static void start(struct scene *scene, bool is_deaf, uint64_t timeout_ms)
{
    const struct program_runner runner = {run, scene};
    *scene = (struct scene){
        .loop = loop_new(), .is_deaf = is_deaf, .ends = {-1, -1}};
    assert_non_null(scene->loop);
    scene->program = program_start(scene->loop, &runner, STR("relay"),
                                   timeout_ms, ROOM, on_done, scene);
    assert_non_null(scene->program);
    assert_int_equal(scene->told, 0);
}

static void print(struct scene *scene, const char *text)
{
    size_t n = strlen(text);
    assert_int_equal(write(scene->ends[PROGRAM_OUTPUT], text, n), n);
}

static void hang_up(struct scene *scene, int which)
{
    close(scene->ends[which]);
    scene->ends[which] = -1;
}

static void tell(struct scene *scene, enum program_fate fate, int number)
{
    const struct program_end end = {(int32_t)fate, number};
    assert_int_equal(send(scene->ends[PROGRAM_END], &end, sizeof end, 0),
                     sizeof end);
}

/* Until nothing is left to wait for. */
static void check(struct scene *scene, const char *output, const char *error)
{
    loop_run(scene->loop);
    assert_int_equal(scene->told, 1);
    assert_string_equal(scene->output, output);
    assert_string_equal(scene->error, error);
    for (int i = 0; i < PROGRAM_DESCRIPTORS; i++)
        if (scene->ends[i] >= 0)
            hang_up(scene, i);
    loop_free(scene->loop);
}

static void what_it_printed_is_given(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, LONG_MS);
    assert_string_equal(scene.name, "relay");
    print(&scene, "to");
    print(&scene, "ken\n");
    hang_up(&scene, PROGRAM_OUTPUT);
    tell(&scene, PROGRAM_EXITED, 0);
    check(&scene, "token\n", "");
}

struct late {
    struct scene scene;
    struct timer *timer;
};

static void on_late(void *owner)
{
    struct late *late = owner;
    assert_int_equal(late->scene.told, 0);
    print(&late->scene, "late");
    hang_up(&late->scene, PROGRAM_OUTPUT);
    timer_free(late->timer);
}

/* Its output may still be on the way when its end is told. */
static void all_of_the_output_is_waited_for(void **state)
{
    struct late late;
    (void)state;
    start(&late.scene, false, LONG_MS);
    tell(&late.scene, PROGRAM_EXITED, 0);
    late.timer = timer_new(late.scene.loop, on_late, &late);
    timer_start(late.timer, 5);
    check(&late.scene, "late", "");
}

static void how_it_failed_is_told(void **state)
{
    const struct {
        enum program_fate fate;
        int number;
        const char *want;
    } rows[] = {
        {PROGRAM_EXITED, 3, "exit code 3"},
        {PROGRAM_KILLED, SIGKILL, "killed by signal 9"},
        {PROGRAM_FAILED, ENOENT, "no such file or directory"},
        {PROGRAM_UNKNOWN, 0, "the configuration has it no more"},
        {PROGRAM_NO_USER, 0,
         "there is no user to run it as: see what the supervisor logs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene scene;
        start(&scene, false, LONG_MS);
        print(&scene, "half a tok");
        tell(&scene, rows[i].fate, rows[i].number);
        tell(&scene, PROGRAM_EXITED, 127); /* the first one counts */
        hang_up(&scene, PROGRAM_OUTPUT);
        check(&scene, "", rows[i].want);
    }
}

static void an_end_that_is_not_told_is_a_failure(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, LONG_MS);
    print(&scene, "token");
    hang_up(&scene, PROGRAM_OUTPUT);
    hang_up(&scene, PROGRAM_END);
    check(&scene, "",
          "the supervisor does not tell how it ended: it is gone, or was "
          "exchanged");
}

static void an_end_that_is_cut_short_is_a_failure(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, LONG_MS);
    hang_up(&scene, PROGRAM_OUTPUT);
    assert_int_equal(send(scene.ends[PROGRAM_END], "\1", 1, 0), 1);
    loop_run(scene.loop);
    assert_true(scene.error[0] != '\0');
    hang_up(&scene, PROGRAM_END);
    loop_free(scene.loop);
}

static void too_much_is_given_up(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, LONG_MS);
    print(&scene, "as long as it may be");
    check(&scene, "", "it printed too much");
}

static void what_hangs_is_given_up(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, 1);
    check(&scene, "", "it took too long");
}

static void nobody_who_would_run_it_is_told(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, true, LONG_MS);
    check(&scene, "", "the supervisor, which would run it, does not listen");
}

static void without_a_runner_it_is_the_same(void **state)
{
    const struct program_runner none = {NULL, NULL};
    struct scene scene = {.loop = loop_new(), .ends = {-1, -1}};
    (void)state;
    scene.program = program_start(scene.loop, &none, STR("relay"), LONG_MS,
                                  ROOM, on_done, &scene);
    check(&scene, "", "the supervisor, which would run it, does not listen");
}

/* Whoever runs the program sees it, and ends it. */
static void one_that_is_cancelled_tells_nothing(void **state)
{
    struct scene scene;
    (void)state;
    start(&scene, false, LONG_MS);
    program_cancel(scene.program);
    loop_run(scene.loop);
    assert_int_equal(scene.told, 0);
    struct pollfd watched = {.fd = scene.ends[PROGRAM_END]};
    assert_int_equal(poll(&watched, 1, 0), 1);
    assert_true((watched.revents & POLLHUP) != 0);
    assert_int_equal(write(scene.ends[PROGRAM_OUTPUT], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    hang_up(&scene, PROGRAM_OUTPUT);
    hang_up(&scene, PROGRAM_END);
    loop_free(scene.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_printed_is_given),
        cmocka_unit_test(all_of_the_output_is_waited_for),
        cmocka_unit_test(how_it_failed_is_told),
        cmocka_unit_test(an_end_that_is_not_told_is_a_failure),
        cmocka_unit_test(an_end_that_is_cut_short_is_a_failure),
        cmocka_unit_test(too_much_is_given_up),
        cmocka_unit_test(what_hangs_is_given_up),
        cmocka_unit_test(nobody_who_would_run_it_is_told),
        cmocka_unit_test(without_a_runner_it_is_the_same),
        cmocka_unit_test(one_that_is_cancelled_tells_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
