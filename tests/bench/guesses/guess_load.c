/* Guesses passwords as fast as it can: many connections to a listener with
 * implicit TLS that believes PROXY headers, so that each comes from a network
 * of its own, or all from one. Prints what was answered.
 *
 *   guess_load PORT SECONDS CONNECTIONS (one-name | one-net) RATE
 *
 * RATE is how many guesses a second are begun, as far as there are connections
 * without one; 0: as many as are answered. */
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/sasl/base64.h"
#include "proxy/tls/tls_context.h"
#include "tests/support/from_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load {
    struct loop *loop;
    struct tls_context *tls;
    uint16_t port;
    bool is_one_net;
    bool has_ended;
    unsigned long rate, allowed; /* a second; guesses that may begin by now */
    uint64_t since_ms;
    struct timer *ticks;
    struct guesser *resting; /* until another guess may begin */
    unsigned long connections, guesses;
    unsigned long refused, unavailable, closed; /* 535, 454, 421 */
};

enum step { STEP_GREETING, STEP_EHLO, STEP_AUTH };

struct guesser {
    struct load *load;
    struct stream *stream;
    enum step step;
    struct guesser *next; /* that rests too */
    struct loop_later again;
};

static void begin(struct guesser *guesser);

static void say(struct guesser *guesser, const char *text)
{
    if (stream_write(guesser->stream, str_from(text)) != 0)
        abort();
}

static void guess(struct guesser *guesser)
{
    char plain[128], text[256], line[300];
    unsigned long n = guesser->load->guesses++;
    int length =
        guesser->load->is_one_net
            ? snprintf(plain, sizeof plain, "%cuser%lu%cguess", 0, n % 1000000,
                       0)
            : snprintf(plain, sizeof plain, "%cbob%cguess%lu", 0, 0, n);
    base64_encode(str_span(plain, (size_t)length), text);
    snprintf(line, sizeof line, "AUTH PLAIN %s\r\n", text);
    say(guesser, line);
}

static void guess_or_rest(struct guesser *guesser)
{
    struct load *load = guesser->load;
    if (load->rate == 0 || load->guesses < load->allowed) {
        guess(guesser);
        return;
    }
    guesser->next = load->resting;
    load->resting = guesser;
}

static void on_tick(void *owner)
{
    struct load *load = owner;
    load->allowed =
        (loop_now_ms(load->loop) - load->since_ms) * load->rate / 1000;
    while (load->resting != NULL && load->guesses < load->allowed) {
        struct guesser *guesser = load->resting;
        load->resting = guesser->next;
        guess(guesser);
    }
    timer_start(load->ticks, 1);
}

static void take_reply(struct guesser *guesser, struct str line)
{
    struct load *load = guesser->load;
    if (line.n < 4 || line.p[3] == '-')
        return;
    switch (guesser->step) {
    case STEP_GREETING:
        guesser->step = STEP_EHLO;
        say(guesser, "EHLO guesser\r\n");
        return;
    case STEP_EHLO:
        guesser->step = STEP_AUTH;
        break;
    case STEP_AUTH:
        load->refused += str_starts_with(line, STR("535"));
        load->unavailable += str_starts_with(line, STR("454"));
        load->closed += str_starts_with(line, STR("421"));
        break;
    }
    if (!str_starts_with(line, STR("421")))
        guess_or_rest(guesser);
}

static void on_bytes(void *owner)
{
    struct guesser *guesser = owner;
    struct str line, rest, input = stream_input(guesser->stream);
    while (str_cut(input, '\n', &line, &rest)) {
        take_reply(guesser, line);
        stream_consume(guesser->stream, line.n + 1);
        input = stream_input(guesser->stream);
    }
}

static void run_again(struct loop_later *later)
{
    struct guesser *guesser =
        (struct guesser *)((char *)later - offsetof(struct guesser, again));
    if (!guesser->load->has_ended)
        begin(guesser);
}

static void on_ended(void *owner, enum stream_end end)
{
    struct guesser *guesser = owner;
    (void)end;
    stream_abort(guesser->stream);
    guesser->stream = NULL;
    for (struct guesser **at = &guesser->load->resting; *at != NULL;
         at = &(*at)->next) {
        if (*at == guesser) {
            *at = guesser->next;
            break;
        }
    }
    loop_later(guesser->load->loop, &guesser->again);
}

/* The first time it is connected, the second time it is secure. */
static void on_ready(void *owner)
{
    struct guesser *guesser = owner;
    struct load *load = guesser->load;
    char header[128];
    if (stream_is_secure(guesser->stream))
        return;
    unsigned long n = load->is_one_net ? 7 : load->connections++;
    snprintf(header, sizeof header,
             "PROXY TCP4 10.%lu.%lu.%lu 127.0.0.1 40000 465\r\n", n >> 16 & 255,
             n >> 8 & 255, n & 255);
    say(guesser, header);
    if (stream_secure(guesser->stream, load->tls, "localhost") != 0)
        abort();
}

static const struct stream_events events = {
    .on_ready = on_ready, .on_bytes = on_bytes, .on_ended = on_ended};

static void begin(struct guesser *guesser)
{
    guesser->step = STEP_GREETING;
    guesser->stream =
        stream_connect(guesser->load->loop, STR("127.0.0.1"),
                       guesser->load->port, 10000, &events, guesser);
    if (guesser->stream == NULL)
        abort();
}

static void on_time(void *owner)
{
    struct load *load = owner;
    load->has_ended = true;
    loop_stop(load->loop);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: guess_load PORT SECONDS CONNECTIONS "
                        "one-name|one-net RATE\n");
        return 2;
    }
    struct diags diags;
    const struct upstream_settings settings = {.is_verified = false};
    unsigned long seconds = strtoul(argv[2], NULL, 10);
    size_t count = strtoul(argv[3], NULL, 10);
    struct guesser *guessers = calloc(count + 1, sizeof *guessers);
    diags_init(&diags);
    struct load load = {
        .loop = loop_new(),
        .tls = FROM_DISK(tls_context_new_client(&settings, disk, &diags)),
        .port = (uint16_t)strtoul(argv[1], NULL, 10),
        .is_one_net = strcmp(argv[4], "one-net") == 0};
    load.rate = strtoul(argv[5], NULL, 10);
    load.since_ms = loop_now_ms(load.loop);
    load.ticks = timer_new(load.loop, on_tick, &load);
    if (load.rate > 0)
        timer_start(load.ticks, 1);
    struct timer *timer = timer_new(load.loop, on_time, &load);
    timer_start(timer, seconds * 1000);
    for (size_t i = 0; i < count; i++) {
        guessers[i] = (struct guesser){.load = &load, .again.run = run_again};
        begin(&guessers[i]);
    }
    loop_run(load.loop);
    printf("{\"seconds\": %lu, \"guesses\": %lu, \"refused\": %lu, "
           "\"unavailable\": %lu, \"closed\": %lu}\n",
           seconds, load.guesses, load.refused, load.unavailable, load.closed);
    fflush(stdout);
    /* What is open ends with the process. */
    _Exit(0);
}
