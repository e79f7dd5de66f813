#include "proxy/supervisor/worker_handle.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "proxy/control/channel.h"
#include "proxy/server/worker_process.h"

extern char **environ;

static const char *const names[WORKER_STATES] = {
    [WORKER_NONE] = "none",         [WORKER_PREPARING] = "preparing",
    [WORKER_PREPARED] = "prepared", [WORKER_ENTERING] = "entering",
    [WORKER_SERVING] = "serving",   [WORKER_RETIRING] = "retiring",
    [WORKER_RETIRED] = "retired",   [WORKER_DRAINING] = "draining",
    [WORKER_STOPPING] = "stopping",
};

#define BIT(state) (1u << (state))

/* Whatever it does a process may be stopped, and may end. */
static const unsigned edges[WORKER_STATES] = {
    [WORKER_NONE] = BIT(WORKER_PREPARING) | BIT(WORKER_SERVING) |
                    BIT(WORKER_DRAINING) | BIT(WORKER_STOPPING),
    [WORKER_PREPARING] = BIT(WORKER_PREPARED) | BIT(WORKER_STOPPING),
    [WORKER_PREPARED] = BIT(WORKER_ENTERING) | BIT(WORKER_STOPPING),
    [WORKER_ENTERING] = BIT(WORKER_SERVING) | BIT(WORKER_STOPPING),
    [WORKER_SERVING] = BIT(WORKER_RETIRING) | BIT(WORKER_STOPPING),
    [WORKER_RETIRING] = BIT(WORKER_RETIRED) | BIT(WORKER_STOPPING),
    [WORKER_RETIRED] =
        BIT(WORKER_ENTERING) | BIT(WORKER_DRAINING) | BIT(WORKER_STOPPING),
    [WORKER_DRAINING] = BIT(WORKER_STOPPING),
    [WORKER_STOPPING] = BIT(WORKER_STOPPING),
};

const char *worker_state_name(enum worker_state state)
{
    return names[state];
}

void worker_handle_enter(struct worker_handle *handle, enum worker_state state,
                         uint64_t now_ms)
{
    assert(state == WORKER_NONE || (edges[handle->state] & BIT(state)) != 0);
    handle->state = state;
    handle->since_ms = now_ms;
}

/* In the child; nothing here may need a lock that another thread held. */
static void become_worker(int executable, const char *name, int channel)
{
    char *arguments[] = {(char *)name, "worker", NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (channel == WORKER_CHANNEL)
        (void)fcntl(channel, F_SETFD, 0);
    else if (dup2(channel, WORKER_CHANNEL) < 0)
        _exit(127);
    fexecve(executable, arguments, environ);
    _exit(127);
}

int worker_handle_start(struct worker_handle *handle, int executable,
                        const char *name, const struct settings *settings,
                        int bundle, uint64_t now_ms)
{
    int channel[2], orders[2];
    if (channel_pair(channel) != 0)
        return -1;
    if (channel_pair(orders) != 0) {
        close(channel[0]);
        close(channel[1]);
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0)
        become_worker(executable, name, channel[1]);
    close(channel[1]);
    *handle = (struct worker_handle){
        .pid = pid, .channel = channel[0], .orders = orders[0]};
    handle->settings = settings_ref(settings);
    handle->bundle = fcntl(bundle, F_DUPFD_CLOEXEC, 0);
    handle->heard_ms = now_ms;
    worker_handle_enter(handle, WORKER_PREPARING, now_ms);
    if (pid > 0 &&
        channel_send(handle->channel, json_pack("{s:s}", "do", "orders"),
                     &orders[1], 1) == 0) {
        close(orders[1]);
        return 0;
    }
    close(orders[1]);
    if (pid > 0)
        return 0; /* it has died already, which will be seen */
    worker_handle_release(handle);
    return -1;
}

void worker_handle_tell(const struct worker_handle *handle, const char *what)
{
    (void)channel_send(handle->channel, json_pack("{s:s}", "do", what), NULL,
                       0);
}

void worker_handle_release(struct worker_handle *handle)
{
    close(handle->channel);
    close(handle->orders);
    if (handle->bundle >= 0)
        close(handle->bundle);
    settings_unref(handle->settings);
    *handle = (struct worker_handle){.channel = -1, .orders = -1, .bundle = -1};
}
