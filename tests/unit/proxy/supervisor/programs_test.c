#include "proxy/supervisor/programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1000

/* Of who asked. */
struct asker {
    int output, end;
};

static struct program_order order_of(struct asker *asker,
                                     const struct settings *settings,
                                     const char *const *words)
{
    int output[2], end[2];
    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end),
                     0);
    *asker = (struct asker){output[0], end[0]};
    struct program_order order = {.settings = settings,
                                  .words = words,
                                  .output = output[1],
                                  .end = end[1]};
    privileges_keep(&order.rights);
    return order;
}

static const struct settings *snapshot(void)
{
    static struct settings settings = {.references = 1};
    return &settings;
}

static const char *const hanging[] = {"/bin/sh", "-c", "echo on; exec sleep 60",
                                      NULL};

static void ask(struct programs *programs, struct asker *asker,
                const char *const *words)
{
    const struct program_order order = order_of(asker, snapshot(), words);
    programs_take(programs, &order, NOW_MS);
}

static void leave(const struct asker *asker)
{
    close(asker->output);
    close(asker->end);
}

/* Until then it has what the test has open, and who asked seems to be there. */
static void await_start(const struct asker *asker)
{
    char text[3];
    assert_int_equal(read(asker->output, text, sizeof text), sizeof text);
}

static int await_child(struct programs *programs)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    assert_true(pid > 0);
    assert_true(programs_reap(programs, pid, status, NOW_MS));
    return status;
}

static void check_end(const struct asker *asker, enum program_fate fate,
                      int number)
{
    struct program_end end = {0, 0};
    assert_int_equal(recv(asker->end, &end, sizeof end, 0), sizeof end);
    assert_int_equal(end.fate, fate);
    assert_int_equal(end.number, number);
}

static bool has_end(const struct asker *asker)
{
    struct pollfd watched = {.fd = asker->end, .events = POLLIN};
    return poll(&watched, 1, 0) > 0;
}

/* All that it printed. */
static void read_output(const struct asker *asker, char *text, size_t room)
{
    size_t length = 0;
    ssize_t got;
    while ((got = read(asker->output, text + length, room - 1 - length)) > 0)
        length += (size_t)got;
    assert_int_equal(got, 0);
    text[length] = '\0';
}

static void output_and_end_reach_who_asked(void **state)
{
    const char *const words[] = {"/bin/sh", "-c", "echo to\"$0\"; exit $1",
                                 "ken",     "3",  NULL};
    struct programs programs = {0};
    struct asker asker;
    char text[64];
    (void)state;
    ask(&programs, &asker, words);
    read_output(&asker, text, sizeof text);
    assert_string_equal(text, "token\n");
    await_child(&programs);
    check_end(&asker, PROGRAM_EXITED, 3);
    assert_int_equal(programs.count, 0);
    leave(&asker);
}

static void a_signal_is_told(void **state)
{
    const char *const words[] = {"/bin/sh", "-c", "kill -TERM $$", NULL};
    struct programs programs = {0};
    struct asker asker;
    (void)state;
    ask(&programs, &asker, words);
    await_child(&programs);
    check_end(&asker, PROGRAM_KILLED, SIGTERM);
    leave(&asker);
}

static void one_that_is_not_there_is_told(void **state)
{
    const char *const words[] = {"/nowhere/token", NULL};
    struct programs programs = {0};
    struct asker asker;
    (void)state;
    ask(&programs, &asker, words);
    await_child(&programs);
    check_end(&asker, PROGRAM_FAILED, ENOENT);
    leave(&asker);
}

static void another_child_is_none_of_them(void **state)
{
    struct programs programs = {0};
    struct asker asker;
    int status;
    (void)state;
    ask(&programs, &asker, hanging);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(programs_reap(&programs, pid, status, NOW_MS));
    assert_int_equal(programs.count, 1);
    programs_release(&programs);
    assert_true(waitpid(-1, &status, 0) > 0);
    leave(&asker);
}

/* What the supervisor has open, has blocked or ignores is its own. */
static void a_program_gets_nothing_of_the_supervisor(void **state)
{
    const char *const words[] = {
        "/bin/sh", "-c",
        "cd /proc/$$; readlink fd/0; test -e fd/50 || echo gone; "
        "exec grep -E '^(SigBlk|SigIgn|CapEff|NoNewPrivs):' status",
        NULL};
    struct programs programs = {0};
    struct asker asker;
    char text[512];
    sigset_t blocked, before;
    (void)state;
    int stray = fcntl(STDERR_FILENO, F_DUPFD, 50);
    assert_int_equal(stray, 50);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*of_pipe)(int number) = signal(SIGPIPE, SIG_IGN);
    ask(&programs, &asker, words);
    signal(SIGPIPE, of_pipe);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(stray);
    read_output(&asker, text, sizeof text);
    assert_string_equal(text, "/dev/null\ngone\n"
                              "SigBlk:\t0000000000000000\n"
                              "SigIgn:\t0000000000000000\n"
                              "CapEff:\t0000000000000000\n"
                              "NoNewPrivs:\t1\n");
    await_child(&programs);
    leave(&asker);
}

