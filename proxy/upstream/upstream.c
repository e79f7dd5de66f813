/* Failures are told at the end of the turn by one loop_later, which afterwards
 * serves to free the struct: thus no event comes from inside a call, and
 * nothing is freed under its own callback. */
#include "proxy/upstream/upstream.h"

#include "proxy/upstream/upstream_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

/* What is kept of a client, and the commands that tell it. */
#define TELLING_MAX (2 * XCLIENT_COMMANDS_MAX)

/* The end of the connection. A cut must not look like an end, so always by
 * RST, but where QUIT has been said. */
static void drop_stream(struct upstream *upstream)
{
    if (upstream->stream == NULL)
        return;
    if (upstream->state == UPSTREAM_QUIT)
        stream_close(upstream->stream);
    else
        stream_abort(upstream->stream);
    upstream->stream = NULL;
}

void upstream_drop(struct upstream *upstream)
{
    drop_stream(upstream);
    upstream_end_login(upstream);
    upstream_enter(upstream, UPSTREAM_CLOSED);
}

void upstream_fail(struct upstream *upstream, enum fault_kind kind,
                   const char *format, ...)
{
    if (upstream->state == UPSTREAM_CLOSED)
        return;
    char words[FAULT_WORDS_MAX / 2];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(words, sizeof(words), format, arguments) < 0)
        words[0] = '\0';
    va_end(arguments);
    fault_set(&upstream->fault, kind, "%s: %s",
              upstream_state_name(upstream->state), words);
    upstream->failed_in = upstream->state;
    upstream_drop(upstream);
    loop_later(upstream->target.loop, &upstream->later);
}

void upstream_send(struct upstream *upstream, struct str octets, size_t replies)
{
    if (upstream->state == UPSTREAM_CLOSED)
        return;
    if (upstream->due == 0 &&
        (stream_input(upstream->stream).n > 0 || upstream->is_in_reply)) {
        upstream_fail(upstream, FAULT_PROTOCOL, "it spoke unasked");
        return;
    }
    if (stream_write(upstream->stream, octets) != 0) {
        upstream_fail(upstream, FAULT_MEMORY, "no room to write");
        return;
    }
    upstream->due += replies;
}

static void send_greeting(struct upstream *upstream, const char *verb)
{
    char line[512];
    struct str host = upstream_greeting_name(upstream);
    int n =
        snprintf(line, sizeof(line), "%s %.*s\r\n", verb, (int)host.n, host.p);
    assert(n > 0 && (size_t)n < sizeof(line));
    upstream->capabilities = (struct capabilities){0};
    upstream_send(upstream, str_span(line, (size_t)n), 1);
}

static void send_ehlo(struct upstream *upstream)
{
    send_greeting(upstream, "EHLO");
}

static void send_helo(struct upstream *upstream)
{
    send_greeting(upstream, "HELO");
}

static void send_starttls(struct upstream *upstream)
{
    upstream_send(upstream, STR("STARTTLS\r\n"), 1);
}

static void secure(struct upstream *upstream)
{
    const struct upstream_target *target = &upstream->target;
    char host[256];
    const char *name = target->upstream->tls_name;
    assert(target->tls != NULL);
    if (name == NULL) {
        snprintf(host, sizeof(host), "%.*s", (int)target->server->host.n,
                 target->server->host.p);
        name = host;
    }
    if (stream_secure(upstream->stream, target->tls, name) != 0)
        upstream_fail(upstream, FAULT_TLS,
                      "octets in clear text behind STARTTLS");
    else
        stream_tls_offer(upstream->stream, tls_sessions_take(target->sessions));
}

static void send_data(struct upstream *upstream)
{
    upstream_send(upstream, STR("DATA\r\n"), 1);
}

static void send_rset(struct upstream *upstream)
{
    upstream_send(upstream, STR("RSET\r\n"), 1);
}

static void send_quit(struct upstream *upstream)
{
    upstream_send(upstream, STR("QUIT\r\n"), 1);
}

static void expect_banner(struct upstream *upstream)
{
    upstream->due = 1;
}

static void (*const entrances[UPSTREAM_STATE_COUNT])(struct upstream *) = {
    [UPSTREAM_BANNER] = expect_banner,
    [UPSTREAM_EHLO] = send_ehlo,
    [UPSTREAM_HELO] = send_helo,
    [UPSTREAM_UPGRADE] = send_starttls,
    [UPSTREAM_SECURING] = secure,
    [UPSTREAM_DATA] = send_data,
    [UPSTREAM_RSET] = send_rset,
    [UPSTREAM_QUIT] = send_quit,
    [UPSTREAM_TOKEN] = upstream_ask_token,
    [UPSTREAM_AUTH] = upstream_send_auth,
    [UPSTREAM_XCLIENT] = upstream_send_xclient,
};

