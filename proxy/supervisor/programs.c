/* Those that run stand before those that wait. */
#include "proxy/supervisor/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Out of the way of standard input, output and error. */
#define FIRST_DESCRIPTOR 3

struct program_run {
    struct program_run *next;
    struct program_order order; /* output -1: it has begun */
    pid_t pid;                  /* 0: it waits */
    uint64_t kill_ms;
};

static void tell(int end, enum program_fate fate, int number)
{
    const struct program_end message = {(int32_t)fate, number};
    (void)send(end, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void programs_refuse(int end, enum program_fate fate, int number)
{
    tell(end, fate, number);
    close(end);
}

/* --- the program --- */

/* What a program would take for an order, or would miss. */
static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child; nothing here may need a lock that another thread held. Of what
 * the supervisor has open standard error alone is inherited. */
static void become_program(const struct program_order *order)
{
    char error[120];
    int end = fcntl(order->end, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    int output = fcntl(order->output, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    int nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
    reset_signals();
    (void)setsid(); /* no terminal, and what it starts can be killed with it */
    if (end < 0)
        _exit(127);
    if (output >= 0 && nowhere >= 0 && dup2(nowhere, STDIN_FILENO) >= 0 &&
        dup2(output, STDOUT_FILENO) >= 0 &&
        fcntl(STDIN_FILENO, F_SETFD, 0) == 0 &&
        privileges_drop(&order->rights, error, sizeof error) == 0) {
        (void)close_range(FIRST_DESCRIPTOR, ~0U, CLOSE_RANGE_CLOEXEC);
        execv(order->words[0], (char **)(uintptr_t)order->words);
    }
    tell(end, PROGRAM_FAILED, errno == 0 ? EPERM : errno);
    _exit(127);
}

static void signal_group(pid_t pid)
{
    if (kill(-pid, SIGKILL) != 0) /* not yet one of its own */
        (void)kill(pid, SIGKILL);
}

/* --- the list --- */

static void drop(struct programs *programs, struct program_run *run)
{
    struct program_run **at = &programs->first;
    while (*at != run)
        at = &(*at)->next;
    *at = run->next;
    programs->count--;
    programs->running -= run->pid > 0;
    if (run->order.output >= 0)
        close(run->order.output);
    close(run->order.end);
    settings_unref(run->order.settings);
    free(run);
}

static bool is_wanted(const struct program_run *run)
{
    struct pollfd watched = {.fd = run->order.end};
    return poll(&watched, 1, 0) <= 0 ||
           (watched.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

static void begin(struct programs *programs, struct program_run *run,
                  uint64_t now_ms)
{
    pid_t pid = fork();
    if (pid == 0)
        become_program(&run->order);
    if (pid < 0) {
        tell(run->order.end, PROGRAM_FAILED, errno);
        drop(programs, run);
        return;
    }
    close(run->order.output);
    run->order.output = -1;
    run->pid = pid;
    run->kill_ms = now_ms + PROGRAM_RUN_MS;
    programs->running++;
}

static void begin_waiting(struct programs *programs, uint64_t now_ms)
{
    struct program_run *next;
    for (struct program_run *run = programs->first;
         run != NULL && programs->running < PROGRAMS_RUNNING_MAX; run = next) {
        next = run->next;
        if (run->pid == 0 && !is_wanted(run))
            drop(programs, run);
        else if (run->pid == 0)
            begin(programs, run, now_ms);
    }
}

static struct program_run *append(struct programs *programs)
{
    struct program_run *run =
        programs->count < PROGRAMS_MAX ? calloc(1, sizeof *run) : NULL;
    if (run == NULL)
        return NULL;
    struct program_run **at = &programs->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = run;
    programs->count++;
    return run;
}

/* --- what the supervisor does with them --- */

void programs_take(struct programs *programs, const struct program_order *order,
                   uint64_t now_ms)
{
    struct program_run *run = append(programs);
    if (run == NULL) {
        close(order->output);
        programs_refuse(order->end, PROGRAM_FAILED, EAGAIN);
        return;
    }
    run->order = *order;
    run->order.settings = settings_ref(order->settings);
    begin_waiting(programs, now_ms);
}

bool programs_reap(struct programs *programs, pid_t pid, int status,
                   uint64_t now_ms)
{
    struct program_run *run = programs->first;
    while (run != NULL && run->pid != pid)
        run = run->next;
    if (run == NULL)
        return false;
    if (WIFSIGNALED(status))
        tell(run->order.end, PROGRAM_KILLED, WTERMSIG(status));
    else
        tell(run->order.end, PROGRAM_EXITED, WEXITSTATUS(status));
    drop(programs, run);
    begin_waiting(programs, now_ms);
    return true;
}

void programs_watch(struct programs *programs, uint64_t now_ms)
{
    for (struct program_run *run = programs->first; run != NULL;
         run = run->next)
        if (run->pid > 0 && (now_ms >= run->kill_ms || !is_wanted(run)))
            signal_group(run->pid);
}

void programs_release(struct programs *programs)
{
    while (programs->first != NULL) {
        if (programs->first->pid > 0)
            signal_group(programs->first->pid);
        drop(programs, programs->first);
    }
}

/* --- over an exec --- */

json_t *programs_to_json(const struct programs *programs)
{
    json_t *list = json_array();
    for (const struct program_run *run = programs->first; run != NULL;
         run = run->next)
        if (run->pid > 0)
            json_array_append_new(list, json_pack("{s:I, s:i}", "process",
                                                  (json_int_t)run->pid, "end",
                                                  run->order.end));
    return list;
}

void programs_keep(const struct programs *programs, bool is_kept)
{
    for (const struct program_run *run = programs->first; run != NULL;
         run = run->next)
        if (run->pid > 0)
            (void)fcntl(run->order.end, F_SETFD, is_kept ? 0 : FD_CLOEXEC);
}

void programs_inherit(struct programs *programs, const json_t *list,
                      uint64_t now_ms)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        int end = (int)json_integer_value(json_object_get(item, "end"));
        struct program_run *run = append(programs);
        (void)fcntl(end, F_SETFD, FD_CLOEXEC);
        if (run == NULL) {
            close(end);
            continue;
        }
        run->order = (struct program_order){.output = -1, .end = end};
        run->pid = (pid_t)json_integer_value(json_object_get(item, "process"));
        run->kill_ms = now_ms + PROGRAM_RUN_MS;
        programs->running++;
    }
}