static void a_program_has_the_rights_that_it_is_given(void **state)
{
    const char *const words[] = {"/bin/sh", "-c", "id -u; id -g; id -G", NULL};
    struct programs programs = {0};
    struct asker asker;
    char text[64];
    (void)state;
    if (geteuid() != 0)
        skip();
    struct program_order order = order_of(&asker, snapshot(), words);
    order.rights = (struct privileges){
        .uid = 65534, .gid = 65533, .groups = {65533, 65532}, .group_count = 2};
    programs_take(&programs, &order, NOW_MS);
    read_output(&asker, text, sizeof text);
    assert_string_equal(text, "65534\n65533\n65533 65532\n");
    await_child(&programs);
    leave(&asker);
}

static void so_many_run_at_a_time(void **state)
{
    enum { ASKED = PROGRAMS_RUNNING_MAX + 3 };
    struct programs programs = {0};
    struct asker askers[ASKED];
    (void)state;
    for (size_t i = 0; i < ASKED; i++)
        ask(&programs, &askers[i], hanging);
    assert_int_equal(programs.running, PROGRAMS_RUNNING_MAX);
    assert_int_equal(programs.count, ASKED);
    for (size_t i = 0; i < PROGRAMS_RUNNING_MAX; i++)
        await_start(&askers[i]);
    /* The next in line wants it no more; the one behind does. */
    leave(&askers[PROGRAMS_RUNNING_MAX]);
    leave(&askers[0]);
    programs_watch(&programs, NOW_MS);
    await_child(&programs);
    assert_int_equal(programs.running, PROGRAMS_RUNNING_MAX);
    assert_int_equal(programs.count, PROGRAMS_RUNNING_MAX + 1);
    programs_release(&programs);
    assert_int_equal(programs.count, 0);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    for (size_t i = 1; i < ASKED; i++)
        if (i != PROGRAMS_RUNNING_MAX)
            leave(&askers[i]);
}

static void more_than_may_wait_are_refused(void **state)
{
    struct programs programs = {0};
    struct asker first, last;
    (void)state;
    struct program_order order = order_of(&first, snapshot(), hanging);
    for (size_t i = 0; i < PROGRAMS_MAX; i++) {
        struct program_order another = order;
        another.output = fcntl(order.output, F_DUPFD_CLOEXEC, 0);
        another.end = fcntl(order.end, F_DUPFD_CLOEXEC, 0);
        programs_take(&programs, &another, NOW_MS);
    }
    assert_false(has_end(&first));
    ask(&programs, &last, hanging);
    check_end(&last, PROGRAM_FAILED, EAGAIN);
    programs_release(&programs);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    close(order.output);
    close(order.end);
    leave(&first);
    leave(&last);
}

static void one_that_takes_too_long_is_killed(void **state)
{
    /* With what it has started, which has the output open too. */
    const char *const words[] = {"/bin/sh", "-c", "echo on; sleep 60; echo",
                                 NULL};
    struct programs programs = {0};
    struct asker asker;
    char text[64];
    (void)state;
    ask(&programs, &asker, words);
    await_start(&asker);
    programs_watch(&programs, NOW_MS + PROGRAM_RUN_MS - 1);
    programs_watch(&programs, NOW_MS + PROGRAM_RUN_MS);
    read_output(&asker, text, sizeof text);
    assert_string_equal(text, "");
    await_child(&programs);
    check_end(&asker, PROGRAM_KILLED, SIGKILL);
    leave(&asker);
}

static void one_that_nobody_waits_for_is_killed(void **state)
{
    struct programs programs = {0};
    struct asker asker;
    (void)state;
    ask(&programs, &asker, hanging);
    await_start(&asker);
    programs_watch(&programs, NOW_MS);
    leave(&asker);
    programs_watch(&programs, NOW_MS);
    int status = await_child(&programs);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* As over an exec, but that the descriptor has another number. */
static void those_that_run_are_handed_on(void **state)
{
    struct programs before = {0}, after = {0};
    struct asker asker;
    int status;
    (void)state;
    ask(&before, &asker, hanging);
    json_t *list = programs_to_json(&before);
    json_t *item = json_array_get(list, 0);
    pid_t pid = (pid_t)json_integer_value(json_object_get(item, "process"));
    int end = (int)json_integer_value(json_object_get(item, "end"));
    programs_keep(&before, true);
    assert_int_equal(fcntl(end, F_GETFD), 0);
    json_object_set_new(item, "end", json_integer(dup(end)));
    programs_inherit(&after, list, NOW_MS);
    json_decref(list);
    assert_int_equal(after.running, 1);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(programs_reap(&after, pid, status, NOW_MS));
    check_end(&asker, PROGRAM_KILLED, SIGTERM);
    assert_true(programs_reap(&before, pid, status, NOW_MS));
    leave(&asker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_end_reach_who_asked),
        cmocka_unit_test(a_signal_is_told),
        cmocka_unit_test(one_that_is_not_there_is_told),
        cmocka_unit_test(another_child_is_none_of_them),
        cmocka_unit_test(a_program_gets_nothing_of_the_supervisor),
        cmocka_unit_test(a_program_has_the_rights_that_it_is_given),
        cmocka_unit_test(so_many_run_at_a_time),
        cmocka_unit_test(more_than_may_wait_are_refused),
        cmocka_unit_test(one_that_takes_too_long_is_killed),
        cmocka_unit_test(one_that_nobody_waits_for_is_killed),
        cmocka_unit_test(those_that_run_are_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
