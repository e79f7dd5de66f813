#include "proxy/budgets/connection_counts.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4
#define ROUNDS 2000

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(str_from(text), &ip), 0);
    return ip;
}

static struct ip nth_net(unsigned n)
{
    char text[64];
    snprintf(text, sizeof text, "10.%u.%u.1", n / 256, n % 256);
    return ip_of(text);
}

static enum connection_room take(struct connection_counts *counts,
                                 const char *client)
{
    struct ip ip = ip_of(client);
    return connection_counts_take(counts, &ip);
}

static void give(struct connection_counts *counts, const char *client)
{
    struct ip ip = ip_of(client);
    connection_counts_give(counts, &ip);
}

static void the_cap_holds_for_all_together(void **state)
{
    (void)state;
    struct connection_counts *counts = connection_counts_new(2, 2);
    assert_int_equal(take(counts, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(counts, "192.0.2.2"), CONNECTION_TAKEN);
    assert_int_equal(take(counts, "192.0.2.3"), CONNECTION_FULL);
    give(counts, "192.0.2.1");
    assert_int_equal(take(counts, "192.0.2.3"), CONNECTION_TAKEN);
    connection_counts_free(counts);
}

static void clients_of_one_net_share_its_places(void **state)
{
    static const struct {
        const char *first, *second;
        bool want_shared;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},         /* a /32 */
        {"2001:db8::1", "2001:db8::ffff:1", true}, /* a /64 */
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"32.1.13.184", "2001:db8::1", false}, /* the same first octets */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection_counts *counts = connection_counts_new(10, 1);
        assert_int_equal(take(counts, cases[i].first), CONNECTION_TAKEN);
        assert_int_equal(take(counts, cases[i].second),
                         cases[i].want_shared ? CONNECTION_NET_FULL
                                              : CONNECTION_TAKEN);
        connection_counts_free(counts);
    }
}

