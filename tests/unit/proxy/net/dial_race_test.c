/* Several addresses of one host. The resolver is this file's, and so is
 * connect(), which sees in which order and how often it is called; sockets and
 * their peers are real. Tests that race have one winner whatever the time. */
#include "proxy/net/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define HOSTS_MAX 12

/* What the replaced functions go by. Addresses are 127.0.0.`last`. */
static struct {
    unsigned char hosts[HOSTS_MAX]; /* of the name, up to 0 */
    int refusals[256];              /* errno of connect(), by address */
    int frees_at[256];       /* a listener that has room again as soon as this
                              * address is tried */
    unsigned char tried[64]; /* in order */
    size_t tried_count;
    atomic_int lookups;
} net;

int getaddrinfo(const char *host, const char *service,
                const struct addrinfo *hints, struct addrinfo **found)
{
    struct addrinfo **end = found;
    (void)service;
    if (strcmp(host, "mta.example") != 0)
        return EAI_FAIL;
    *found = NULL;
    net.lookups++;
    for (size_t i = 0; i < HOSTS_MAX && net.hosts[i] != 0; i++) {
        struct sockaddr_in *address = calloc(1, sizeof(*address));
        address->sin_family = AF_INET;
        address->sin_addr.s_addr = htonl(0x7f000000U | net.hosts[i]);
        *end = calloc(1, sizeof(**end));
        (*end)->ai_family = AF_INET;
        (*end)->ai_socktype = hints->ai_socktype;
        (*end)->ai_addr = (struct sockaddr *)address;
        (*end)->ai_addrlen = sizeof(*address);
        end = &(*end)->ai_next;
    }
    return *found == NULL ? EAI_NONAME : 0;
}

void freeaddrinfo(struct addrinfo *found)
{
    while (found != NULL) {
        struct addrinfo *next = found->ai_next;
        free(found->ai_addr);
        free(found);
        found = next;
    }
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    unsigned char last = (unsigned char)(ntohl(v4->sin_addr.s_addr) & 255);
    if (net.tried_count < sizeof(net.tried))
        net.tried[net.tried_count++] = last;
    if (net.frees_at[last] != 0)
        close(accept(net.frees_at[last], NULL, NULL));
    if (net.refusals[last] != 0) {
        errno = net.refusals[last];
        return -1;
    }
    return (int)syscall(SYS_connect, fd, address, size);
}

