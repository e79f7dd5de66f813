/* Questions to a server that answers by a script, over real sockets. */
#include "proxy/login/https_request.h"

#include "proxy/net/listen.h"
#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/tls/tls_context.h"
#include "tests/support/certificates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUESTS_MAX 8
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define FORM "token=abc"

struct contexts {
    struct tls_context *server;   /* 127.0.0.1 */
    struct tls_context *client;   /* trusts it */
    struct tls_context *stranger; /* trusts another */
};

struct scene;

struct guest {
    struct scene *scene;
    struct stream *stream; /* NULL: closed */
    char heard[2048];
    size_t length;
};

struct scene {
    struct loop *loop;
    struct listen *listen;
    struct timer *watchdog;
    struct https_server server;
    struct https_client *client;
    struct https_request *request;
    const struct contexts *contexts;
    /* What the n-th question is answered; NULL: not at all. */
    const char *answers[4];
    size_t answered;
    bool closes;   /* behind each answer */
    bool is_clear; /* the server speaks at once, without TLS */
    struct guest guests[GUESTS_MAX];
    size_t guest_count;
    size_t told;
    unsigned status;
    char body[100], error[400];
};

static bool is_request(const struct guest *guest)
{
    struct str heard = str_span(guest->heard, guest->length);
    return heard.n > strlen(FORM) &&
           str_equals(str_skip(heard, heard.n - strlen(FORM)), STR(FORM));
}

static void guest_on_bytes(void *owner)
{
    struct guest *guest = owner;
    struct scene *scene = guest->scene;
    struct str input = stream_input(guest->stream);
    assert_true(input.n < sizeof guest->heard - guest->length);
    memcpy(guest->heard + guest->length, input.p, input.n);
    guest->length += input.n;
    stream_consume(guest->stream, input.n);
    if (!is_request(guest))
        return;
    guest->length = 0;
    const char *answer = scene->answers[scene->answered++];
    if (answer != NULL)
        assert_int_equal(stream_write(guest->stream, str_from(answer)), 0);
    if (scene->closes) {
        stream_close(guest->stream);
        guest->stream = NULL;
    }
}

static void guest_on_ended(void *owner, enum stream_end end)
{
    struct guest *guest = owner;
    (void)end;
    stream_abort(guest->stream);
    guest->stream = NULL;
}

static const struct stream_events GUEST_EVENTS = {
    .on_bytes = guest_on_bytes,
    .on_ended = guest_on_ended,
};

static void on_accept(void *owner, int fd)
{
    struct scene *scene = owner;
    assert_true(scene->guest_count < GUESTS_MAX);
    struct guest *guest = &scene->guests[scene->guest_count++];
    guest->scene = scene;
    guest->stream = stream_accept(scene->loop, fd, &GUEST_EVENTS, guest);
    assert_non_null(guest->stream);
    if (scene->is_clear)
        stream_write(guest->stream, STR("220 ready\r\n"));
    else
        assert_int_equal(
            stream_secure(guest->stream, scene->contexts->server, NULL), 0);
}

static void on_exhausted(void *owner, int fd, int error)
{
    (void)owner;
    (void)fd;
    fail_msg("accept: %s", strerror(error));
}

static const struct listen_events LISTEN_EVENTS = {
    .on_accept = on_accept,
    .on_exhausted = on_exhausted,
};

static void on_watchdog(void *owner)
{
    (void)owner;
    fail_msg("what was waited for did not happen");
}

static void on_told(void *owner, unsigned status, struct str body,
                    const char *error)
{
    struct scene *scene = owner;
    scene->told++;
    scene->request = NULL;
    scene->status = status;
    snprintf(scene->body, sizeof scene->body, "%.*s", (int)body.n, body.p);
    snprintf(scene->error, sizeof scene->error, "%s",
             error == NULL ? "" : error);
    loop_stop(scene->loop);
}

