/* For LD_PRELOAD: waits for signals of an hour or more are over at once, and
 * the clock that time() reads has gone on by as much; two days of them, and an
 * hour, for the machine's clock may be set back meanwhile. The other clocks
 * stay as they are. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <sys/syscall.h>
#include <unistd.h>

#define HOURS 49

static atomic_int hours;
static atomic_long passed;

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    time_t seconds = now.tv_sec + (time_t)atomic_load(&passed);
    if (out != NULL)
        *out = seconds;
    return seconds;
}

int sigtimedwait(const sigset_t *signals, siginfo_t *information,
                 const struct timespec *longest)
{
    if (longest->tv_sec >= 60 * 60 && atomic_load(&hours) < HOURS) {
        atomic_fetch_add(&hours, 1);
        atomic_fetch_add(&passed, longest->tv_sec);
        errno = EAGAIN;
        return -1;
    }
    return (int)syscall(SYS_rt_sigtimedwait, signals, information, longest,
                        (size_t)8 /* of the kernel's set of signals */);
}
