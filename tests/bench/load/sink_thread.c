#include "tests/bench/load/sink_thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/sink_session.h"

#define BACKLOG 4096
#define EVENTS_A_TURN 256
#define INPUT_ROOM ((size_t)256 << 10)

static int listen_on(const struct sink_options *options, uint64_t port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
        fatal("%s is no IPv4 address", options->host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fatal("socket: %s", strerrordesc_np(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options->threads > 1)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0)
        fatal("%s:%" PRIu64 ": %s", options->host, port,
              strerrordesc_np(errno));
    return fd;
}

static void watch(const struct sink_thread *thread, int fd, void *watched)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = watched};
    if (epoll_ctl(thread->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fatal("epoll_ctl: %s", strerrordesc_np(errno));
}

static void add_listener(struct sink_thread *thread,
                         struct sink_listener *listener, uint64_t port,
                         bool is_tls)
{
    *listener =
        (struct sink_listener){listen_on(thread->sink->options, port), is_tls};
    watch(thread, listener->fd, listener);
}

void sink_thread_init(struct sink_thread *thread, struct sink *sink)
{
    const struct sink_options *options = sink->options;
    *thread = (struct sink_thread){.sink = sink,
                                   .epoll = epoll_create1(EPOLL_CLOEXEC),
                                   .stop = eventfd(0, EFD_CLOEXEC)};
    if (thread->epoll < 0 || thread->stop < 0)
        fatal("epoll: %s", strerrordesc_np(errno));
    watch(thread, thread->stop, &thread->stop);
    add_listener(thread, &thread->listeners[0], options->port, options->is_tls);
    thread->listeners[1].fd = -1;
    if (options->tls_port != 0)
        add_listener(thread, &thread->listeners[1], options->tls_port, true);
}

static void end_session(struct sink_thread *thread,
                        struct sink_session *session)
{
    if (session->previous == NULL)
        thread->sessions = session->next;
    else
        session->previous->next = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
    sink_session_release(session);
    free(session);
}

static void begin_session(struct sink_thread *thread, int fd, bool is_tls)
{
    struct sink_session *session = allocate(1, sizeof *session);
    bool is_alive =
        sink_session_begin(session, thread->sink, thread->epoll, fd, is_tls);
    session->next = thread->sessions;
    if (session->next != NULL)
        session->next->previous = session;
    thread->sessions = session;
    if (!is_alive)
        end_session(thread, session);
}

static bool is_nothing_to_accept(int error)
{
    return error == EAGAIN || error == ECONNABORTED || error == EINTR;
}

static void accept_all(struct sink_thread *thread,
                       const struct sink_listener *listener)
{
    int fd;
    while ((fd = accept4(listener->fd, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        begin_session(thread, fd, listener->is_tls);
    /* A client that waits for ever would be measured as slow. */
    if (!is_nothing_to_accept(errno))
        fatal("accept: %s", strerrordesc_np(errno));
}

static void *run(void *argument)
{
    struct sink_thread *thread = argument;
    struct sink_listener *listeners = thread->listeners;
    struct epoll_event events[EVENTS_A_TURN];
    char *input = allocate(INPUT_ROOM, 1);
    for (;;) {
        int count = epoll_wait(thread->epoll, events, EVENTS_A_TURN, -1);
        for (int i = 0; i < count; i++) {
            void *watched = events[i].data.ptr;
            if (watched == &thread->stop) {
                free(input);
                return NULL;
            }
            if (watched == &listeners[0] || watched == &listeners[1])
                accept_all(thread, watched);
            else if (!sink_session_event(watched, input, INPUT_ROOM))
                end_session(thread, watched);
        }
    }
}

void sink_thread_start(struct sink_thread *thread)
{
    int error = pthread_create(&thread->thread, NULL, run, thread);
    if (error != 0)
        fatal("pthread_create: %s", strerrordesc_np(error));
}

void sink_thread_stop(struct sink_thread *thread)
{
    const uint64_t once = 1;
    if (write(thread->stop, &once, sizeof once) != sizeof once)
        fatal("eventfd: %s", strerrordesc_np(errno));
    pthread_join(thread->thread, NULL);
    while (thread->sessions != NULL)
        end_session(thread, thread->sessions);
    for (size_t i = 0; i < 2; i++) {
        if (thread->listeners[i].fd >= 0)
            close(thread->listeners[i].fd);
    }
    close(thread->epoll);
    close(thread->stop);
}
