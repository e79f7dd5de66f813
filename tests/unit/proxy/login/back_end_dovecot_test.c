/* The network, the clock and the log are the test's own: a server says what
 * the test lets it say, and time passes when the test says so. */
#include "proxy/login/back_end.h"
#include "proxy/login/dovecot_internal.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/smtp/xclient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHAKEN(mechanisms)                                                     \
    "VERSION\t1\t2\n" mechanisms "SPID\t7\nCUID\t1\nCOOKIE\tab\nDONE\n"
#define PLAIN "MECH\tPLAIN\tplaintext\n"

#define STREAMS_MAX 16
#define TIMERS_MAX 1200

/* Replaces proxy/net's. */
struct timer {
    struct loop *loop;
    void (*on_timer)(void *owner);
    void *owner;
    bool is_started;
    uint64_t due_ms;
};

struct stream {
    const struct stream_events *events;
    void *owner;
    bool is_aborted;
    char input[64 * 1024];
    size_t length;
    char sent[256 * 1024];
    size_t sent_length;
};

struct loop {
    uint64_t now_ms;
    struct timer *timers[TIMERS_MAX];
    struct stream *streams[STREAMS_MAX];
    size_t stream_count;
    bool is_inside;   /* of a call of the back-end's */
    const char *path; /* last connected to */
};

struct server_log {
    char text[4000];
    size_t lines;
};

uint64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

struct timer *timer_new(struct loop *loop, void (*on_timer)(void *owner),
                        void *owner)
{
    struct timer *timer = calloc(1, sizeof *timer);
    assert_non_null(timer);
    *timer = (struct timer){loop, on_timer, owner, false, 0};
    for (size_t i = 0; i < TIMERS_MAX; i++)
        if (loop->timers[i] == NULL) {
            loop->timers[i] = timer;
            return timer;
        }
    fail_msg("no room for a timer");
    return NULL;
}

void timer_start(struct timer *timer, uint64_t ms)
{
    timer->is_started = true;
    timer->due_ms = timer->loop->now_ms + ms;
}

void timer_stop(struct timer *timer)
{
    timer->is_started = false;
}

void timer_free(struct timer *timer)
{
    for (size_t i = 0; timer != NULL && i < TIMERS_MAX; i++)
        if (timer->loop->timers[i] == timer) {
            timer->loop->timers[i] = NULL;
            free(timer);
            return;
        }
}

struct stream *stream_connect_unix(struct loop *loop, const char *path,
                                   uint64_t timeout_ms,
                                   const struct stream_events *events,
                                   void *owner)
{
    struct stream *stream = calloc(1, sizeof *stream);
    assert_non_null(stream);
    assert_true(timeout_ms > 0);
    assert_true(loop->stream_count < STREAMS_MAX);
    stream->events = events;
    stream->owner = owner;
    loop->path = path;
    loop->streams[loop->stream_count++] = stream;
    return stream;
}

struct str stream_input(const struct stream *stream)
{
    assert_false(stream->is_aborted);
    return str_span(stream->input, stream->length);
}

void stream_consume(struct stream *stream, size_t octets)
{
    assert_false(stream->is_aborted);
    assert_true(octets <= stream->length);
    stream->length -= octets;
    memmove(stream->input, stream->input + octets, stream->length);
}

int stream_write(struct stream *stream, struct str octets)
{
    assert_false(stream->is_aborted);
    if (octets.n > sizeof stream->sent - stream->sent_length)
        return -1;
    memcpy(stream->sent + stream->sent_length, octets.p, octets.n);
    stream->sent_length += octets.n;
    return 0;
}

void stream_abort(struct stream *stream)
{
    assert_false(stream->is_aborted);
    stream->is_aborted = true;
}

const char *stream_error(const struct stream *stream)
{
    (void)stream;
    return "connection refused";
}

void server_log_write(struct server_log *log, enum server_log_level level,
                      const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(log->text);
    (void)level;
    va_start(arguments, format);
    vsnprintf(log->text + used, sizeof log->text - used, format, arguments);
    va_end(arguments);
    log->lines++;
}

