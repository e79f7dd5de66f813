#include "proxy/net/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CLIENTS_MAX 64

struct counter {
    struct loop *loop;
    struct listen *listen;
    size_t accepted, wanted;
    int fds[CLIENTS_MAX];
    size_t answered, rests; /* of on_exhausted: with a socket, and in all */
    int error;
    size_t rests_wanted;           /* 0: any number */
    const struct rlimit *regained; /* by then; NULL: none */
};

static void on_accept(void *owner, int fd)
{
    struct counter *counter = owner;
    assert_true(counter->accepted < CLIENTS_MAX);
    counter->fds[counter->accepted++] = fd;
    if (counter->accepted >= counter->wanted)
        loop_stop(counter->loop);
}

static void on_exhausted(void *owner, int fd, int error)
{
    struct counter *counter = owner;
    counter->rests++;
    counter->error = error;
    if (fd >= 0) {
        counter->answered++;
        assert_int_equal(write(fd, "busy", 4), 4);
        close(fd);
    }
    if (counter->regained != NULL)
        setrlimit(RLIMIT_NOFILE, counter->regained);
    if (counter->rests == counter->rests_wanted)
        loop_stop(counter->loop);
}

static const struct listen_events EVENTS = {on_accept, on_exhausted};

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                     0);
    return fd;
}

static struct listen *open_at(struct counter *counter, struct str host,
                              uint16_t port)
{
    char error[200];
    return listen_open(counter->loop, host, port, &EVENTS, counter, error,
                       sizeof(error));
}

static void close_all(struct counter *counter)
{
    for (size_t i = 0; i < counter->accepted; i++)
        close(counter->fds[i]);
    listen_close(counter->listen);
    loop_free(counter->loop);
}

static void a_client_is_handed_over_as_a_socket(void **state)
{
    struct counter counter = {.loop = loop_new(), .wanted = 1};
    char octet = 0;
    (void)state;
    counter.listen = open_at(&counter, STR("127.0.0.1"), 0);
    assert_non_null(counter.listen);
    int client = connect_to(listen_port(counter.listen));
    loop_run(counter.loop);
    assert_int_equal(write(counter.fds[0], "x", 1), 1);
    assert_int_equal(read(client, &octet, 1), 1);
    assert_int_equal(octet, 'x');
    close(client);
    close_all(&counter);
}

static void all_of_ipv6_takes_ipv4_too(void **state)
{
    struct counter counter = {.loop = loop_new(), .wanted = 1};
    (void)state;
    counter.listen = open_at(&counter, STR("::"), 0);
    assert_non_null(counter.listen);
    int client = connect_to(listen_port(counter.listen));
    loop_run(counter.loop);
    assert_int_equal(counter.accepted, 1);
    close(client);
    close_all(&counter);
}

static void loops_of_one_program_share_an_address(void **state)
{
    struct counter counter = {.loop = loop_new()};
    (void)state;
    counter.listen = open_at(&counter, STR("127.0.0.1"), 0);
    struct listen *second =
        open_at(&counter, STR("127.0.0.1"), listen_port(counter.listen));
    assert_non_null(second);
    listen_close(second);
    close_all(&counter);
}

static void another_server_at_the_address_is_noticed(void **state)
{
    struct counter counter = {.loop = loop_new()};
    char error[200] = "", want[200];
    (void)state;
    counter.listen = open_at(&counter, STR("127.0.0.1"), 0);
    uint16_t port = listen_port(counter.listen);
    assert_int_equal(listen_probe(STR("127.0.0.1"), port, error, sizeof(error)),
                     -1);
    snprintf(want, sizeof(want), "127.0.0.1:%u: address already in use",
             (unsigned)port);
    assert_string_equal(error, want);
    /* All addresses include that one. */
    assert_int_equal(listen_probe(STR("::"), port, error, sizeof(error)), -1);
    assert_int_equal(strncmp(error, "[::]:", 5), 0);
    listen_close(counter.listen);
    counter.listen = NULL;
    assert_int_equal(listen_probe(STR("127.0.0.1"), port, error, sizeof(error)),
                     0);
    close_all(&counter);
}

