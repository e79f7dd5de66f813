/* What the decision log costs a worker: processor time of its thread for a
 * transaction, from noting the header to the line's being with the writer,
 * whose own time is not in it. With lines one behind the other, and with one in
 * a while, when the writer sleeps in between and is to be woken.
 *
 *     log_bench
 *     log_bench --run LINES        for a profiler, the lines dropped
 *
 * Nothing here passes or fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/log/logged_transaction.h"

#define TURNS 9
#define LINES 2000
#define PAUSE_NS 200000

static struct decision_log *open_log(const char *path)
{
    const struct log_settings settings = {.decisions = path};
    struct diags diags;
    diags_init(&diags);
    struct decision_log *log = decision_log_new(&settings, &diags);
    if (log == NULL) {
        diags_print(&diags, stderr);
        exit(1);
    }
    diags_release(&diags);
    return log;
}

/* As a worker has one; it lasts as long as the log. */
static struct decision_lane *lane_of(struct decision_log *log)
{
    struct decision_lane *lane = decision_log_lane(log);
    if (lane == NULL)
        abort();
    return lane;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

typedef void work(struct logged_transaction *logged);

static void do_nothing(struct logged_transaction *logged)
{
    (void)logged;
}

static double turn_us(struct logged_transaction *logged, work *once,
                      bool is_paused)
{
    const struct timespec pause = {0, PAUSE_NS};
    double spent = 0;
    for (size_t i = 0; i < LINES; i++) {
        if (is_paused)
            nanosleep(&pause, NULL);
        double begun = now_us();
        once(logged);
        spent += now_us() - begun;
    }
    return spent / LINES;
}

/* The best of several turns, without what looking at the clock takes. */
static double cost_us(struct logged_transaction *logged, work *once,
                      bool is_paused)
{
    double best = 1e9, clock_us = 1e9;
    for (size_t i = 0; i < TURNS; i++) {
        double one = turn_us(logged, once, is_paused);
        double clock = turn_us(logged, do_nothing, is_paused);
        best = one < best ? one : best;
        clock_us = clock < clock_us ? clock : clock_us;
    }
    return best - clock_us;
}

static void run(size_t lines)
{
    struct decision_log *log = open_log(NULL);
    struct logged_transaction *logged = logged_transaction_new(lane_of(log));
    for (size_t i = 0; i < lines; i++) {
        logged_transaction_capture(logged);
        logged_transaction_write(logged);
    }
    logged_transaction_free(logged);
    decision_log_free(log);
}

static void bench(struct decision_log *log, const char *name, bool is_paused)
{
    struct logged_transaction *logged = logged_transaction_new(lane_of(log));
    logged_transaction_capture(logged);
    double capture = cost_us(logged, logged_transaction_capture, is_paused);
    double write = cost_us(logged, logged_transaction_write, is_paused);
    printf("%-28s %6.2f us: the header %.2f, the line %.2f\n", name,
           capture + write, capture, write);
    logged_transaction_free(logged);
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/log_bench_XXXXXX";
    if (argc == 3 && strcmp(argv[1], "--run") == 0) {
        run(strtoul(argv[2], NULL, 10));
        return 0;
    }
    int fd = mkstemp(path);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    struct decision_log *dropped = open_log(NULL), *written = open_log(path);
    bench(dropped, "lines that are dropped", false);
    bench(dropped, "dropped, one in 0.2 ms", true);
    bench(written, "one behind the other", false);
    bench(written, "one in 0.2 ms", true);
    decision_log_free(written);
    decision_log_free(dropped);
    unlink(path);
    close(fd);
    return 0;
}