struct world {
    struct loop loop;
    struct server_log log;
    void *back_end;
};

struct asked {
    struct world *world;
    struct claim claim;
    void *question;
    size_t answers;
    enum login_result result;
    bool has_addresses, has_groups;
    char told[400]; /* user/address,address/group,group */
    char error[200];
    struct asked *then_ask, *then_cancel;
};

static const struct client_identity CLIENT = {
    .address = STR_INIT("192.0.2.7"),
    .port = 49152,
    .server_port = 587,
};

static void open_world(struct world *world)
{
    const struct backend_settings settings = {.dovecot = "/run/auth-client"};
    memset(world, 0, sizeof *world);
    world->loop.now_ms = 1000000;
    const struct back_end_means means = {.loop = &world->loop,
                                         .log = &world->log};
    world->back_end = back_end_dovecot.open(&means, &settings, NULL);
    assert_non_null(world->back_end);
}

static void close_world(struct world *world)
{
    back_end_dovecot.close(world->back_end);
    for (size_t i = 0; i < world->loop.stream_count; i++) {
        assert_true(world->loop.streams[i]->is_aborted);
        free(world->loop.streams[i]);
    }
    for (size_t i = 0; i < TIMERS_MAX; i++)
        assert_null(world->loop.timers[i]);
}

static void start(struct asked *asked);

static size_t join(char *to, size_t room, const struct str *items, size_t count)
{
    size_t used = 0;
    used += (size_t)snprintf(to, room, "/");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(to + used, room - used, "%s%.*s",
                                 i > 0 ? "," : "", (int)items[i].n, items[i].p);
    return used;
}

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct asked *asked = owner;
    assert_false(asked->world->loop.is_inside);
    asked->answers++;
    asked->question = NULL;
    asked->result = answer->result;
    asked->has_addresses = answer->has_addresses;
    asked->has_groups = answer->has_groups;
    size_t used = (size_t)snprintf(asked->told, sizeof asked->told, "%.*s",
                                   (int)answer->user.n,
                                   answer->user.n > 0 ? answer->user.p : "");
    used += join(asked->told + used, sizeof asked->told - used,
                 answer->addresses, answer->address_count);
    join(asked->told + used, sizeof asked->told - used, answer->groups,
         answer->group_count);
    snprintf(asked->error, sizeof asked->error, "%s",
             answer->error == NULL ? "" : answer->error);
    if (asked->then_cancel != NULL)
        back_end_dovecot.cancel(asked->then_cancel->question);
    if (asked->then_ask != NULL)
        start(asked->then_ask);
}

static void start(struct asked *asked)
{
    asked->world->loop.is_inside = true;
    asked->question = back_end_dovecot.ask(asked->world->back_end,
                                           &asked->claim, on_answer, asked);
    asked->world->loop.is_inside = false;
    assert_non_null(asked->question);
}

static struct asked password_of(struct world *world, const char *name)
{
    return (struct asked){.world = world,
                          .claim = {.kind = CLAIM_PASSWORD,
                                    .mechanism = "LOGIN",
                                    .name = str_from(name),
                                    .secret = STR("sesame"),
                                    .session = STR("7QK3M9T2XA"),
                                    .client = &CLIENT}};
}

static struct asked token_of(struct world *world, const char *name,
                             const char *mechanism)
{
    struct asked asked = password_of(world, name);
    asked.claim.kind = CLAIM_TOKEN;
    asked.claim.mechanism = mechanism;
    asked.claim.secret = STR("tok.en");
    return asked;
}

static struct stream *newest(struct world *world)
{
    assert_true(world->loop.stream_count > 0);
    return world->loop.streams[world->loop.stream_count - 1];
}

static void say(struct world *world, const char *text)
{
    struct stream *stream = newest(world);
    size_t n = strlen(text);
    assert_false(stream->is_aborted);
    assert_true(n <= sizeof stream->input - stream->length);
    memcpy(stream->input + stream->length, text, n);
    stream->length += n;
    stream->events->on_bytes(stream->owner);
}