static void an_address_of_another_machine_is_an_error_in_words(void **state)
{
    struct loop *loop = loop_new();
    char error[200] = "";
    (void)state;
    assert_null(listen_open(loop, STR("192.0.2.1"), 1025, &EVENTS, NULL, error,
                            sizeof(error)));
    assert_string_equal(error, "192.0.2.1:1025: address not available");
    assert_null(listen_open(loop, STR("not an address"), 25, &EVENTS, NULL,
                            error, sizeof(error)));
    assert_string_equal(error, "not an address:25: address not available");
    loop_free(loop);
}

static void close_in_call(void *owner, int fd)
{
    struct counter *counter = owner;
    close(fd);
    counter->accepted++;
    listen_close(counter->listen);
    counter->listen = NULL;
}

static const struct listen_events CLOSE_IN_CALL = {close_in_call, on_exhausted};

static void it_may_be_closed_in_its_own_call(void **state)
{
    struct counter counter = {.loop = loop_new()};
    char error[200];
    (void)state;
    counter.listen =
        listen_open(counter.loop, STR("127.0.0.1"), 0, &CLOSE_IN_CALL, &counter,
                    error, sizeof(error));
    uint16_t port = listen_port(counter.listen);
    int clients[] = {connect_to(port), connect_to(port)};
    loop_run(counter.loop);
    assert_int_equal(counter.accepted, 1);
    close(clients[0]);
    close(clients[1]);
    loop_free(counter.loop);
}

static void limit_descriptors(rlim_t count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Ten clients, and descriptors for none of them but the one that is kept. */
static void connect_ten(struct counter *counter, int *clients)
{
    counter->listen = open_at(counter, STR("127.0.0.1"), 0);
    for (size_t i = 0; i < 10; i++)
        clients[i] = connect_to(listen_port(counter->listen));
}

static void close_ten(const int *clients)
{
    for (size_t i = 0; i < 10; i++)
        close(clients[i]);
}

static void O03_out_of_descriptors_it_rests_and_comes_back(void **state)
{
    struct rlimit before;
    struct counter counter = {
        .loop = loop_new(), .wanted = 9, .regained = &before};
    int clients[10];
    char heard[5] = "";
    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    connect_ten(&counter, clients);
    limit_descriptors((rlim_t)clients[9] + 4);
    /* One client is turned away; the nine others get in. */
    loop_run(counter.loop);
    assert_int_equal(counter.accepted, 9);
    assert_int_equal(counter.answered, 1);
    assert_int_equal(counter.error, EMFILE);
    bool was_answered = false;
    for (size_t i = 0; i < 10; i++)
        was_answered =
            was_answered || recv(clients[i], heard, 4, MSG_DONTWAIT) == 4;
    assert_true(was_answered);
    assert_string_equal(heard, "busy");
    close_ten(clients);
    close_all(&counter);
}

static double cpu_ms(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000.0 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000.0;
}

/* A connection waits all the time, and a loop that spun would use it all. */
static void O03_out_of_descriptors_it_does_not_spin(void **state)
{
    struct counter counter = {
        .loop = loop_new(), .wanted = CLIENTS_MAX, .rests_wanted = 4};
    struct rlimit before;
    int clients[10];
    (void)state;
    getrlimit(RLIMIT_NOFILE, &before);
    connect_ten(&counter, clients);
    limit_descriptors((rlim_t)clients[9] + 4);
    uint64_t started_us = loop_clock_us(counter.loop);
    double used_ms = cpu_ms();
    loop_run(counter.loop);
    used_ms = cpu_ms() - used_ms;
    double took_ms =
        (double)(loop_clock_us(counter.loop) - started_us) / 1000.0;
    setrlimit(RLIMIT_NOFILE, &before);
    print_message("%.0f ms of %.0f ms\n", used_ms, took_ms);
    assert_true(counter.answered >= 3);
    assert_true(took_ms > 400);
    assert_true(used_ms < took_ms / 4);
    close_ten(clients);
    close_all(&counter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_is_handed_over_as_a_socket),
        cmocka_unit_test(all_of_ipv6_takes_ipv4_too),
        cmocka_unit_test(loops_of_one_program_share_an_address),
        cmocka_unit_test(another_server_at_the_address_is_noticed),
        cmocka_unit_test(an_address_of_another_machine_is_an_error_in_words),
        cmocka_unit_test(it_may_be_closed_in_its_own_call),
        cmocka_unit_test(O03_out_of_descriptors_it_rests_and_comes_back),
        cmocka_unit_test(O03_out_of_descriptors_it_does_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