static int open_listener(unsigned char last, int backlog, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(*port)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(0x7f000000U | last);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(listen(fd, backlog), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* A listener whose one place is taken, so that further SYNs are dropped. */
struct full {
    int listener, client;
};

static struct full open_full(unsigned char last, uint16_t *port)
{
    struct full full = {.listener = open_listener(last, 0, port)};
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    getsockname(full.listener, (struct sockaddr *)&address, &size);
    full.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        syscall(SYS_connect, full.client, (struct sockaddr *)&address, size),
        0);
    return full;
}

static void close_full(struct full full)
{
    close(full.client);
    close(full.listener);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

struct result {
    unsigned calls;
    int fd;
    char error[200];
};

static void on_dialled(void *owner, int fd, const char *error)
{
    struct result *result = owner;
    result->calls++;
    result->fd = fd;
    snprintf(result->error, sizeof(result->error), "%s",
             error == NULL ? "" : error);
}

static struct result dial(const char *hosts, uint16_t port, uint64_t timeout_ms)
{
    struct loop *loop = loop_new();
    struct result result = {.fd = -1};
    memset(net.hosts, 0, sizeof(net.hosts));
    memcpy(net.hosts, hosts, strlen(hosts));
    net.tried_count = 0;
    dial_start(loop, STR("mta.example"), port, timeout_ms, on_dialled, &result);
    loop_run(loop);
    loop_free(loop);
    assert_int_equal(result.calls, 1);
    return result;
}

static void assert_tried(const char *hosts)
{
    assert_int_equal(net.tried_count, strlen(hosts));
    assert_memory_equal(net.tried, hosts, strlen(hosts));
}

/* Connected to 127.0.0.`last`; closes the connection. */
static void assert_connected(const struct result *result, unsigned char last)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof(peer);
    assert_string_equal(result->error, "");
    assert_int_equal(getpeername(result->fd, (struct sockaddr *)&peer, &size),
                     0);
    assert_int_equal(ntohl(peer.sin_addr.s_addr) & 255, last);
    close(result->fd);
}

static int forget(void **state)
{
    (void)state;
    memset(&net, 0, sizeof(net));
    return 0;
}

static void one_that_refuses_is_followed_by_the_next(void **state)
{
    uint16_t port = 0;
    int listener = open_listener(33, 5, &port);
    (void)state;
    struct result result = dial("\x1f\x20\x21\x22", port, 20000);
    assert_connected(&result, 33);
    assert_tried("\x1f\x20\x21");
    close(listener);
}

static void one_that_hangs_is_not_waited_for(void **state)
{
    uint16_t port = 0;
    struct full full = open_full(31, &port);
    int listener = open_listener(32, 5, &port);
    size_t open = count_descriptors();
    (void)state;
    struct result result = dial("\x1f\x20\x21", port, 20000);
    assert_tried("\x1f\x20");
    assert_connected(&result, 32);
    /* The one that was still connecting is closed. */
    assert_int_equal(count_descriptors(), open);
    close(listener);
    close_full(full);
}

static void the_first_goes_on_beside_the_next(void **state)
{
    uint16_t port = 0;
    struct full full = open_full(31, &port);
    (void)state;
    /* Room comes only when the second, which refuses, is tried. */
    net.frees_at[32] = full.listener;
    struct result result = dial("\x1f\x20", port, 20000);
    assert_tried("\x1f\x20");
    assert_connected(&result, 31);
    close_full(full);
}

static void all_that_hang_time_out_together(void **state)
{
    uint16_t port = 0;
    struct full full = open_full(31, &port);
    size_t open = count_descriptors();
    (void)state;
    struct result result = dial("\x1f\x1f\x1f", port, 300);
    assert_int_equal(result.fd, -1);
    assert_string_equal(result.error, "timed out after 300ms");
    assert_int_equal(count_descriptors(), open);
    close_full(full);
}

static void the_most_telling_words_remain(void **state)
{
    static const struct {
        int first, second;
        const char *want;
    } cases[] = {
        {ECONNREFUSED, ENETUNREACH, "connection refused"},
        {ENETUNREACH, ECONNREFUSED, "connection refused"},
        {EHOSTUNREACH, ENETUNREACH, "network is unreachable"},
        {ETIMEDOUT, ENETUNREACH, "connection timed out"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        net.refusals[31] = cases[i].first;
        net.refusals[32] = cases[i].second;
        struct result result = dial("\x1f\x20", 25, 20000);
        assert_int_equal(result.fd, -1);
        assert_string_equal(result.error, cases[i].want);
    }
}

static void eight_addresses_are_enough(void **state)
{
    (void)state;
    for (unsigned char last = 31; last < 43; last++)
        net.refusals[last] = ECONNREFUSED;
    struct result result =
        dial("\x1f\x20\x21\x22\x23\x24\x25\x26\x27\x28", 25, 20000);
    assert_string_equal(result.error, "connection refused");
    assert_tried("\x1f\x20\x21\x22\x23\x24\x25\x26");
}

static void a_name_is_looked_up_each_time_anew(void **state)
{
    uint16_t port = 0;
    int first = open_listener(31, 5, &port);
    int second = open_listener(32, 5, &port);
    (void)state;
    struct result result = dial("\x1f", port, 20000);
    assert_connected(&result, 31);
    result = dial("\x20", port, 20000);
    assert_connected(&result, 32);
    assert_int_equal(net.lookups, 2);
    close(first);
    close(second);
    result = dial("", port, 20000);
    assert_string_equal(result.error, "no such host");
}

/* Connects, or is refused, in a dial that its done gives up another one of. */
static void on_first(void *owner, int fd, const char *error)
{
    struct dial **other = owner;
    (void)error;
    if (fd >= 0)
        close(fd);
    dial_cancel(*other);
}

static void a_race_may_be_cancelled(void **state)
{
    uint16_t port = 0;
    struct full full = open_full(31, &port);
    size_t open = count_descriptors();
    struct loop *loop = loop_new();
    struct result result = {0};
    struct dial *race;
    (void)state;
    memcpy(net.hosts, "\x1f\x1f\x1f", 3);
    race =
        dial_start(loop, STR("mta.example"), port, 20000, on_dialled, &result);
    /* The second address has been begun with by then, or not. */
    dial_start(loop, STR("127.0.0.31"), port, 300, on_first, &race);
    loop_run(loop);
    loop_free(loop);
    assert_int_equal(result.calls, 0);
    assert_int_equal(count_descriptors(), open);
    close_full(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_that_refuses_is_followed_by_the_next,
                               forget),
        cmocka_unit_test_setup(one_that_hangs_is_not_waited_for, forget),
        cmocka_unit_test_setup(the_first_goes_on_beside_the_next, forget),
        cmocka_unit_test_setup(all_that_hang_time_out_together, forget),
        cmocka_unit_test_setup(the_most_telling_words_remain, forget),
        cmocka_unit_test_setup(eight_addresses_are_enough, forget),
        cmocka_unit_test_setup(a_name_is_looked_up_each_time_anew, forget),
        cmocka_unit_test_setup(a_race_may_be_cancelled, forget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