static void end(struct world *world, enum stream_end how)
{
    struct stream *stream = newest(world);
    assert_false(stream->is_aborted);
    stream->events->on_ended(stream->owner, how);
}

/* All that was sent since the last call. */
static const char *heard(struct world *world)
{
    struct stream *stream = newest(world);
    assert_true(stream->sent_length < sizeof stream->sent);
    stream->sent[stream->sent_length] = '\0';
    stream->sent_length = 0;
    return stream->sent;
}

static void shake(struct world *world, const char *handshake)
{
    struct stream *stream = newest(world);
    stream->events->on_ready(stream->owner);
    heard(world);
    say(world, handshake);
}

/* Timers that are due, and time. */
static void pass(struct world *world, uint64_t ms)
{
    uint64_t end_ms = world->loop.now_ms + ms;
    for (;;) {
        struct timer *next = NULL;
        for (size_t i = 0; i < TIMERS_MAX; i++) {
            struct timer *timer = world->loop.timers[i];
            if (timer != NULL && timer->is_started && timer->due_ms <= end_ms &&
                (next == NULL || timer->due_ms < next->due_ms))
                next = timer;
        }
        if (next == NULL)
            break;
        if (next->due_ms > world->loop.now_ms)
            world->loop.now_ms = next->due_ms;
        next->is_started = false;
        next->on_timer(next->owner);
    }
    world->loop.now_ms = end_ms;
}

static void assert_answer(const struct asked *asked, enum login_result want)
{
    assert_int_equal(asked->answers, 1);
    assert_int_equal(asked->result, want);
}

static void a_password_is_asked_about_in_plain(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    unsigned long process = 0;
    (void)state;
    open_world(&world);
    assert_int_equal(world.loop.stream_count, 0);
    start(&bob);
    assert_string_equal(world.loop.path, "/run/auth-client");
    newest(&world)->events->on_ready(newest(&world)->owner);
    const char *hello = heard(&world);
    assert_int_equal(sscanf(hello, "VERSION\t1\t1\nCPID\t%lu\n", &process), 1);
    assert_in_range(process, 1UL << 30, (1UL << 31) - 1);
    say(&world, SHAKEN(PLAIN));
    assert_string_equal(
        heard(&world),
        "AUTH\t1\tPLAIN\tservice=smtp\tsecured\tlip=0.0.0.0\trip=192.0.2.7\t"
        "lport=587\trport=49152\tsession=7QK3M9T2XA\tnologin\t"
        "resp=AGJvYgBzZXNhbWU=\n");
    assert_int_equal(bob.answers, 0);
    say(&world, "OK\t1\tuser=bob\n");
    assert_answer(&bob, LOGIN_OK);
    assert_string_equal(bob.told, "bob//");
    close_world(&world);
}

/* CPID must differ, or the server drops one of two. */
static void two_connections_are_two_processes(void **state)
{
    struct world first, second;
    struct asked bob = password_of(&first, "bob");
    struct asked eve = password_of(&second, "eve");
    char hello[100];
    (void)state;
    open_world(&first);
    open_world(&second);
    start(&bob);
    start(&eve);
    newest(&first)->events->on_ready(newest(&first)->owner);
    newest(&second)->events->on_ready(newest(&second)->owner);
    snprintf(hello, sizeof hello, "%s", heard(&first));
    assert_string_not_equal(hello, heard(&second));
    back_end_dovecot.cancel(bob.question);
    back_end_dovecot.cancel(eve.question);
    close_world(&first);
    close_world(&second);
}

static void whom_to_act_as_is_said(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    bob.claim.authzid = STR("eve");
    bob.claim.client = NULL;
    bob.claim.session = STR("");
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    assert_string_equal(heard(&world),
                        "AUTH\t1\tPLAIN\tservice=smtp\tsecured\tnologin\t"
                        "resp=ZXZlAGJvYgBzZXNhbWU=\n");
    say(&world, "FAIL\t1\tuser=bob\tauthz\n");
    assert_answer(&bob, LOGIN_FAILED);
    close_world(&world);
}