static void a_place_may_be_named_later(void **state)
{
    (void)state;
    struct ip client = ip_of("192.0.2.1");
    struct connection_counts *counts = connection_counts_new(3, 1);
    assert_int_equal(connection_counts_take(counts, NULL), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_take(counts, NULL), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_name(counts, &client), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_name(counts, &client),
                     CONNECTION_NET_FULL);
    assert_int_equal(take(counts, "192.0.2.1"), CONNECTION_NET_FULL);
    assert_int_equal(connection_counts_take(counts, NULL), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_take(counts, NULL), CONNECTION_FULL);
    connection_counts_give(counts, &client);
    connection_counts_give(counts, NULL);
    assert_int_equal(take(counts, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_total(counts), 2);
    connection_counts_free(counts);
}

static void what_is_refused_takes_no_place(void **state)
{
    (void)state;
    struct connection_counts *counts = connection_counts_new(3, 1);
    assert_int_equal(take(counts, "192.0.2.1"), CONNECTION_TAKEN);
    for (int i = 0; i < 10; i++)
        assert_int_equal(take(counts, "192.0.2.1"), CONNECTION_NET_FULL);
    assert_int_equal(take(counts, "192.0.2.2"), CONNECTION_TAKEN);
    assert_int_equal(take(counts, "192.0.2.3"), CONNECTION_TAKEN);
    connection_counts_free(counts);
}

static void more_than_so_many_percent_is_crowded(void **state)
{
    static const struct {
        unsigned max, percent;
        unsigned want_from; /* the count from which it is crowded */
    } cases[] = {{1, 80, 2},    {3, 80, 4},  {5, 80, 5},    {10, 80, 9},
                 {100, 80, 81}, {10, 50, 6}, {10, 100, 11}, {100, 1, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct connection_counts *counts =
            connection_counts_new(cases[i].max, 1);
        for (unsigned n = 0; n < cases[i].max; n++) {
            assert_int_equal(
                connection_counts_is_crowded(counts, cases[i].percent),
                n >= cases[i].want_from);
            struct ip ip = nth_net(n);
            assert_int_equal(connection_counts_take(counts, &ip),
                             CONNECTION_TAKEN);
        }
        assert_int_equal(connection_counts_is_crowded(counts, cases[i].percent),
                         cases[i].max >= cases[i].want_from);
        connection_counts_free(counts);
    }
}

/* With small tables nets collide all the time, so that a hole which a
 * deletion left would lose those behind it. */
static void places_come_back_in_whatever_order(void **state)
{
    enum { NETS = 64 };
    (void)state;
    for (unsigned step = 1; step < NETS; step += 2) {
        struct connection_counts *counts = connection_counts_new(NETS, 1);
        for (unsigned n = 0; n < NETS; n++) {
            struct ip ip = nth_net(n);
            assert_int_equal(connection_counts_take(counts, &ip),
                             CONNECTION_TAKEN);
        }
        for (unsigned n = 0; n < NETS; n++) {
            struct ip gone = nth_net(n * step % NETS);
            connection_counts_give(counts, &gone);
            for (unsigned rest = n + 1; rest < NETS; rest++) {
                struct ip left = nth_net(rest * step % NETS);
                assert_int_equal(connection_counts_take(counts, &left),
                                 CONNECTION_NET_FULL);
            }
        }
        for (unsigned n = 0; n < NETS; n++) {
            struct ip ip = nth_net(n);
            assert_int_equal(connection_counts_take(counts, &ip),
                             CONNECTION_TAKEN);
        }
        connection_counts_free(counts);
    }
}

/* --- two processes --- */

struct pair {
    struct connection_counts *old, *new;
};

static struct pair open_pair(size_t max, size_t max_per_net, size_t new_max,
                             size_t new_max_per_net)
{
    struct pair pair = {connection_counts_create(max, max_per_net, 0), NULL};
    assert_non_null(pair.old);
    assert_int_equal(
        connection_counts_attach(connection_counts_memory(pair.old), new_max,
                                 new_max_per_net, 1, &pair.new),
        CONNECTION_COUNTS_ATTACHED);
    return pair;
}

static void close_pair(struct pair *pair)
{
    connection_counts_free(pair->old);
    connection_counts_free(pair->new);
}

static void both_processes_count_together(void **state)
{
    struct pair pair = open_pair(3, 2, 3, 2);
    (void)state;
    assert_int_equal(take(pair.old, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.old, "192.0.2.1"), CONNECTION_NET_FULL);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_NET_FULL);
    assert_int_equal(connection_counts_take(pair.new, NULL), CONNECTION_TAKEN);
    assert_int_equal(take(pair.old, "192.0.2.2"), CONNECTION_FULL);
    assert_int_equal(connection_counts_total(pair.old), 3);
    give(pair.old, "192.0.2.1");
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
    close_pair(&pair);
}

static void each_process_has_its_own_caps(void **state)
{
    struct pair pair = open_pair(2, 1, 4, 2);
    (void)state;
    assert_int_equal(take(pair.old, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.old, "192.0.2.1"), CONNECTION_NET_FULL);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.old, "192.0.2.2"), CONNECTION_FULL);
    assert_int_equal(take(pair.new, "192.0.2.2"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.new, "192.0.2.3"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.new, "192.0.2.4"), CONNECTION_FULL);
    close_pair(&pair);
}

static void what_a_process_had_is_given_back(void **state)
{
    struct pair pair = open_pair(10, 2, 10, 2);
    (void)state;
    assert_int_equal(take(pair.old, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.old, "192.0.2.2"), CONNECTION_TAKEN);
    assert_int_equal(connection_counts_take(pair.old, NULL), CONNECTION_TAKEN);
    connection_counts_forget(pair.new, 0);
    assert_int_equal(connection_counts_total(pair.new), 1);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
    assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_NET_FULL);
    /* Whoever gets a slot begins with nothing in it. */
    struct connection_counts *third;
    assert_int_equal(connection_counts_attach(
                         connection_counts_memory(pair.new), 10, 2, 1, &third),
                     CONNECTION_COUNTS_ATTACHED);
    assert_int_equal(connection_counts_total(third), 0);
    connection_counts_free(third);
    close_pair(&pair);
}

