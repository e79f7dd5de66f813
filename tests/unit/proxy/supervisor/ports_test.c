#include "proxy/supervisor/ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/load.h"

#include <cmocka.h>

/* A port that is free, and the socket that keeps it so; or that is left. */
static int bind_any(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static uint16_t free_port(void)
{
    uint16_t port;
    close(bind_any(&port));
    return port;
}

static const struct settings *settings_of(const uint16_t *ports, size_t count)
{
    char text[1024];
    struct diags diags;
    int n = snprintf(text, sizeof text,
                     "hostname: mail.example.com\n"
                     "upstreams: {local: {maildir: /nonexistent}}\n"
                     "upstream: local\n"
                     "listeners:\n");
    for (size_t i = 0; i < count; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "  l%zu: {address: \"127.0.0.1:%u\", tls: none, auth: "
                      "none, trusted: [127.0.0.1]}\n",
                      i, (unsigned)ports[i]);
    diags_init(&diags);
    const struct settings *settings =
        config_load_octets("postern.yaml", str_from(text), &diags);
    diags_print(&diags, stderr);
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

static bool listens(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return does;
}

static void clients_come_when_they_may(void **state)
{
    uint16_t port = free_port();
    const struct settings *settings = settings_of(&port, 1);
    struct ports ports = {0};
    struct diags diags;
    (void)state;
    diags_init(&diags);
    assert_int_equal(ports_open(&ports, settings, 3, &diags), 0);
    assert_int_equal(ports.count, 1);
    assert_int_equal(ports.items[0].count, 3);
    assert_false(listens(port));
    ports_listen(&ports, settings);
    assert_true(listens(port));
    /* Once more opens nothing more, but for more threads. */
    assert_int_equal(ports_open(&ports, settings, 3, &diags), 0);
    assert_int_equal(ports.items[0].count, 3);
    assert_int_equal(ports_open(&ports, settings, 4, &diags), 0);
    assert_int_equal(ports.items[0].count, 4);
    ports_release(&ports);
    assert_false(listens(port));
    diags_release(&diags);
    settings_unref(settings);
}

static void an_address_in_use_is_told_and_nothing_new_stays(void **state)
{
    uint16_t numbers[2] = {free_port(), 0};
    int other = bind_any(&numbers[1]);
    assert_int_equal(listen(other, 1), 0);
    const struct settings *settings = settings_of(numbers, 2);
    struct ports ports = {0};
    struct diags diags;
    (void)state;
    diags_init(&diags);
    assert_int_equal(ports_open(&ports, settings, 2, &diags), -1);
    assert_int_equal(ports.count, 0);
    assert_int_equal(diags.count, 1);
    assert_int_equal(diags.items[0].mark.line, 6);
    assert_non_null(strstr(diags.items[0].text, "already in use"));
    ports_release(&ports);
    diags_release(&diags);
    close(other);
    settings_unref(settings);
}

static void what_is_named_no_more_is_closed_when_it_is_settled(void **state)
{
    uint16_t numbers[3] = {free_port(), free_port(), free_port()};
    const struct settings *before = settings_of(numbers, 2);
    const struct settings *after = settings_of(numbers + 1, 2);
    struct ports ports = {0};
    struct diags diags;
    (void)state;
    diags_init(&diags);
    assert_int_equal(ports_open(&ports, before, 1, &diags), 0);
    ports_listen(&ports, before);
    ports_settle(&ports, before);
    assert_int_equal(ports_open(&ports, after, 1, &diags), 0);
    assert_int_equal(ports.count, 3);
    ports_withdraw(&ports); /* the change of mind */
    assert_int_equal(ports.count, 2);
    assert_int_equal(ports_open(&ports, after, 1, &diags), 0);
    ports_listen(&ports, after);
    ports_settle(&ports, after);
    assert_int_equal(ports.count, 2);
    assert_false(listens(numbers[0]));
    assert_true(listens(numbers[1]));
    assert_true(listens(numbers[2]));
    ports_release(&ports);
    diags_release(&diags);
    settings_unref(before);
    settings_unref(after);
}

static void sockets_are_shared_out_and_passed_on(void **state)
{
    uint16_t port = free_port();
    const struct settings *settings = settings_of(&port, 1);
    struct ports ports = {0}, received = {0};
    struct channel_message message;
    struct diags diags;
    int ends[2], taken[8];
    char address[32];
    (void)state;
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    diags_init(&diags);
    assert_int_equal(channel_pair(ends), 0);
    assert_int_equal(ports_open(&ports, settings, 5, &diags), 0);
    assert_int_equal(ports_send(&ports, settings, ends[0]), 0);
    assert_int_equal(channel_next(ends[1], &message), CHANNEL_MESSAGE);
    assert_int_equal(ports_receive(&received, &message), 0);
    channel_release(&message);
    /* Two threads and five sockets: none is left without a thread. */
    assert_int_equal(ports_take(&received, str_from(address), 0, 2, taken, 8),
                     3);
    assert_int_equal(
        ports_take(&received, str_from(address), 1, 2, taken + 3, 8), 2);
    for (size_t i = 0; i < 5; i++) {
        assert_int_not_equal(fcntl(taken[i], F_GETFL) & O_NONBLOCK, 0);
        close(taken[i]);
    }
    assert_int_equal(ports_take(&received, STR("nowhere:1"), 0, 1, taken, 8),
                     0);
    ports_release(&received);
    ports_release(&ports);
    close(ends[0]);
    close(ends[1]);
    diags_release(&diags);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_come_when_they_may),
        cmocka_unit_test(an_address_in_use_is_told_and_nothing_new_stays),
        cmocka_unit_test(what_is_named_no_more_is_closed_when_it_is_settled),
        cmocka_unit_test(sockets_are_shared_out_and_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
