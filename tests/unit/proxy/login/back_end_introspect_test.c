/* Questions about tokens, put to a server that answers by a script. */
#include "proxy/login/back_end.h"

#include "tests/support/https_peer.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define END "&token_type_hint=access_token"
#define TOO_MANY 65 /* one more than may be under way */

struct heard {
    struct loop *loop;
    size_t answers, wanted;
    enum login_result result;
    char user[64], error[400];
    uint64_t cache_ms, expires_ms;
};

struct fixture {
    struct https_peer peer;
    char *secret;
    struct introspect_settings introspect;
    struct backend_settings backend;
    void *shared, *back_end;
};

static void set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    https_peer_init(&fixture->peer);
    fixture->peer.end_of_request = END;
    certificate_write(&fixture->peer.folder, "secret", "s3cret\nmore\n");
    fixture->secret = certificate_path(&fixture->peer.folder, "secret");
    fixture->introspect = (struct introspect_settings){
        .url = STR("https://127.0.0.1/introspect"),
        .authority = STR("127.0.0.1"),
        .target = STR("/introspect"),
        .host = "127.0.0.1",
        .port = fixture->peer.port,
        .ca = fixture->peer.trusted,
        .client_id = STR("postern"),
        .client_secret_file = fixture->secret,
        .token = {.user_claim = STR("username")},
        .timeout_ms = 5000,
        .cache_ms = 60000,
    };
    fixture->backend = (struct backend_settings){
        .kind = BACKEND_INTROSPECT, .introspect = &fixture->introspect};
}

static void prepare_and_open(struct fixture *fixture)
{
    const struct back_end_means means = {.loop = fixture->peer.loop};
    struct diags diags;
    diags_init(&diags);
    int result = FROM_DISK(back_end_introspect.prepare(
        &fixture->backend, disk, &diags, &fixture->shared));
    diags_print(&diags, stderr);
    assert_int_equal(result, 0);
    diags_release(&diags);
    fixture->back_end =
        back_end_introspect.open(&means, &fixture->backend, fixture->shared);
    assert_non_null(fixture->back_end);
}

static void begin(struct fixture *fixture)
{
    set_up(fixture);
    prepare_and_open(fixture);
}

static void end(struct fixture *fixture)
{
    back_end_introspect.close(fixture->back_end);
    https_peer_release(&fixture->peer);
    back_end_introspect.discard(fixture->shared);
    free(fixture->secret);
}

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct heard *heard = owner;
    heard->answers++;
    heard->result = answer->result;
    heard->cache_ms = answer->cache_ms;
    heard->expires_ms = answer->expires_ms;
    snprintf(heard->user, sizeof heard->user, "%.*s", (int)answer->user.n,
             answer->user.n == 0 ? "" : answer->user.p);
    snprintf(heard->error, sizeof heard->error, "%s",
             answer->error == NULL ? "" : answer->error);
    if (heard->answers == heard->wanted)
        loop_stop(heard->loop);
}

static struct claim claim_of(struct str token)
{
    return (struct claim){.kind = CLAIM_TOKEN,
                          .mechanism = "XOAUTH2",
                          .name = STR("bob"),
                          .authzid = STR(""),
                          .secret = token,
                          .session = STR("7QK3M9T2XA"),
                          .net = STR("192.0.2.1/32")};
}

static struct heard ask_token(struct fixture *fixture, struct str token)
{
    struct heard heard = {.loop = fixture->peer.loop, .wanted = 1};
    const struct claim claim = claim_of(token);
    assert_non_null(
        back_end_introspect.ask(fixture->back_end, &claim, on_answer, &heard));
    assert_int_equal(heard.answers, 0);
    loop_run(fixture->peer.loop);
    assert_int_equal(heard.answers, 1);
    return heard;
}

static struct heard ask(struct fixture *fixture, const char *answer)
{
    fixture->peer.answered = 0;
    fixture->peer.answers[0] = answer;
    return ask_token(fixture, STR("a.b+c"));
}

#define ANSWER(status, length, body)                                           \
    "HTTP/1.1 " status "\r\nContent-Length: " length "\r\n\r\n" body
#define ACTIVE ANSWER("200 OK", "32", "{\"active\":true,\"username\":\"Bob\"}")

static void a_token_that_is_active_says_who_bears_it(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    struct heard heard = ask(&fixture, ACTIVE);
    assert_string_equal(heard.error, "");
    assert_int_equal(heard.result, LOGIN_OK);
    assert_string_equal(heard.user, "bob");
    assert_int_equal(heard.cache_ms, 60000);
    assert_int_equal(heard.expires_ms, 0);
    /* "postern:s3cret" */
    assert_non_null(strstr(fixture.peer.guests[0].heard,
                           "Authorization: Basic cG9zdGVybjpzM2NyZXQ=\r\n"));
    assert_non_null(
        strstr(fixture.peer.guests[0].heard, "\r\n\r\ntoken=a.b%2Bc" END));
    end(&fixture);
}

struct answer_case {
    const char *answer;
    enum login_result want;
    const char *want_error; /* a piece of it */
};