struct case_of_answer {
    const char *said;
    enum login_result want;
    const char *want_told;
    bool want_addresses, want_groups;
    size_t want_lines; /* in the log */
};

static const struct case_of_answer ANSWERS[] = {
    {"OK\t1\tuser=Bob", LOGIN_OK, "bob//", false, false, 0},
    {"OK\t1\tuser=bob\taddresses=B@Example.COM,*@x.example\tgroups=staff,a b",
     LOGIN_OK, "bob/b@example.com,*@x.example/staff,a b", true, true, 0},
    {"OK\t1\tuser=bob\taddresses=\tgroups", LOGIN_OK, "bob//", true, true, 0},
    {"OK\t1\tuser=bob\taddresses=,, a@b.example ,", LOGIN_OK,
     "bob/a@b.example/", true, false, 0},
    {"OK\t1\tuser=bob\taddresses=no address,a@b.example,@x,*@\xc3\xa9.example",
     LOGIN_OK, "bob/a@b.example/", true, false, 1},
    {"OK\t1\tuser=bob\tgroups=x\001ny,z", LOGIN_OK, "bob//z", false, true, 1},
    {"OK\t1\tuser=bob\tmoreaddresses=a@b.example", LOGIN_OK, "bob//", false,
     false, 0},
    {"OK\t1\tuser=b\001tob", LOGIN_FAILED, "//", false, false, 0},
    {"OK\t1\tuser=bob\tnologin\treason=x", LOGIN_FAILED, "//", false, false, 0},
    {"OK\t1\tuser=bob\tproxy\thost=192.0.2.1", LOGIN_FAILED, "//", false, false,
     1},
    {"OK\t1\tuser=", LOGIN_UNAVAILABLE, "//", false, false, 0},
    {"OK\t1", LOGIN_UNAVAILABLE, "//", false, false, 0},
    {"FAIL\t1\tuser=bob", LOGIN_FAILED, "//", false, false, 0},
    {"FAIL\t1\tuser=bob\tuser_disabled", LOGIN_FAILED, "//", false, false, 0},
    {"FAIL\t1\tuser=bob\tpass_expired", LOGIN_FAILED, "//", false, false, 0},
    {"FAIL\t1\tuser=bob\tcode=pass_expired\treason=temp", LOGIN_FAILED, "//",
     false, false, 0},
    {"FAIL\t1\tuser=bob\tauthz", LOGIN_FAILED, "//", false, false, 0},
    {"FAIL\t1\tuser=bob\ttemp", LOGIN_UNAVAILABLE, "//", false, false, 0},
    {"FAIL\t1\tcode=temp_fail\tuser=bob", LOGIN_UNAVAILABLE, "//", false, false,
     0},
    {"FAIL\t1", LOGIN_FAILED, "//", false, false, 0},
};

static void answer_as(const struct case_of_answer *c, bool is_slow)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    char said[400], octet[2] = "";
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    snprintf(said, sizeof said, "%s\n", c->said);
    for (size_t i = 0; is_slow && said[i] != '\0'; i++) {
        assert_int_equal(bob.answers, 0);
        octet[0] = said[i];
        say(&world, octet);
    }
    if (!is_slow)
        say(&world, said);
    assert_answer(&bob, c->want);
    assert_string_equal(bob.told, c->want_told);
    assert_int_equal(bob.has_addresses, c->want_addresses);
    assert_int_equal(bob.has_groups, c->want_groups);
    assert_int_equal(bob.error[0] != '\0', c->want == LOGIN_UNAVAILABLE);
    assert_int_equal(world.log.lines, c->want_lines);
    close_world(&world);
}

static void answers_have_their_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        answer_as(&ANSWERS[i], false);
        answer_as(&ANSWERS[i], true);
    }
}