static void begin(struct scene *scene, const struct contexts *contexts)
{
    char error[200];
    *scene = (struct scene){.loop = loop_new(), .contexts = contexts};
    assert_non_null(scene->loop);
    scene->listen = listen_open(scene->loop, STR("127.0.0.1"), 0,
                                &LISTEN_EVENTS, scene, error, sizeof error);
    assert_non_null(scene->listen);
    scene->watchdog = timer_new(scene->loop, on_watchdog, scene);
    timer_start(scene->watchdog, 10000);
    scene->server = (struct https_server){.host = "127.0.0.1",
                                          .port = listen_port(scene->listen),
                                          .authority = STR("127.0.0.1:1"),
                                          .target = STR("/introspect?x=y"),
                                          .tls = contexts->client,
                                          .timeout_ms = 5000};
    scene->client = https_client_new(scene->loop, &scene->server);
    assert_non_null(scene->client);
}

static void end(struct scene *scene)
{
    https_client_free(scene->client);
    for (size_t i = 0; i < scene->guest_count; i++)
        if (scene->guests[i].stream != NULL)
            stream_abort(scene->guests[i].stream);
    listen_close(scene->listen);
    timer_free(scene->watchdog);
    loop_free(scene->loop);
}

static void post(struct scene *scene)
{
    size_t told = scene->told;
    scene->request =
        https_post(scene->client, STR("Basic eDp5"), STR(FORM), on_told, scene);
    assert_non_null(scene->request);
    assert_int_equal(scene->told, told);
}

static void ask(struct scene *scene)
{
    post(scene);
    loop_run(scene->loop);
}

static void a_question_is_a_whole_request(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.answers[0] = OK "{}";
    ask(&scene);
    assert_int_equal(scene.status, 200);
    assert_string_equal(scene.body, "{}");
    assert_string_equal(scene.error, "");
    assert_string_equal(scene.guests[0].heard,
                        "POST /introspect?x=y HTTP/1.1\r\n"
                        "Host: 127.0.0.1:1\r\n"
                        "Authorization: Basic eDp5\r\n"
                        "Accept: application/json\r\n"
                        "Content-Type: application/x-www-form-urlencoded\r\n"
                        "Content-Length: 9\r\n\r\n" FORM);
    end(&scene);
}

static void a_connection_serves_one_question_behind_the_other(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.answers[0] = OK "{}";
    scene.answers[1] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    scene.answers[2] = OK "[]";
    ask(&scene);
    ask(&scene);
    assert_int_equal(scene.status, 401);
    ask(&scene);
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.guest_count, 1);
    end(&scene);
}

static void two_questions_at_once_have_two_connections(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.answers[0] = OK "{}";
    scene.answers[1] = OK "{}";
    scene.answers[2] = OK "[]";
    post(&scene);
    ask(&scene);
    while (scene.told < 2)
        loop_run(scene.loop);
    assert_int_equal(scene.guest_count, 2);
    ask(&scene);
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.guest_count, 2);
    end(&scene);
}

static void a_connection_that_was_closed_costs_no_question(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.answers[0] = OK "{}";
    scene.answers[1] = OK "[]";
    scene.closes = true;
    ask(&scene);
    /* Asked before the client has seen that it is closed. */
    ask(&scene);
    assert_string_equal(scene.error, "");
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.guest_count, 2);
    end(&scene);
}

struct fault_case {
    const char *title;
    const char *answer;
    bool closes, is_clear;
    const char *want; /* a piece of the error */
};

static const struct fault_case faults[] = {
    {"closed without an answer", NULL, true, false, "before its answer ended"},
    {"cut in the middle", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", true,
     false, "before its answer ended"},
    {"no HTTP", "500 5.5.2 What?\r\n", false, false, "no HTTP"},
    {"no TLS", NULL, false, true, "clear text"},
};

static void what_is_no_answer_is_told_in_words(void **state)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct scene scene;
        print_message("  %s\n", faults[i].title);
        begin(&scene, *state);
        scene.answers[0] = faults[i].answer;
        scene.closes = faults[i].closes;
        scene.is_clear = faults[i].is_clear;
        ask(&scene);
        print_message("    %s\n", scene.error);
        assert_int_equal(scene.status, 0);
        assert_non_null(strstr(scene.error, faults[i].want));
        end(&scene);
    }
}