static const struct answer_case cases[] = {
    {ANSWER("200 OK", "16", "{\"active\":false}"), LOGIN_FAILED, ""},
    {ANSWER("200 OK", "15", "{\"active\":true}"), LOGIN_FAILED, ""},
    {ANSWER("200 OK", "35", "{\"active\":true,\"username\":\"\\u0378\"}"),
     LOGIN_FAILED, ""},
    {ANSWER("200 OK", "2", "{}"), LOGIN_UNAVAILABLE, "RFC 7662"},
    {ANSWER("200 OK", "6", "<html>"), LOGIN_UNAVAILABLE, "RFC 7662"},
    {ANSWER("204 No Content", "0", ""), LOGIN_UNAVAILABLE, "(status 204)"},
    {ANSWER("401 Unauthorized", "0", ""), LOGIN_UNAVAILABLE,
     "does not accept our client_id with the secret of client_secret_file "
     "(status 401)"},
    {ANSWER("403 Forbidden", "0", ""), LOGIN_UNAVAILABLE, "client_id"},
    {ANSWER("302 Found", "32", "{\"active\":true,\"username\":\"Bob\"}"),
     LOGIN_UNAVAILABLE, "redirects elsewhere"},
    {ANSWER("404 Not Found", "0", ""), LOGIN_UNAVAILABLE,
     "no introspection at this url"},
    {ANSWER("500 Oops", "32", "{\"active\":true,\"username\":\"Bob\"}"),
     LOGIN_UNAVAILABLE, "could not answer (status 500)"},
    {"220 mail.example ESMTP\r\n", LOGIN_UNAVAILABLE, "no HTTP"},
};

static void each_answer_has_its_meaning(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard heard = ask(&fixture, cases[i].answer);
        print_message("  %s\n", heard.error);
        assert_int_equal(heard.result, cases[i].want);
        assert_non_null(strstr(heard.error, cases[i].want_error));
        assert_string_equal(heard.user, "");
    }
    end(&fixture);
}

static void a_server_that_is_not_there_is_told_of(void **state)
{
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    https_peer_deafen(&fixture.peer);
    struct heard heard = ask_token(&fixture, STR("x"));
    assert_int_equal(heard.result, LOGIN_UNAVAILABLE);
    assert_string_equal(heard.error, "connection refused");
    end(&fixture);
}

static void a_token_that_is_too_long_is_not_asked_about(void **state)
{
    static char token[20000];
    struct fixture fixture;
    (void)state;
    memset(token, 'x', sizeof token);
    begin(&fixture);
    assert_int_equal(ask_token(&fixture, str_span(token, sizeof token)).result,
                     LOGIN_FAILED);
    assert_int_equal(fixture.peer.guest_count, 0);
    end(&fixture);
}

/* The last of them is answered at once, the others never. */
static void too_many_questions_are_not_asked(void **state)
{
    void *questions[TOO_MANY];
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    const struct claim claim = claim_of(STR("x"));
    struct heard heard = {.loop = fixture.peer.loop, .wanted = 1};
    for (size_t i = 0; i < TOO_MANY; i++) {
        questions[i] = back_end_introspect.ask(fixture.back_end, &claim,
                                               on_answer, &heard);
        assert_non_null(questions[i]);
    }
    loop_run(fixture.peer.loop);
    assert_int_equal(heard.result, LOGIN_UNAVAILABLE);
    assert_string_equal(heard.error, "too many questions to it are under way");
    for (size_t i = 0; i + 1 < TOO_MANY; i++)
        back_end_introspect.cancel(questions[i]);
    assert_int_equal(heard.answers, 1);
    /* And they make room. */
    assert_int_equal(ask(&fixture, ACTIVE).result, LOGIN_OK);
    end(&fixture);
}

static void one_that_is_answered_unasked_may_be_cancelled(void **state)
{
    static char token[20000];
    struct fixture fixture;
    (void)state;
    begin(&fixture);
    const struct claim claim = claim_of(str_span(token, sizeof token));
    struct heard heard = {.loop = fixture.peer.loop, .wanted = 1};
    back_end_introspect.cancel(
        back_end_introspect.ask(fixture.back_end, &claim, on_answer, &heard));
    assert_int_equal(ask(&fixture, ACTIVE).result, LOGIN_OK);
    assert_int_equal(heard.answers, 0);
    end(&fixture);
}

struct fault_case {
    const char *secret; /* what its file holds; NULL: there is none */
    mode_t mode;
    bool has_ca;
    const char *want; /* a piece of the only error */
};

static const struct fault_case faults[] = {
    {NULL, 0600, true, "can't be used: No such file"},
    {"\nsecret\n", 0600, true, "can't be used: its first line is empty"},
    {"secret\n", 0644, true, "can't be used: others may read"},
    {"secret\n", 0600, false, "CA file"},
};

static void files_that_cannot_be_used_are_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct fixture fixture;
        struct diags diags;
        set_up(&fixture);
        if (faults[i].secret == NULL) {
            assert_int_equal(remove(fixture.secret), 0);
        } else {
            certificate_write(&fixture.peer.folder, "secret", faults[i].secret);
            chmod(fixture.secret, faults[i].mode);
        }
        if (!faults[i].has_ca)
            fixture.introspect.ca = fixture.secret;
        diags_init(&diags);
        assert_int_equal(FROM_DISK(back_end_introspect.prepare(
                             &fixture.backend, disk, &diags, &fixture.shared)),
                         -1);
        assert_int_equal(diags.count, 1);
        print_message("  %s\n", diags.items[0].text);
        assert_non_null(strstr(diags.items[0].text, faults[i].want));
        diags_release(&diags);
        back_end_introspect.discard(fixture.shared);
        https_peer_release(&fixture.peer);
        free(fixture.secret);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_is_active_says_who_bears_it),
        cmocka_unit_test(each_answer_has_its_meaning),
        cmocka_unit_test(a_server_that_is_not_there_is_told_of),
        cmocka_unit_test(a_token_that_is_too_long_is_not_asked_about),
        cmocka_unit_test(too_many_questions_are_not_asked),
        cmocka_unit_test(one_that_is_answered_unasked_may_be_cancelled),
        cmocka_unit_test(files_that_cannot_be_used_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