#define OAUTHBEARER "MECH\tOAUTHBEARER\n"
#define XOAUTH2 "MECH\tXOAUTH2\n"

struct case_of_token {
    const char *mechanism, *name, *handshake;
    const char *want; /* of the request; NULL: refused without asking */
};

static const struct case_of_token TOKENS[] = {
    {"OAUTHBEARER", "bob", SHAKEN(PLAIN XOAUTH2 OAUTHBEARER),
     /* n,a=bob,^Aauth=Bearer tok.en^A^A */
     "\tOAUTHBEARER\t* resp=bixhPWJvYiwBYXV0aD1CZWFyZXIgdG9rLmVuAQE="},
    {"XOAUTH2", "bob", SHAKEN(PLAIN OAUTHBEARER XOAUTH2),
     /* user=bob^Aauth=Bearer tok.en^A^A */
     "\tXOAUTH2\t* resp=dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rLmVuAQE="},
    {"XOAUTH2", "bob", SHAKEN(OAUTHBEARER),
     "\tOAUTHBEARER\t* resp=bixhPWJvYiwBYXV0aD1CZWFyZXIgdG9rLmVuAQE="},
    {"OAUTHBEARER", "bob", SHAKEN(XOAUTH2),
     "\tXOAUTH2\t* resp=dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG9rLmVuAQE="},
    /* n,,^Aauth=Bearer tok.en^A^A */
    {"OAUTHBEARER", "", SHAKEN(OAUTHBEARER),
     "\tOAUTHBEARER\t* resp=biwsAWF1dGg9QmVhcmVyIHRvay5lbgEB"},
    /* n,a=b=2Cc=3D,^Aauth=Bearer tok.en^A^A */
    {"OAUTHBEARER", "b,c=", SHAKEN(OAUTHBEARER),
     "\tOAUTHBEARER\t* resp=bixhPWI9MkNjPTNELAFhdXRoPUJlYXJlciB0b2suZW4BAQ=="},
    {"OAUTHBEARER", "", SHAKEN(XOAUTH2), NULL},
    {"OAUTHBEARER", "bob", SHAKEN(PLAIN), NULL},
    {"XOAUTH2", "bob", SHAKEN(""), NULL},
    /* A field of its own. */
    {"XOAUTH2", "bob\001auth=Bearer x", SHAKEN(XOAUTH2), NULL},
    {"OAUTHBEARER", "bob\001auth=Bearer x", SHAKEN(OAUTHBEARER), NULL},
};

static void check_token(const struct case_of_token *c, bool is_open)
{
    struct world world;
    struct asked first = token_of(&world, "first", "XOAUTH2");
    struct asked bob = token_of(&world, c->name, c->mechanism);
    char name[40], *middle;
    open_world(&world);
    if (is_open) {
        start(&first);
        shake(&world, c->handshake);
        heard(&world);
        start(&bob);
    } else {
        start(&bob);
        shake(&world, c->handshake);
    }
    const char *line = heard(&world);
    if (c->want == NULL) {
        assert_string_equal(line, "");
        pass(&world, 0);
        assert_answer(&bob, LOGIN_FAILED);
    } else {
        snprintf(name, sizeof name, "%s", c->want);
        middle = strchr(name, '*');
        assert_non_null(middle);
        *middle = '\0';
        assert_non_null(strstr(line, name));
        assert_non_null(strstr(line, strchr(c->want, '*') + 2));
        back_end_dovecot.cancel(bob.question);
    }
    if (first.question != NULL)
        back_end_dovecot.cancel(first.question);
    close_world(&world);
}

static void a_token_goes_in_a_mechanism_that_there_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TOKENS / sizeof *TOKENS; i++) {
        check_token(&TOKENS[i], false);
        check_token(&TOKENS[i], true);
    }
}

