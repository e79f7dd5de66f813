#include "tests/bench/load/load_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

struct figures {
    double wall_s, phase_s, processor_s;
};

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double timeval_s(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* From the first MAIL, or from the barrier, to the last final reply. Where
 * each message has a connection of its own, connecting is part of the work. */
static double phase_s(const struct load *load)
{
    bool is_whole =
        load->options->per_connection == 1 || load->last_ns <= load->first_ns;
    uint64_t from_ns = is_whole ? load->started_ns : load->first_ns;
    if (load->last_ns > from_ns)
        return seconds_between(from_ns, load->last_ns);
    return seconds_between(load->started_ns, load->ended_ns);
}

static struct figures figures_of(const struct load *load)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (struct figures){
        .wall_s = seconds_between(load->started_ns, load->ended_ns),
        .phase_s = phase_s(load),
        .processor_s = timeval_s(usage.ru_utime) + timeval_s(usage.ru_stime)};
}

static double per_second(double count, double seconds)
{
    return seconds > 0 ? count / seconds : 0;
}

static void print_done(const struct load *load, const struct figures *figures)
{
    if (load->options->idle > 0)
        printf("idle: %" PRIu64 " opened, %" PRIu64
               " still open after %.1f s, %" PRIu64 " lost\n",
               load->idle_held, load->idle_left,
               load->held_ns == 0
                   ? 0
                   : seconds_between(load->held_ns, load->ended_ns),
               load->idle_lost);
    else
        printf("%" PRIu64 " messages in %.3f s: %.1f msgs/s, %.2f MB/s\n",
               load->done, figures->phase_s,
               per_second((double)load->done, figures->phase_s),
               per_second((double)load->done_octets / 1e6, figures->phase_s));
}

static void print_for_people(const struct load *load,
                             const struct figures *figures)
{
    const struct samples *latencies = &load->latencies_ms;
    const struct samples *set_ups = &load->set_ups_ms;
    print_done(load, figures);
    printf("latency ms (MAIL to final reply): "
           "p50 %.3f  p90 %.3f  p99 %.3f  max %.3f\n",
           samples_at(latencies, .5), samples_at(latencies, .9),
           samples_at(latencies, .99), samples_at(latencies, 1));
    printf("session set-up ms (connect to ready): "
           "p50 %.3f  p99 %.3f  max %.3f\n",
           samples_at(set_ups, .5), samples_at(set_ups, .99),
           samples_at(set_ups, 1));
    printf("connections %" PRIu64 " ready %" PRIu64 "; TLS handshakes %" PRIu64
           " (%.1f/s, resumed %" PRIu64 "); client CPU %.2f s\n",
           load->opened, load->set_up, load->handshakes,
           per_second((double)load->handshakes, figures->wall_s), load->resumed,
           figures->processor_s);
    printf("rejected %" PRIu64 ", non-2xx replies %" PRIu64 ", errors %" PRIu64
           ", final replies that carry the sink's text %" PRIu64 "\n",
           load->refused, load->negative_replies, load->errors,
           load->sink_texts);
}

/* For scripts: names stay as they are. */
static void print_result(const struct load *load, const struct figures *figures)
{
    const struct samples *latencies = &load->latencies_ms;
    const struct samples *set_ups = &load->set_ups_ms;
    printf("RESULT msgs=%" PRIu64 " wall_s=%.3f phase_s=%.3f msgs_per_s=%.1f"
           " mb_per_s=%.2f",
           load->done, figures->wall_s, figures->phase_s,
           per_second((double)load->done, figures->phase_s),
           per_second((double)load->done_octets / 1e6, figures->phase_s));
    printf(" p50_ms=%.3f p90_ms=%.3f p99_ms=%.3f max_ms=%.3f",
           samples_at(latencies, .5), samples_at(latencies, .9),
           samples_at(latencies, .99), samples_at(latencies, 1));
    printf(" setup_p50_ms=%.3f setup_p99_ms=%.3f handshakes=%" PRIu64
           " resumed=%" PRIu64 " hs_per_s=%.1f",
           samples_at(set_ups, .5), samples_at(set_ups, .99), load->handshakes,
           load->resumed,
           per_second((double)load->handshakes, figures->wall_s));
    printf(" rejected=%" PRIu64 " non2xx=%" PRIu64 " errors=%" PRIu64
           " idle_ok=%" PRIu64 " idle_still=%" PRIu64 " upstream_text=%" PRIu64
           " client_cpu_s=%.3f\n",
           load->refused, load->negative_replies, load->errors, load->idle_held,
           load->idle_left, load->sink_texts, figures->processor_s);
}

void load_report_print(struct load *load)
{
    struct figures figures = figures_of(load);
    samples_sort(&load->latencies_ms);
    samples_sort(&load->set_ups_ms);
    if (!load->options->is_quiet)
        print_for_people(load, &figures);
    complaints_print(&load->complaints);
    print_result(load, &figures);
    fflush(stdout);
}

bool load_report_is_good(const struct load *load)
{
    uint64_t total = load->options->total;
    return load->errors == 0 && load->negative_replies == 0 &&
           load->refused == 0 && (total == 0 || load->done == total) &&
           load->idle_left == load->options->idle;
}