/* The only way to change the state. */
void upstream_enter(struct upstream *upstream, enum upstream_state state)
{
    const struct upstream_target *target = &upstream->target;
    assert(upstream_state_may_follow(upstream->state, state));
    server_log_write(target->log, SERVER_DEBUG, "upstream %.*s: %.*s: %s",
                     (int)target->upstream->name.n, target->upstream->name.p,
                     (int)target->server->text.n, target->server->text.p,
                     upstream_state_name(state));
    upstream->state = state;
    if (upstream->stream != NULL)
        stream_expect_secrets(upstream->stream, state == UPSTREAM_TOKEN ||
                                                    state == UPSTREAM_AUTH);
    if (entrances[state] != NULL)
        entrances[state](upstream);
    /* The entrance may have failed and gone on to closed. */
    if (upstream->state == state)
        upstream_arm(upstream);
}

static void run_later(struct loop_later *later)
{
    struct upstream *upstream =
        (struct upstream *)((char *)later - offsetof(struct upstream, later));
    if (!upstream->is_freed) {
        upstream->events->on_failed(upstream->owner, upstream->failed_in,
                                    &upstream->fault);
        return;
    }
    reply_reader_release(&upstream->replies);
    arena_release(&upstream->telling);
    free(upstream);
}

struct upstream *upstream_start(const struct upstream_target *target,
                                const struct client_identity *client,
                                const struct upstream_events *events,
                                void *owner)
{
    const struct settings *settings = target->settings;
    struct upstream *upstream = calloc(1, sizeof(*upstream));
    if (upstream == NULL)
        return NULL;
    *upstream = (struct upstream){
        .target = *target,
        .events = events,
        .owner = owner,
        .state = UPSTREAM_CONNECTING,
        .started_ms = loop_now_ms(target->loop),
        .later.run = run_later,
    };
    reply_reader_init(&upstream->replies,
                      &(struct reply_limits){
                          .line = settings->caps.reply_line,
                          .lines = settings->caps.reply_lines,
                          .total = settings->caps.reply_bytes,
                      });
    arena_init(&upstream->telling, TELLING_MAX);
    upstream->deadline =
        timer_new(target->loop, upstream_on_deadline, upstream);
    if (upstream->deadline != NULL &&
        upstream_keep_client(upstream, client) == 0)
        upstream->stream = stream_connect(target->loop, target->server->host,
                                          target->server->port,
                                          settings->timeouts.upstream_connect,
                                          &upstream_stream_events, upstream);
    if (upstream->stream == NULL) {
        timer_free(upstream->deadline);
        reply_reader_release(&upstream->replies);
        arena_release(&upstream->telling);
        free(upstream);
        return NULL;
    }
    return upstream;
}

void upstream_free(struct upstream *upstream)
{
    if (upstream == NULL || upstream->is_freed)
        return;
    if (upstream->state != UPSTREAM_CLOSED)
        upstream_drop(upstream);
    timer_free(upstream->deadline);
    upstream->deadline = NULL;
    upstream->is_freed = true;
    loop_later(upstream->target.loop, &upstream->later);
}

void upstream_hand(struct upstream *upstream,
                   const struct upstream_events *events, void *owner)
{
    upstream->events = events;
    upstream->owner = owner;
}

enum upstream_state upstream_state(const struct upstream *upstream)
{
    return upstream->state;
}

const struct capabilities *upstream_capabilities(const struct upstream *u)
{
    return &u->capabilities;
}

enum extension upstream_lacks(const struct upstream *upstream,
                              unsigned extensions)
{
    for (enum extension i = 0; i < EXTENSION_COUNT; i++)
        if ((extensions & (1U << i)) != 0 &&
            !capabilities_have(&upstream->capabilities, i))
            return i;
    return EXTENSION_COUNT;
}

uint64_t upstream_transactions(const struct upstream *upstream)
{
    return upstream->transactions;
}

size_t upstream_due(const struct upstream *upstream)
{
    return upstream->due;
}

bool upstream_is_clean(const struct upstream *upstream)
{
    return upstream->state == UPSTREAM_READY && upstream->due == 0 &&
           stream_input(upstream->stream).n == 0 && !upstream->is_in_reply;
}

void upstream_quit(struct upstream *upstream)
{
    if (upstream->state == UPSTREAM_READY)
        upstream_enter(upstream, UPSTREAM_QUIT);
}
