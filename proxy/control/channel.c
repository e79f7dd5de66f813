#include "proxy/control/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 1000

/* Room for the descriptors of one message, aligned as the kernel wants it. */
union ancillary {
    struct cmsghdr head;
    char room[CMSG_SPACE(CHANNEL_DESCRIPTORS_MAX * sizeof(int))];
};

int channel_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                      ends);
}

static void attach(struct msghdr *message, union ancillary *ancillary,
                   const int *descriptors, size_t count)
{
    size_t octets = count * sizeof *descriptors;
    if (count == 0)
        return;
    memset(ancillary, 0, sizeof *ancillary);
    message->msg_control = ancillary;
    message->msg_controllen = CMSG_SPACE(octets);
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(octets);
    memcpy(CMSG_DATA(head), descriptors, octets);
}

static int send_within(int end, const struct msghdr *message, int wait_ms)
{
    struct pollfd watched = {.fd = end, .events = POLLOUT};
    for (;;) {
        if (sendmsg(end, message, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || poll(&watched, 1, wait_ms) == 0)
            return -1;
    }
}

static int send_body(int end, json_t *body, const int *descriptors,
                     size_t count, int wait_ms)
{
    union ancillary ancillary;
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    int result = -1;
    json_decref(body);
    if (text != NULL && strlen(text) <= CHANNEL_OCTETS_MAX &&
        count <= CHANNEL_DESCRIPTORS_MAX) {
        struct iovec octets = {text, strlen(text)};
        struct msghdr message = {.msg_iov = &octets, .msg_iovlen = 1};
        attach(&message, &ancillary, descriptors, count);
        result = send_within(end, &message, wait_ms);
    }
    free(text);
    return result;
}

int channel_send(int end, json_t *body, const int *descriptors, size_t count)
{
    return send_body(end, body, descriptors, count, PATIENCE_MS);
}

int channel_send_now(int end, json_t *body, const int *descriptors,
                     size_t count)
{
    return send_body(end, body, descriptors, count, 0);
}

/* All that came along is taken, so that nothing stays open by oversight. */
static void take_descriptors(struct msghdr *header,
                             struct channel_message *message)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(header);
    for (; head != NULL; head = CMSG_NXTHDR(header, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        size_t octets = head->cmsg_len - CMSG_LEN(0);
        memcpy(message->descriptors + message->descriptor_count,
               CMSG_DATA(head), octets);
        message->descriptor_count += octets / sizeof(int);
    }
}

static int read_body(struct channel_message *message, const char *text,
                     size_t length)
{
    message->body = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(message->body))
        return -1;
    const char *verb = json_string_value(json_object_get(message->body, "do"));
    message->verb = verb == NULL ? "" : verb;
    return 0;
}

static enum channel_next receive(int end, char *text,
                                 struct channel_message *message)
{
    union ancillary ancillary;
    struct iovec octets = {text, CHANNEL_OCTETS_MAX};
    struct msghdr header = {.msg_iov = &octets,
                            .msg_iovlen = 1,
                            .msg_control = &ancillary,
                            .msg_controllen = sizeof ancillary};
    ssize_t got;
    do {
        got = recvmsg(end, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? CHANNEL_NOTHING : CHANNEL_CLOSED;
    take_descriptors(&header, message);
    if (got == 0 || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
        read_body(message, text, (size_t)got) != 0) {
        channel_release(message);
        return CHANNEL_CLOSED;
    }
    return CHANNEL_MESSAGE;
}

enum channel_next channel_next(int end, struct channel_message *message)
{
    message->body = NULL;
    message->verb = "";
    message->descriptor_count = 0;
    char *text = malloc(CHANNEL_OCTETS_MAX);
    if (text == NULL)
        return CHANNEL_NOTHING;
    enum channel_next next = receive(end, text, message);
    free(text);
    return next;
}

int channel_take(struct channel_message *message, size_t number)
{
    if (number >= message->descriptor_count)
        return -1;
    int descriptor = message->descriptors[number];
    message->descriptors[number] = -1;
    return descriptor;
}

void channel_release(struct channel_message *message)
{
    for (size_t i = 0; i < message->descriptor_count; i++)
        if (message->descriptors[i] >= 0)
            close(message->descriptors[i]);
    message->descriptor_count = 0;
    json_decref(message->body);
    message->body = NULL;
}
