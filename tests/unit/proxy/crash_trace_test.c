/* Each crash happens in a process of its own, whose trace is read. */
#include "proxy/crash_trace.h"

#include "proxy/confine/syscall_rows.h"
#include "proxy/confine/syscalls.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char trace[16384];

/* Not static and not folded into their callers, and they would go on, so that
 * they have a name in the trace. */
void crash_by_address(void);
void crash_by_division(void);
void crash_by_instruction(void);
void crash_by_mapping(void);
void crash_by_assertion(void);
void crash_by_forbidden_call(void);
void crash_in_thread(void);
void crash_by_depth(void);

static volatile int zero;
/* Behind the call there is something to do, so that it is no jump. */
static volatile int behind;

__attribute__((noinline)) void crash_by_address(void)
{
    *(volatile int *)(uintptr_t)(0x1230 + zero) = 1;
    behind = 1;
}

__attribute__((noinline)) void crash_by_division(void)
{
    raise(SIGFPE);
    behind = 1;
}

__attribute__((noinline)) void crash_by_instruction(void)
{
    raise(SIGILL);
    behind = 1;
}

__attribute__((noinline)) void crash_by_mapping(void)
{
    FILE *file = tmpfile();
    volatile char *octets =
        file == NULL ? NULL
                     : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    behind = octets[0]; /* behind the end of the file */
    behind = 1;
}

__attribute__((noinline)) void crash_by_assertion(void)
{
    raise(SIGABRT);
    behind = 1;
}

__attribute__((noinline)) void crash_by_forbidden_call(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (syscalls_restrict() == 0)
        execl("/bin/true", "true", NULL);
    behind = 1;
}

static void *run(void *argument)
{
    struct crash_stack *stack = crash_stack_new(*(int *)argument, "worker");
    crash_by_address();
    crash_stack_free(stack);
    return NULL;
}

static int write_end;

__attribute__((noinline)) void crash_in_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run, &write_end);
    pthread_join(thread, NULL);
}

static volatile bool goes_on = true;

/* Its own stack is what runs out. */
__attribute__((noinline)) void crash_by_depth(void)
{
    volatile char much[4096];
    much[0] = 1;
    if (goes_on)
        crash_by_depth();
    behind = much[0];
}

static void read_trace(int fd)
{
    size_t n = 0;
    ssize_t got = 1;
    while (got > 0 && n < sizeof trace - 1) {
        got = read(fd, trace + n, sizeof trace - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    trace[n] = '\0';
}

/* The signal that ended it, and the trace. */
static int crash(void (*how)(void), pid_t *child)
{
    int ends[2], status = 0;
    const struct rlimit none = {0, 0};
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    *child = fork();
    if (*child == 0) {
        close(ends[0]);
        write_end = ends[1];
        setrlimit(RLIMIT_CORE, &none);
        if (crash_trace_arm() != 0 ||
            crash_stack_new(ends[1], "worker") == NULL)
            _exit(1);
        how();
        _exit(0);
    }
    close(ends[1]);
    read_trace(ends[0]);
    close(ends[0]);
    assert_int_equal(waitpid(*child, &status, 0), *child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

struct way {
    void (*how)(void);
    int signal_number;
    const char *head; /* behind the process's number */
    const char *function;
};

static void check(const struct way *way)
{
    char head[128];
    pid_t child = 0;
    int signal_number = crash(way->how, &child);
    snprintf(head, sizeof head, "postern: worker %d crashed: %s\n", (int)child,
             way->head);
    if (signal_number != way->signal_number ||
        strncmp(trace, head, strlen(head)) != 0 ||
        strstr(trace, way->function) == NULL ||
        strstr(trace, "\npostern: end of the trace\n") == NULL)
        fail_msg("signal %d, trace: %s", signal_number, trace);
}

static void a_crash_names_its_function(void **state)
{
    (void)state;
    static const struct way ways[] = {
        {crash_by_address, SIGSEGV, "SIGSEGV at 0x1230", "crash_by_address"},
        {crash_by_division, SIGFPE, "SIGFPE", "crash_by_division"},
        {crash_by_instruction, SIGILL, "SIGILL", "crash_by_instruction"},
        {crash_by_assertion, SIGABRT, "SIGABRT", "crash_by_assertion"},
        {crash_in_thread, SIGSEGV, "SIGSEGV at 0x1230", "crash_by_address"},
    };
    /* A sanitizer tells of these. */
    for (size_t i = 0; !CONFINE_SANITIZED && i < sizeof ways / sizeof *ways;
         i++)
        check(&ways[i]);
}

static void addresses_that_change_are_told_too(void **state)
{
    pid_t child = 0;
    (void)state;
    if (CONFINE_SANITIZED)
        return;
    assert_int_equal(crash(crash_by_mapping, &child), SIGBUS);
    assert_non_null(strstr(trace, "crashed: SIGBUS at 0x"));
    assert_non_null(strstr(trace, "crash_by_mapping"));
    assert_int_equal(crash(crash_by_depth, &child), SIGSEGV);
    assert_non_null(strstr(trace, "crashed: SIGSEGV at 0x"));
    assert_non_null(strstr(trace, "crash_by_depth"));
}

static void a_forbidden_call_is_named(void **state)
{
    char head[64];
    (void)state;
    snprintf(head, sizeof head, "SIGSYS, system call %d execve",
             (int)SYS_execve);
    const struct way way = {crash_by_forbidden_call, SIGSYS, head,
                            "crash_by_forbidden_call"};
    check(&way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_names_its_function),
        cmocka_unit_test(addresses_that_change_are_told_too),
        cmocka_unit_test(a_forbidden_call_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
