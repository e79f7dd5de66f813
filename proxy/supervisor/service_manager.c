#include "proxy/supervisor/service_manager.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proxy/net/socket_address.h"

#define FIRST_SOCKET 3 /* SD_LISTEN_FDS_START */
#define SOCKETS_MAX 1024
#define NAME_MAX_OCTETS 256

/* --- telling --- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length < 2 || length >= sizeof address.sun_path ||
        (path[0] != '/' && path[0] != '@'))
        return -1;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) == 0)
        return fd;
    close(fd);
    return -1;
}

void service_manager_open(struct service_manager *manager)
{
    const char *path = getenv("NOTIFY_SOCKET");
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    *manager = (struct service_manager){.socket = -1};
    if (path == NULL)
        return;
    manager->socket = connect_to(path);
    if (usec != NULL &&
        (pid == NULL || strtoimax(pid, NULL, 10) == (intmax_t)getpid()))
        manager->watchdog_ms = strtoumax(usec, NULL, 10) / 1000;
}

void service_manager_close(struct service_manager *manager)
{
    if (manager->socket >= 0)
        close(manager->socket);
    manager->socket = -1;
}

static void tell(const struct service_manager *manager, const char *text)
{
    if (manager->socket >= 0)
        (void)send(manager->socket, text, strlen(text),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell_status(const struct service_manager *manager, const char *word,
                        const char *status)
{
    char text[512];
    snprintf(text, sizeof text, "%s\nSTATUS=%s", word, status);
    tell(manager, text);
}

void service_manager_ready(const struct service_manager *manager,
                           const char *status)
{
    tell_status(manager, "READY=1", status);
}

/* With Type=notify-reload the time tells its answer from an older one. */
void service_manager_reloading(const struct service_manager *manager)
{
    char text[128];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    tell(manager, text);
}

void service_manager_stopping(const struct service_manager *manager,
                              const char *status)
{
    tell_status(manager, "STOPPING=1", status);
}

void service_manager_alive(const struct service_manager *manager)
{
    tell(manager, "WATCHDOG=1");
}

/* --- its sockets --- */

static const struct endpoint *address_of_name(const struct settings *settings,
                                              struct str name)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (str_equals(settings->listeners[i].name, name) &&
            settings->listeners[i].address_count == 1)
            return &settings->listeners[i].addresses[0];
    return NULL;
}

static bool is_bound_to(const struct sockaddr_storage *bound,
                        const struct endpoint *endpoint)
{
    struct sockaddr_storage wanted;
    char one[SOCKET_ADDRESS_TEXT], other[SOCKET_ADDRESS_TEXT];
    if (socket_address_parse(&wanted, endpoint->host, endpoint->port) != 0 ||
        wanted.ss_family != bound->ss_family ||
        socket_address_port(&wanted) != socket_address_port(bound))
        return false;
    socket_address_text(&wanted, one);
    socket_address_text(bound, other);
    return strcmp(one, other) == 0;
}

static const struct endpoint *address_of_socket(const struct settings *settings,
                                                int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return NULL;
    for (size_t i = 0; i < settings->listener_count; i++)
        for (size_t j = 0; j < settings->listeners[i].address_count; j++)
            if (is_bound_to(&bound, &settings->listeners[i].addresses[j]))
                return &settings->listeners[i].addresses[j];
    const struct endpoint *http = &settings->http.address;
    return http->text.n > 0 && is_bound_to(&bound, http) ? http : NULL;
}

static bool listens(int fd)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 &&
           value != 0;
}

/* A descriptor a thread; the socket stays the same. */
static int take_up(struct ports *ports, const char *address, int fd,
                   size_t threads)
{
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    for (size_t i = 1; i < threads && i < PORT_SOCKETS_MAX; i++) {
        int more = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_SOCKET);
        if (more >= 0 && ports_give(ports, address, more) != 0)
            return -1;
    }
    return ports_give(ports, address, fd);
}

static int take_socket(struct ports *ports, const struct settings *settings,
                       struct str name, int fd, size_t threads,
                       struct server_log *log)
{
    char address[NAME_MAX_OCTETS];
    const struct endpoint *endpoint = NULL;
    if (listens(fd)) {
        endpoint = address_of_name(settings, name);
        if (endpoint == NULL)
            endpoint = address_of_socket(settings, fd);
    }
    if (endpoint == NULL) {
        server_log_write(log, SERVER_WARNING,
                         "a socket of the service manager, %.*s, is no "
                         "listener's: FileDescriptorName= names the one that "
                         "it is for",
                         (int)name.n, name.p);
        close(fd);
        return 0;
    }
    snprintf(address, sizeof address, "%.*s", (int)endpoint->text.n,
             endpoint->text.p);
    return take_up(ports, address, fd, threads);
}

static size_t count_sockets(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (pid == NULL || count == NULL ||
        strtoimax(pid, NULL, 10) != (intmax_t)getpid())
        return 0;
    uintmax_t wanted = strtoumax(count, NULL, 10);
    return wanted > SOCKETS_MAX ? SOCKETS_MAX : (size_t)wanted;
}

int service_manager_sockets(struct ports *ports,
                            const struct settings *settings, size_t threads,
                            struct server_log *log)
{
    size_t count = count_sockets();
    const char *names = getenv("LISTEN_FDNAMES");
    struct str rest = str_from(names == NULL ? "" : names);
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        ptrdiff_t colon = str_index(rest, ':');
        struct str name = {rest.p, colon < 0 ? rest.n : (size_t)colon};
        size_t used = colon < 0 ? rest.n : (size_t)colon + 1;
        rest = (struct str){rest.p + used, rest.n - used};
        if (take_socket(ports, settings, name, FIRST_SOCKET + (int)i, threads,
                        log) != 0)
            result = -1;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return result;
}
