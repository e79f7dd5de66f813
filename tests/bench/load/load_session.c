#include "tests/bench/load/load_session.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/load_dialogue.h"
#include "tests/bench/load/load_opening.h"
#include "tests/bench/load/load_tls.h"

/* Where everything fails, the run is not worth its time. */
#define MOST_ERRORS 1000
#define SOURCE_FIRST 0x7f010001u /* 127.1.0.1 */
#define SOURCE_STEP 256u
/* A read that brings less has left nothing behind. */
#define SHORT_READ 1024

void load_session_init(struct load_session *session, struct load *load)
{
    *session = (struct load_session){.load = load, .wire.fd = -1};
}

void load_session_release(struct load_session *session)
{
    wire_close(&session->wire);
    octets_release(&session->rest);
    octets_release(&session->out);
    SSL_SESSION_free(session->ticket);
}

void load_session_end(struct load_session *session)
{
    struct load *load = session->load;
    SSL_SESSION *ticket = session->ticket;
    if (load->options->idle > 0 && session->state != STATE_IDLE)
        load->in_set_up--;
    session->ticket = NULL;
    load_session_release(session);
    load_session_init(session, load);
    session->ticket = ticket;
    session->next_ended = load->ended;
    load->ended = session;
    load->active--;
}

void load_session_fail(struct load_session *session, const char *what,
                       const char *text)
{
    struct load *load = session->load;
    load_fault(load, what, text);
    load->idle_lost += session->state == STATE_IDLE;
    /* The barrier waits for all of them. */
    bool is_awaited = load->options->has_barrier && !load->has_begun;
    if (is_awaited || load->errors > MOST_ERRORS)
        load->is_stopping = true;
    load_session_end(session);
}

/* A port of an address of ours is taken once for each that is connected to;
 * it is chosen when the other end is known. */
static void bind_source(const struct load_session *session, uint64_t sources)
{
    const int on = 1;
    uint32_t n = (uint32_t)(session->number % sources);
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr =
                                     htonl(SOURCE_FIRST + n * SOURCE_STEP)};
    setsockopt(session->wire.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
               sizeof on);
    if (bind(session->wire.fd, (struct sockaddr *)&source, sizeof source) != 0)
        fatal("--sources: bind: %s", strerrordesc_np(errno));
}

void load_session_open(struct load_session *session)
{
    struct load *load = session->load;
    session->wire.fd =
        socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (session->wire.fd < 0)
        fatal("socket: %s", strerrordesc_np(errno));
    wire_set_no_delay(&session->wire);
    session->number = load->opened++;
    if (load->options->sources > 0)
        bind_source(session, load->options->sources);
    session->state = STATE_CONNECTING;
    session->opened_ns = session->moved_ns = load_now_ns();
    load->active++;
    load->in_set_up += load->options->idle > 0;
    if (connect(session->wire.fd, (struct sockaddr *)&load->target,
                sizeof load->target) != 0 &&
        errno != EINPROGRESS) {
        load->is_stopping = true;
        load_session_fail(session, "connect", strerrordesc_np(errno));
        return;
    }
    wire_watch(&session->wire, load->epoll, EPOLLIN | EPOLLOUT, session);
}

static void watch(struct load_session *session)
{
    bool has_more = octets_size(&session->out) > 0 || session->body_size > 0 ||
                    session->end_size > 0 || session->wire.wants_to_write;
    wire_watch(&session->wire, session->load->epoll,
               EPOLLIN | (has_more ? EPOLLOUT : 0u), session);
}

static void acknowledge(const struct load_session *session)
{
    if (session->load->options->acknowledges_at_once)
        wire_acknowledge(&session->wire);
}

/* What is to be written next; 0 octets: nothing is. */
static size_t next_piece(struct load_session *session, const char **piece)
{
    if (octets_size(&session->out) == 0 && session->body_size > 0) {
        *piece = session->body;
        return session->body_size;
    }
    if (octets_size(&session->out) == 0 && session->end_size > 0) {
        octets_add(&session->out, session->end, session->end_size);
        session->end_size = 0;
    }
    if (octets_size(&session->out) > 0)
        *piece = octets_at(&session->out);
    return octets_size(&session->out);
}