static void why_a_token_is_refused_is_taken_note_of(void **state)
{
    struct world world;
    struct asked bob = token_of(&world, "bob", "OAUTHBEARER");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(OAUTHBEARER));
    heard(&world);
    say(&world, "CONT\t1\teyJzdGF0dXMiOiI0MDEifQ==\n");
    assert_string_equal(heard(&world), "CONT\t1\tAQ==\n");
    assert_int_equal(bob.answers, 0);
    say(&world, "FAIL\t1\tuser=bob\n");
    assert_answer(&bob, LOGIN_FAILED);
    close_world(&world);
}

static void there_is_no_second_challenge(void **state)
{
    struct world world;
    struct asked bob = token_of(&world, "bob", "OAUTHBEARER");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(OAUTHBEARER PLAIN));
    say(&world, "CONT\t1\te30=\n");
    heard(&world);
    say(&world, "CONT\t1\te30=\n");
    assert_string_equal(heard(&world), "CANCEL\t1\n");
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    start(&eve);
    heard(&world);
    say(&world, "CONT\t2\t\n");
    assert_string_equal(heard(&world), "CANCEL\t2\n");
    assert_answer(&eve, LOGIN_UNAVAILABLE);
    close_world(&world);
}

static void many_are_under_way_on_one_connection(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    struct asked ann = password_of(&world, "ann");
    (void)state;
    open_world(&world);
    start(&bob);
    start(&eve);
    shake(&world, SHAKEN(PLAIN));
    start(&ann);
    say(&world, "OK\t3\tuser=ann\nFAIL\t1\nOK\t2\tuser=eve\nOK\t2\tuser=x\n"
                "OK\t77\tuser=y\n");
    assert_answer(&bob, LOGIN_FAILED);
    assert_answer(&eve, LOGIN_OK);
    assert_string_equal(eve.told, "eve//");
    assert_answer(&ann, LOGIN_OK);
    assert_string_equal(ann.told, "ann//");
    assert_int_equal(world.loop.stream_count, 1);
    close_world(&world);
}

static void who_hears_an_answer_may_ask_and_cancel(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    struct asked ann = password_of(&world, "ann");
    (void)state;
    open_world(&world);
    bob.then_cancel = &eve;
    bob.then_ask = &ann;
    start(&bob);
    start(&eve);
    shake(&world, SHAKEN(PLAIN));
    heard(&world);
    say(&world, "OK\t1\tuser=bob\nOK\t2\tuser=eve\n");
    assert_answer(&bob, LOGIN_OK);
    assert_int_equal(eve.answers, 0);
    assert_int_equal(strncmp(heard(&world), "CANCEL\t2\nAUTH\t3\tPLAIN\t", 22),
                     0);
    say(&world, "OK\t3\tuser=ann\n");
    assert_answer(&ann, LOGIN_OK);
    close_world(&world);
}

static void what_was_cancelled_before_it_was_asked_is_not(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    back_end_dovecot.cancel(bob.question);
    shake(&world, SHAKEN(PLAIN));
    assert_string_equal(heard(&world), "");
    assert_int_equal(bob.answers, 0);
    close_world(&world);
}

static void a_lost_connection_is_had_again_once(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    heard(&world);
    end(&world, STREAM_END_EOF);
    assert_int_equal(world.loop.stream_count, 2);
    shake(&world, SHAKEN(PLAIN));
    assert_int_equal(strncmp(heard(&world), "AUTH\t2\tPLAIN\t", 13), 0);
    say(&world, "OK\t1\tuser=stale\n");
    assert_int_equal(bob.answers, 0);
    end(&world, STREAM_END_RESET);
    pass(&world, 0);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    assert_string_equal(bob.error, "it closed the connection");
    assert_int_equal(world.loop.stream_count, 2);
    close_world(&world);
}

static void a_connection_that_nobody_needs_is_not_had_again(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "OK\t1\tuser=bob\n");
    end(&world, STREAM_END_EOF);
    pass(&world, 60000);
    assert_int_equal(world.loop.stream_count, 1);
    close_world(&world);
}

