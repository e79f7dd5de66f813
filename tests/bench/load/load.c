#include "tests/bench/load/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/load_session.h"
#include "tests/bench/load/load_tls.h"

uint64_t load_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct sockaddr_in target_of(const struct load_options *options)
{
    struct sockaddr_in target = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)options->port)};
    if (inet_pton(AF_INET, options->host, &target.sin_addr) != 1)
        fatal("%s is no IPv4 address", options->host);
    return target;
}

/* They come as an event without a session. */
static void watch_signals(struct load *load)
{
    sigset_t ends;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    load->signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->signals < 0 || load->epoll < 0 ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->signals, &event) != 0)
        fatal("epoll: %s", strerrordesc_np(errno));
}

void load_init(struct load *load, const struct load_options *options)
{
    memset(load, 0, sizeof *load);
    load->options = options;
    load->target = target_of(options);
    load->tls = load_tls_new(options);
    if (getrandom(&load->run, sizeof load->run, 0) != sizeof load->run)
        fatal("getrandom: %s", strerrordesc_np(errno));
    message_maker_init(&load->maker, options->size, options->from,
                       options->recipient_domain, !options->uses_bdat);
    watch_signals(load);
    load->session_count =
        options->idle > 0 ? options->idle : options->connections;
    load->sessions = allocate(load->session_count, sizeof *load->sessions);
    for (size_t i = 0; i < load->session_count; i++)
        load_session_init(&load->sessions[i], load);
}

void load_release(struct load *load)
{
    for (size_t i = 0; i < load->session_count; i++)
        load_session_release(&load->sessions[i]);
    free(load->sessions);
    close(load->epoll);
    close(load->signals);
    message_maker_release(&load->maker);
    samples_release(&load->latencies_ms);
    samples_release(&load->set_ups_ms);
    SSL_CTX_free(load->tls);
}

void load_fault(struct load *load, const char *what, const char *text)
{
    load->errors++;
    complaints_add(&load->complaints, what, text);
}

static bool is_time_up(const struct load *load)
{
    double duration_s = load->options->duration_s;
    return duration_s > 0 && load->has_begun &&
           (double)(load_now_ns() - load->first_ns) > duration_s * 1e9;
}

static bool is_all_claimed(const struct load *load)
{
    return load->options->total > 0 && load->claimed >= load->options->total;
}

bool load_claim(struct load *load, uint64_t sent, uint64_t *id)
{
    if (load->is_stopping || sent >= load->options->per_connection ||
        is_all_claimed(load) || is_time_up(load))
        return false;
    *id = (uint64_t)load->run << 32 | (load->claimed & UINT32_MAX);
    load->claimed++;
    return true;
}

/* What those that are open will take is theirs, unless one of them may fail
 * and leave it. */
static bool is_all_spoken_for(const struct load *load)
{
    uint64_t per_connection = load->options->per_connection;
    return load->options->total > 0 && !load->options->allows_errors &&
           per_connection != PER_CONNECTION_ANY &&
           load->opened >= (load->options->total - 1) / per_connection + 1;
}

bool load_has_work(const struct load *load)
{
    return !load->is_stopping && load->options->idle == 0 &&
           !is_all_spoken_for(load) && !is_all_claimed(load) &&
           !is_time_up(load);
}
