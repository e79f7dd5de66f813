/* For LD_PRELOAD: to wait an hour or more for an order is over soon when none
 * comes, and the clock that time() reads has gone on by as much; two days of
 * them, and an hour, for the machine's clock may be set back meanwhile. The
 * other clocks stay as they are. */
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <sys/syscall.h>
#include <unistd.h>

#define HOURS 49
#define HOUR_MS (60 * 60 * 1000)
/* Orders that are on their way come before the hour is over. */
#define SOON_MS 20

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

int poll(struct pollfd *watched, nfds_t count, int longest_ms)
{
    if (longest_ms < HOUR_MS || atomic_load(&hours) >= HOURS)
        return (int)syscall(SYS_poll, watched, count, longest_ms);
    int ready = (int)syscall(SYS_poll, watched, count, SOON_MS);
    if (ready == 0) {
        atomic_fetch_add(&hours, 1);
        atomic_fetch_add(&passed, longest_ms / 1000);
    }
    return ready;
}