static void foreign_counts_are_refused(void **state)
{
    struct pair pair = open_pair(10, 2, 10, 2);
    struct connection_counts *counts;
    uint64_t layout = 1;
    (void)state;
    assert_int_equal(connection_counts_attach(-1, 1, 1, 0, &counts),
                     CONNECTION_COUNTS_FOREIGN);
    int fd = connection_counts_memory(pair.old);
    assert_int_equal(pwrite(fd, &layout, sizeof layout, 8), sizeof layout);
    assert_int_equal(connection_counts_attach(fd, 1, 1, 0, &counts),
                     CONNECTION_COUNTS_FOREIGN);
    assert_null(counts);
    close_pair(&pair);
}

/* A process is killed while it takes and gives, again and again. */
static void a_killed_process_blocks_nobody(void **state)
{
    enum { KILLS = 50 };
    (void)state;
    for (int i = 0; i < KILLS; i++) {
        struct pair pair = open_pair(1000, 1000, 1000, 1000);
        int ends[2], status;
        char octet;
        assert_int_equal(pipe(ends), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        while (pid == 0) {
            char name[32];
            for (int j = 0; j < 200; j++) {
                snprintf(name, sizeof name, "192.0.2.%d", j % 100);
                if (j < 100)
                    (void)take(pair.old, name);
                else
                    give(pair.old, name);
            }
            if (write(ends[1], "x", 1) != 1)
                _exit(1);
        }
        assert_int_equal(read(ends[0], &octet, 1), 1);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(ends[0]);
        close(ends[1]);
        assert_int_equal(take(pair.new, "192.0.2.1"), CONNECTION_TAKEN);
        connection_counts_forget(pair.new, 0);
        assert_int_equal(connection_counts_total(pair.new), 1);
        give(pair.new, "192.0.2.1");
        assert_int_equal(connection_counts_total(pair.new), 0);
        close_pair(&pair);
    }
}

static void *take_and_give(void *argument)
{
    struct connection_counts *counts = argument;
    size_t taken = 0;
    for (unsigned n = 0; n < ROUNDS; n++) {
        struct ip ip;
        char text[] = "192.0.2.0";
        text[8] = (char)('0' + n % 8);
        if (ip_parse(str_from(text), &ip) != 0 ||
            connection_counts_take(counts, &ip) != CONNECTION_TAKEN)
            continue;
        taken++;
        connection_counts_give(counts, &ip);
    }
    return taken > 0 ? argument : NULL;
}

static void threads_leave_no_place_taken(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    void *result;
    struct connection_counts *counts = connection_counts_new(THREADS, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, take_and_give, counts), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, counts);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(take(counts, "198.51.100.1"), CONNECTION_TAKEN);
    assert_int_equal(take(counts, "198.51.100.1"), CONNECTION_FULL);
    connection_counts_free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cap_holds_for_all_together),
        cmocka_unit_test(clients_of_one_net_share_its_places),
        cmocka_unit_test(a_place_may_be_named_later),
        cmocka_unit_test(what_is_refused_takes_no_place),
        cmocka_unit_test(more_than_so_many_percent_is_crowded),
        cmocka_unit_test(places_come_back_in_whatever_order),
        cmocka_unit_test(threads_leave_no_place_taken),
        cmocka_unit_test(both_processes_count_together),
        cmocka_unit_test(each_process_has_its_own_caps),
        cmocka_unit_test(what_a_process_had_is_given_back),
        cmocka_unit_test(foreign_counts_are_refused),
        cmocka_unit_test(a_killed_process_blocks_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