static void a_certificate_of_a_stranger_is_refused(void **state)
{
    struct scene scene;
    const struct contexts *contexts = *state;
    begin(&scene, contexts);
    scene.server.tls = contexts->stranger;
    ask(&scene);
    print_message("  %s\n", scene.error);
    assert_non_null(strstr(scene.error, "certificate verify failed"));
    assert_non_null(strstr(scene.error, ": check ca"));
    assert_null(strstr(scene.error, "tls.fingerprint"));
    end(&scene);
}

static void a_certificate_of_another_name_is_refused(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.server.host = "localhost";
    ask(&scene);
    print_message("  %s\n", scene.error);
    assert_non_null(strstr(scene.error, ": check the host of the url"));
    end(&scene);
}

static void a_server_that_is_silent_has_its_time(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    scene.server.timeout_ms = 50;
    ask(&scene);
    assert_string_equal(scene.error, "it did not answer in time");
    end(&scene);
}

static void nobody_listens(void **state)
{
    struct scene scene;
    begin(&scene, *state);
    listen_close(scene.listen);
    scene.listen = NULL;
    ask(&scene);
    assert_non_null(strstr(scene.error, "connection refused"));
    end(&scene);
}

/* In each of its states: not connected yet, asked, answered. */
static void a_question_that_is_cancelled_is_not_told(void **state)
{
    for (size_t before = 0; before < 2; before++) {
        struct scene scene;
        begin(&scene, *state);
        scene.answers[before] = NULL;
        scene.answers[0] = before == 0 ? NULL : OK "{}";
        scene.answers[before + 1] = OK "[]";
        if (before > 0)
            ask(&scene);
        post(&scene);
        https_cancel(scene.request);
        size_t told = scene.told;
        scene.answered = before + 1;
        ask(&scene);
        assert_int_equal(scene.told, told + 1);
        assert_string_equal(scene.body, "[]");
        end(&scene);
    }
}

static int make_contexts(void **state)
{
    struct contexts *all = calloc(1, sizeof *all);
    struct certificate_folder folder;
    struct diags diags;
    certificate_folder_init(&folder);
    certificate_make(&folder,
                     &(struct certificate_wish){.file = "a",
                                                .names = "IP:127.0.0.1",
                                                .until_days = 30,
                                                .is_authority = true});
    certificate_make(&folder,
                     &(struct certificate_wish){.file = "b",
                                                .names = "IP:127.0.0.1",
                                                .until_days = 30,
                                                .is_authority = true});
    char *chain = certificate_path(&folder, "a.pem");
    char *key = certificate_path(&folder, "a.key");
    char *other = certificate_path(&folder, "b.pem");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings server = {.certificates = &certificate,
                                  .certificate_count = 1};
    diags_init(&diags);
    all->server = tls_context_new_server(&server, &diags);
    all->client = tls_context_new_https(chain, (struct mark){0}, &diags);
    all->stranger = tls_context_new_https(other, (struct mark){0}, &diags);
    assert_non_null(all->server);
    assert_non_null(all->client);
    assert_non_null(all->stranger);
    diags_release(&diags);
    free(chain);
    free(key);
    free(other);
    certificate_folder_release(&folder);
    *state = all;
    return 0;
}

static int free_contexts(void **state)
{
    struct contexts *all = *state;
    tls_context_free(all->server);
    tls_context_free(all->client);
    tls_context_free(all->stranger);
    free(all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_a_whole_request),
        cmocka_unit_test(a_connection_serves_one_question_behind_the_other),
        cmocka_unit_test(two_questions_at_once_have_two_connections),
        cmocka_unit_test(a_connection_that_was_closed_costs_no_question),
        cmocka_unit_test(what_is_no_answer_is_told_in_words),
        cmocka_unit_test(a_certificate_of_a_stranger_is_refused),
        cmocka_unit_test(a_certificate_of_another_name_is_refused),
        cmocka_unit_test(a_server_that_is_silent_has_its_time),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_question_that_is_cancelled_is_not_told),
    };
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