static void a_restart_is_waited_for(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    end(&world, STREAM_END_EOF);
    for (int i = 0; i < 4; i++) {
        end(&world, STREAM_END_CONNECT);
        pass(&world, 200);
    }
    start(&eve);
    assert_int_equal(world.loop.stream_count, 6);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "OK\t2\tuser=bob\nOK\t3\tuser=eve\n");
    assert_answer(&bob, LOGIN_OK);
    assert_answer(&eve, LOGIN_OK);
    close_world(&world);
}

static void a_restart_is_not_waited_for_long(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    end(&world, STREAM_END_EOF);
    pass(&world, 2900);
    end(&world, STREAM_END_CONNECT);
    pass(&world, 200);
    assert_int_equal(bob.answers, 0);
    end(&world, STREAM_END_CONNECT);
    pass(&world, 0);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    close_world(&world);
}

static void a_server_that_is_away_is_told_of_at_once(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    start(&eve);
    end(&world, STREAM_END_CONNECT);
    assert_int_equal(bob.answers, 0);
    pass(&world, 0);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    assert_answer(&eve, LOGIN_UNAVAILABLE);
    assert_non_null(strstr(bob.error, "connection refused"));
    assert_non_null(strstr(bob.error, "unix_listener"));
    bob.answers = 0;
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "OK\t1\tuser=bob\n");
    assert_answer(&bob, LOGIN_OK);
    close_world(&world);
}

struct case_of_trouble {
    const char *said;
    const char *want; /* of the error */
};

static const struct case_of_trouble TROUBLES[] = {
    {"VERSION\t2\t0\n", "major version"},
    {"220 mx.example.com ESMTP\n", "no authentication socket"},
    {SHAKEN("MECH\tCRAM-MD5\n"), "lack plain"},
};

static void trouble_with_the_handshake_is_told_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TROUBLES / sizeof *TROUBLES; i++) {
        struct world world;
        struct asked bob = password_of(&world, "bob");
        open_world(&world);
        start(&bob);
        shake(&world, TROUBLES[i].said);
        pass(&world, 0);
        assert_answer(&bob, LOGIN_UNAVAILABLE);
        assert_non_null(strstr(bob.error, TROUBLES[i].want));
        close_world(&world);
    }
}

static void a_handshake_has_a_time_limit(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, "VERSION\t1\t2\nMECH\tPLAIN\n");
    pass(&world, DOVECOT_HANDSHAKE_MS - 1);
    assert_int_equal(bob.answers, 0);
    pass(&world, 1);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    assert_true(newest(&world)->is_aborted);
    close_world(&world);
}

static void a_silent_server_is_left(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    pass(&world, 10000);
    start(&eve);
    pass(&world, DOVECOT_ANSWER_MS - 10001);
    assert_int_equal(bob.answers, 0);
    pass(&world, 1);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    assert_int_equal(eve.answers, 0);
    assert_int_equal(world.loop.stream_count, 2);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "OK\t3\tuser=eve\n");
    assert_answer(&eve, LOGIN_OK);
    close_world(&world);
}

static void a_slow_answer_is_no_silent_server(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    start(&eve);
    shake(&world, SHAKEN(PLAIN));
    heard(&world);
    pass(&world, 1000);
    say(&world, "OK\t2\tuser=eve\n");
    pass(&world, DOVECOT_ANSWER_MS);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    assert_string_equal(heard(&world), "CANCEL\t1\n");
    say(&world, "OK\t1\tuser=bob\n");
    assert_int_equal(bob.answers, 1);
    assert_int_equal(world.loop.stream_count, 1);
    close_world(&world);
}

static void so_many_are_under_way_at_most(void **state)
{
    static struct asked many[DOVECOT_QUESTIONS_MAX];
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    for (size_t i = 0; i < DOVECOT_QUESTIONS_MAX; i++) {
        many[i] = password_of(&world, "x");
        start(&many[i]);
    }
    start(&bob);
    pass(&world, 0);
    assert_answer(&bob, LOGIN_UNAVAILABLE);
    shake(&world, SHAKEN(PLAIN));
    for (size_t i = 0; i < DOVECOT_QUESTIONS_MAX; i++)
        back_end_dovecot.cancel(many[i].question);
    bob.answers = 0;
    start(&bob);
    say(&world, "OK\t1001\tuser=bob\n");
    assert_answer(&bob, LOGIN_OK);
    close_world(&world);
}

