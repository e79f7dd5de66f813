/* A new program takes the place of this one: the same process, the same
 * sockets and worker processes, whose descriptors stay open over the exec. What
 * they are is written into a file in memory. */
#include "proxy/supervisor/supervisor_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/command/subcommands.h"

extern char **environ;

static int execute(struct supervisor *s, int legacy)
{
    char number[16];
    char *arguments[] = {(char *)s->name, "run", "-c", (char *)s->path, NULL};
    sigset_t none;
    snprintf(number, sizeof number, "%d", legacy);
    setenv(SUPERVISOR_LEGACY, number, 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(s->program, arguments, environ);
    int error = errno;
    unsetenv(SUPERVISOR_LEGACY);
    close(legacy);
    errno = error;
    return -1;
}

/* No thread may be left, nor wait for this one. The socket for orders. Whoever
 * reads files begins anew afterwards. */
static int end_threads(struct supervisor *s)
{
    struct order *order;
    order_queue_close(&s->orders);
    while ((order = s->connects) != NULL) {
        s->connects = order->next;
        order_queue_finish(&s->orders, order, NULL);
    }
    while ((order = order_queue_next(&s->orders)) != NULL)
        order_queue_finish(&s->orders, order,
                           control_refusal("the program is being exchanged, "
                                           "ask again"));
    int control = control_server_leave(s->control);
    s->control = NULL;
    return control;
}

static void go_on(struct supervisor *s, int control)
{
    order_queue_open(&s->orders);
    supervisor_block_signals();
    if (control >= 0)
        s->control = control_server_new(control, s->settings->control,
                                        supervisor_verbs, s);
}

/* Comes back only when it fails. */
static void exchange(struct supervisor *s)
{
    int control = end_threads(s);
    int legacy = supervisor_write_legacy(s, control);
    supervisor_keep_legacy(s, control, true);
    if (legacy >= 0)
        (void)execute(s, legacy);
    int error = errno;
    supervisor_keep_legacy(s, control, false);
    supervisor_fail_upgrade(s, "%s can't be executed: %s", s->program,
                            strerrordesc_np(error));
    go_on(s, control);
}

/* --- the program is tried before --- */

static pid_t try_program(const struct supervisor *s)
{
    char *arguments[] = {(char *)s->name, "check", (char *)s->path, NULL};
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    sigset_t none;
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDOUT_FILENO); /* errors stay where logs are */
    execve(s->program, arguments, environ);
    _exit(127);
}

/* To whoever asked, and to the log. */
static void finish(struct supervisor *s, json_t *reply)
{
    if (s->upgrade == NULL)
        json_decref(reply);
    else
        order_queue_finish(&s->orders, s->upgrade, reply);
    s->upgrade = NULL;
}

void supervisor_fail_upgrade(struct supervisor *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->succession_error, sizeof s->succession_error, format, args);
    va_end(args);
    s->succession_state = "failed";
    server_log_write(s->log, SERVER_ERROR,
                     "the upgrade failed, this program goes on: %s",
                     s->succession_error);
    finish(s, control_refusal("%s", s->succession_error));
}

void supervisor_upgrade(struct supervisor *s, struct order *order)
{
    if (s->coming != NULL || s->check != 0 || s->phase != SUPERVISOR_RUNNING) {
        if (order == NULL)
            server_log_write(s->log, SERVER_WARNING,
                             "SIGUSR2 is not heeded: another worker process "
                             "is on its way, or the server stops");
        else
            order_queue_finish(
                &s->orders, order,
                control_refusal("another worker process is on its way, or "
                                "the server stops: ask again"));
        return;
    }
    s->upgrade = order;
    s->check = s->program == NULL ? -1 : try_program(s);
    if (s->check > 0)
        return;
    s->check = 0;
    supervisor_fail_upgrade(s, "%s can't be started",
                            s->program == NULL ? s->name : s->program);
}

void supervisor_on_checked(struct supervisor *s, int status)
{
    s->check = 0;
    if (s->phase != SUPERVISOR_RUNNING || s->coming != NULL ||
        s->renewal != NULL || reloader_is_busy(s->reloader) ||
        atomic_load(&s->under_way) > 0) {
        supervisor_fail_upgrade(s, "another order is under way, ask again");
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FINE) {
        supervisor_fail_upgrade(
            s,
            "the new program refuses the configuration: `%s check %s` says "
            "why",
            s->program, s->path);
    } else {
        server_log_write(s->log, SERVER_INFO, "going over to the program %s",
                         s->program);
        service_manager_reloading(&s->manager);
        finish(s, json_pack("{s:b, s:i}", "ok", 1, "generation",
                            (int)s->generation + 1));
        exchange(s);
    }
}

char *supervisor_find_program(const char *name)
{
    char path[4096];
    if (strchr(name, '/') != NULL)
        return strdup(name);
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0)
        return NULL;
    path[length] = '\0';
    return strdup(path);
}