/* That the other end goes once it was told QUIT is no fault. */
static void lose(struct load_session *session, const char *what,
                 const char *why)
{
    if (session->state == STATE_QUIT)
        load_session_end(session);
    else
        load_session_fail(session, what, why);
}

static void drop_piece(struct load_session *session, const char *piece,
                       size_t size)
{
    if (piece == session->body) {
        session->body += size;
        session->body_size -= size;
    } else {
        octets_drop(&session->out, size);
    }
}

void load_session_flush(struct load_session *session)
{
    const char *piece = NULL;
    session->wire.wants_to_write = false;
    for (size_t size; (size = next_piece(session, &piece)) > 0;) {
        ssize_t n = wire_write(&session->wire, piece, size);
        if (n == WIRE_AGAIN)
            break;
        if (n == WIRE_FAILED) {
            lose(session, "write", session->wire.trouble);
            return;
        }
        drop_piece(session, piece, (size_t)n);
        session->moved_ns = load_now_ns();
    }
    /* A session that is held holds no memory. */
    if (session->load->options->idle > 0 && octets_size(&session->out) == 0)
        octets_release(&session->out);
    watch(session);
}

static bool is_connected(struct load_session *session)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(session->wire.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        load_session_fail(session, "connect", strerrordesc_np(error));
        return false;
    }
    session->state = session->load->options->mode == MODE_TLS ? STATE_SECURING
                                                              : STATE_GREETING;
    return true;
}

static bool is_secured(struct load_session *session)
{
    if (session->wire.tls == NULL)
        load_tls_secure(session);
    int done = wire_handshake(&session->wire);
    acknowledge(session);
    if (done == WIRE_AGAIN) {
        watch(session);
        return false;
    }
    if (done == WIRE_FAILED) {
        load_session_fail(session, "TLS handshake", session->wire.trouble);
        return false;
    }
    session->load->handshakes++;
    session->load->resumed += SSL_session_reused(session->wire.tls) != 0;
    load_opening_secured(session);
    return true;
}

/* Gives what is behind the last whole line. */
static char *take_lines(struct load_session *session, char *p, char *end)
{
    char *line_end;
    while (session->state != STATE_FREE &&
           (line_end = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        *line_end = '\0';
        load_dialogue_line(session, p);
        p = line_end + 1;
    }
    return p;
}

static void take_input(struct load_session *session, char *input, size_t size)
{
    char *end = input + size;
    octets_release(&session->rest);
    char *rest = take_lines(session, input, end);
    if (session->state == STATE_FREE)
        return;
    if (session->state == STATE_SECURING && rest < end) {
        load_session_fail(session, "STARTTLS", "more than one reply to it");
        return;
    }
    if (rest == input && size >= LOAD_INPUT_ROOM)
        load_session_fail(session, "reply", "a line is too long");
    else if (rest < end)
        octets_add(&session->rest, rest, (size_t)(end - rest));
}

static void read_replies(struct load_session *session)
{
    char *input = session->load->input;
    ssize_t n;
    do {
        size_t held = octets_size(&session->rest);
        if (held > 0)
            memcpy(input, octets_at(&session->rest), held);
        n = wire_read(&session->wire, input + held, LOAD_INPUT_ROOM - held);
        acknowledge(session);
        if (n == WIRE_AGAIN)
            break;
        if (n <= 0) {
            lose(session, "read",
                 n == 0 ? "closed by the server" : session->wire.trouble);
            return;
        }
        take_input(session, input, held + (size_t)n);
        if (session->state == STATE_FREE)
            return;
        load_session_flush(session);
        if (session->state == STATE_FREE || session->state == STATE_SECURING)
            return;
    } while (session->wire.tls != NULL || n >= SHORT_READ);
    watch(session);
}

void load_session_event(struct load_session *session)
{
    if (session->state == STATE_FREE)
        return;
    session->moved_ns = load_now_ns();
    if (session->state == STATE_CONNECTING && !is_connected(session))
        return;
    do {
        if (session->state == STATE_SECURING && !is_secured(session))
            return;
        load_session_flush(session);
        if (session->state != STATE_FREE)
            read_replies(session);
    } while (session->state == STATE_SECURING);
}