/* The server would cut off all others with it. */
static void what_is_too_long_is_not_asked(void **state)
{
    static char secret[16000];
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    memset(secret, 's', sizeof secret);
    open_world(&world);
    bob.claim.secret = str_span(secret, sizeof secret);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    assert_string_equal(heard(&world), "");
    pass(&world, 0);
    assert_answer(&bob, LOGIN_FAILED);
    close_world(&world);
}

static void a_queue_that_is_full_is_no_end(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    newest(&world)->sent_length = sizeof newest(&world)->sent;
    start(&eve);
    pass(&world, 0);
    assert_answer(&eve, LOGIN_UNAVAILABLE);
    newest(&world)->sent_length = 0;
    say(&world, "OK\t1\tuser=bob\n");
    assert_answer(&bob, LOGIN_OK);
    close_world(&world);
}

static void nothing_is_left_of_a_password(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    (void)state;
    open_world(&world);
    start(&bob);
    shake(&world, SHAKEN(PLAIN));
    assert_non_null(strstr(heard(&world), "AGJvYgBzZXNhbWU="));
    assert_null(memmem(world.back_end, sizeof(struct dovecot), "AGJvYgBz", 8));
    back_end_dovecot.cancel(bob.question);
    close_world(&world);
}

static void nonsense_among_answers_ends_the_connection(void **state)
{
    struct world world;
    struct asked bob = password_of(&world, "bob");
    struct asked eve = password_of(&world, "eve");
    (void)state;
    open_world(&world);
    start(&bob);
    start(&eve);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "OK\t1\tuser=bob\nOK\tx\tuser=eve\nOK\t2\tuser=eve\n");
    assert_answer(&bob, LOGIN_OK);
    assert_int_equal(eve.answers, 0);
    assert_int_equal(world.loop.stream_count, 2);
    shake(&world, SHAKEN(PLAIN));
    say(&world, "FAIL\t3\tuser=eve\n");
    assert_answer(&eve, LOGIN_FAILED);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_asked_about_in_plain),
        cmocka_unit_test(two_connections_are_two_processes),
        cmocka_unit_test(whom_to_act_as_is_said),
        cmocka_unit_test(answers_have_their_meaning),
        cmocka_unit_test(a_token_goes_in_a_mechanism_that_there_is),
        cmocka_unit_test(why_a_token_is_refused_is_taken_note_of),
        cmocka_unit_test(there_is_no_second_challenge),
        cmocka_unit_test(many_are_under_way_on_one_connection),
        cmocka_unit_test(who_hears_an_answer_may_ask_and_cancel),
        cmocka_unit_test(what_was_cancelled_before_it_was_asked_is_not),
        cmocka_unit_test(a_lost_connection_is_had_again_once),
        cmocka_unit_test(a_connection_that_nobody_needs_is_not_had_again),
        cmocka_unit_test(a_restart_is_waited_for),
        cmocka_unit_test(a_restart_is_not_waited_for_long),
        cmocka_unit_test(a_server_that_is_away_is_told_of_at_once),
        cmocka_unit_test(trouble_with_the_handshake_is_told_of),
        cmocka_unit_test(a_handshake_has_a_time_limit),
        cmocka_unit_test(a_silent_server_is_left),
        cmocka_unit_test(a_slow_answer_is_no_silent_server),
        cmocka_unit_test(so_many_are_under_way_at_most),
        cmocka_unit_test(what_is_too_long_is_not_asked),
        cmocka_unit_test(a_queue_that_is_full_is_no_end),
        cmocka_unit_test(nothing_is_left_of_a_password),
        cmocka_unit_test(nonsense_among_answers_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
