/* Questions to a server that answers by a script, over real sockets. */
#include "proxy/login/https_request.h"

#include "tests/support/https_peer.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define FORM "token=abc"

struct scene {
    struct https_peer peer;
    struct tls_context *tls;
    struct https_server server;
    struct https_client *client;
    struct https_request *request;
    size_t told;
    unsigned status;
    char body[100], error[400];
};

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
    loop_stop(scene->peer.loop);
}

static struct tls_context *trusting(const char *ca)
{
    struct diags diags;
    diags_init(&diags);
    struct tls_context *tls =
        FROM_DISK(tls_context_new_https(ca, (struct mark){0}, disk, &diags));
    assert_non_null(tls);
    diags_release(&diags);
    return tls;
}

static void begin(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    https_peer_init(&scene->peer);
    scene->peer.end_of_request = FORM;
    scene->tls = trusting(scene->peer.trusted);
    scene->server = (struct https_server){.host = "127.0.0.1",
                                          .port = scene->peer.port,
                                          .authority = STR("127.0.0.1:1"),
                                          .target = STR("/introspect?x=y"),
                                          .tls = scene->tls,
                                          .timeout_ms = 5000};
    scene->client = https_client_new(scene->peer.loop, &scene->server);
    assert_non_null(scene->client);
}

static void end(struct scene *scene)
{
    https_client_free(scene->client);
    https_peer_release(&scene->peer);
    tls_context_free(scene->tls);
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
    loop_run(scene->peer.loop);
}

static void a_question_is_a_whole_request(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    scene.peer.answers[0] = OK "{}";
    ask(&scene);
    assert_int_equal(scene.status, 200);
    assert_string_equal(scene.body, "{}");
    assert_string_equal(scene.error, "");
    assert_string_equal(scene.peer.guests[0].heard,
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
    (void)state;
    begin(&scene);
    scene.peer.answers[0] = OK "{}";
    scene.peer.answers[1] =
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    scene.peer.answers[2] = OK "[]";
    ask(&scene);
    ask(&scene);
    assert_int_equal(scene.status, 401);
    ask(&scene);
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.peer.guest_count, 1);
    end(&scene);
}

static void two_questions_at_once_have_two_connections(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    scene.peer.answers[0] = OK "{}";
    scene.peer.answers[1] = OK "{}";
    scene.peer.answers[2] = OK "[]";
    post(&scene);
    ask(&scene);
    while (scene.told < 2)
        loop_run(scene.peer.loop);
    assert_int_equal(scene.peer.guest_count, 2);
    ask(&scene);
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.peer.guest_count, 2);
    end(&scene);
}

static void a_connection_that_was_closed_costs_no_question(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    scene.peer.answers[0] = OK "{}";
    ask(&scene);
    /* It closes where the second question comes, as if it had before. */
    scene.peer.closes = true;
    scene.peer.answers[2] = OK "[]";
    ask(&scene);
    assert_string_equal(scene.error, "");
    assert_string_equal(scene.body, "[]");
    assert_int_equal(scene.peer.guest_count, 2);
    end(&scene);
}

static void a_question_is_put_again_once(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    scene.peer.answers[0] = OK "{}";
    ask(&scene);
    scene.peer.closes = true;
    ask(&scene);
    assert_string_equal(scene.error,
                        "it closed the connection before its answer ended");
    assert_int_equal(scene.peer.guest_count, 2);
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
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct scene scene;
        print_message("  %s\n", faults[i].title);
        begin(&scene);
        scene.peer.answers[0] = faults[i].answer;
        scene.peer.closes = faults[i].closes;
        scene.peer.is_clear = faults[i].is_clear;
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
    (void)state;
    begin(&scene);
    tls_context_free(scene.tls);
    scene.tls = trusting(scene.peer.other);
    scene.server.tls = scene.tls;
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
    (void)state;
    begin(&scene);
    scene.server.host = "localhost";
    ask(&scene);
    print_message("  %s\n", scene.error);
    assert_non_null(strstr(scene.error, ": check the host of the url"));
    end(&scene);
}

static void a_server_that_is_silent_has_its_time(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    scene.server.timeout_ms = 50;
    ask(&scene);
    assert_string_equal(scene.error, "it did not answer in time");
    end(&scene);
}

static void nobody_listens(void **state)
{
    struct scene scene;
    (void)state;
    begin(&scene);
    https_peer_deafen(&scene.peer);
    ask(&scene);
    assert_non_null(strstr(scene.error, "connection refused"));
    end(&scene);
}

/* In each of its states: not connected yet, asked, answered. */
static void a_question_that_is_cancelled_is_not_told(void **state)
{
    (void)state;
    for (size_t before = 0; before < 2; before++) {
        struct scene scene;
        begin(&scene);
        scene.peer.answers[before] = NULL;
        scene.peer.answers[0] = before == 0 ? NULL : OK "{}";
        scene.peer.answers[before + 1] = OK "[]";
        if (before > 0)
            ask(&scene);
        post(&scene);
        https_cancel(scene.request);
        size_t told = scene.told;
        scene.peer.answered = before + 1;
        ask(&scene);
        assert_int_equal(scene.told, told + 1);
        assert_string_equal(scene.body, "[]");
        end(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_a_whole_request),
        cmocka_unit_test(a_connection_serves_one_question_behind_the_other),
        cmocka_unit_test(two_questions_at_once_have_two_connections),
        cmocka_unit_test(a_connection_that_was_closed_costs_no_question),
        cmocka_unit_test(a_question_is_put_again_once),
        cmocka_unit_test(what_is_no_answer_is_told_in_words),
        cmocka_unit_test(a_certificate_of_a_stranger_is_refused),
        cmocka_unit_test(a_certificate_of_another_name_is_refused),
        cmocka_unit_test(a_server_that_is_silent_has_its_time),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_question_that_is_cancelled_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
