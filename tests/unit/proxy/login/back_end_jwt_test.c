/* Questions about tokens, with keys from a file that changes. */
#include "proxy/login/back_end.h"

#include "tests/support/signed_token.h"
#include "tests/unit/proxy/sasl/known_tokens.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define OURS "{\"keys\":[" ED25519_JWK "]}"
#define ANOTHERS "{\"keys\":[" ES256_JWK "]}"

struct heard {
    struct loop *loop;
    size_t answers;
    enum login_result result;
    char user[64], address[64], group[64];
    bool has_addresses, has_groups;
    uint64_t expires_ms;
};

struct fixture {
    char path[64];
    struct jwt_settings jwt;
    struct backend_settings backend;
    struct loop *loop;
    void *shared, *back_end;
};

static void write_keys(const struct fixture *fixture, const char *text)
{
    /* A new file in the place of the old: never half of one. */
    char path[80];
    snprintf(path, sizeof path, "%s.new", fixture->path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(path, fixture->path), 0);
}

static int prepare(struct fixture *fixture, const char *keys, char *words,
                   size_t room)
{
    struct diags diags;
    *fixture = (struct fixture){
        .path = "/tmp/jwt_test_XXXXXX",
        .jwt = {.jwks = fixture->path,
                .token = {.issuer = STR("i"),
                          .audience = STR("a"),
                          .user_claim = STR("sub"),
                          .addresses_claim = STR("email"),
                          .groups_claim = STR("groups"),
                          .skew_ms = 1000}},
        .backend = {.kind = BACKEND_JWT, .jwt = &fixture->jwt},
    };
    close(mkstemp(fixture->path));
    write_keys(fixture, keys);
    diags_init(&diags);
    int result = FROM_DISK(back_end_jwt.prepare(&fixture->backend, disk, &diags,
                                                &fixture->shared));
    if (diags.count > 0)
        snprintf(words, room, "%s", diags.items[0].text);
    diags_release(&diags);
    return result;
}

static void open_back_end(struct fixture *fixture, const char *keys)
{
    char words[400] = "";
    int result = prepare(fixture, keys, words, sizeof words);
    assert_string_equal(words, "");
    assert_int_equal(result, 0);
    fixture->loop = loop_new();
    const struct back_end_means means = {.loop = fixture->loop};
    fixture->back_end =
        back_end_jwt.open(&means, &fixture->backend, fixture->shared);
    assert_non_null(fixture->back_end);
}

static void close_back_end(struct fixture *fixture)
{
    back_end_jwt.close(fixture->back_end);
    loop_run(fixture->loop);
    loop_free(fixture->loop);
    back_end_jwt.discard(fixture->shared);
    unlink(fixture->path);
}

static void copy(char *to, size_t room, const struct str *items, size_t count)
{
    if (count > 0)
        snprintf(to, room, "%.*s", (int)items[0].n, items[0].p);
}

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct heard *heard = owner;
    heard->answers++;
    heard->result = answer->result;
    heard->has_addresses = answer->has_addresses;
    heard->has_groups = answer->has_groups;
    heard->expires_ms = answer->expires_ms;
    copy(heard->user, sizeof heard->user, &answer->user, answer->user.n > 0);
    copy(heard->address, sizeof heard->address, answer->addresses,
         answer->address_count);
    copy(heard->group, sizeof heard->group, answer->groups,
         answer->group_count);
    loop_stop(heard->loop);
}

static struct claim claim_of(const char *token)
{
    return (struct claim){.kind = CLAIM_TOKEN,
                          .mechanism = "OAUTHBEARER",
                          .name = STR(""),
                          .authzid = STR(""),
                          .secret = str_from(token),
                          .session = STR("7QK3M9T2XA"),
                          .net = STR("192.0.2.1/32")};
}

static struct heard ask(const struct fixture *fixture, const char *token)
{
    struct heard heard = {.loop = fixture->loop};
    const struct claim claim = claim_of(token);
    assert_non_null(
        back_end_jwt.ask(fixture->back_end, &claim, on_answer, &heard));
    assert_int_equal(heard.answers, 0);
    loop_run(fixture->loop);
    assert_int_equal(heard.answers, 1);
    return heard;
}

/* Good for ten minutes from now on. */
static void make(char *token, const char *more)
{
    char payload[400];
    snprintf(payload, sizeof payload,
             "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":%lld%s}",
             (long long)time(NULL) + 600, more);
    token_make(token, "{\"alg\":\"EdDSA\"}", payload);
}

static void a_token_says_who_bears_it(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    make(token, ",\"sub\":\"Bob\",\"email\":\"Bob@Example.com\","
                "\"groups\":[\"staff\"]");
    struct heard heard = ask(&fixture, token);
    assert_int_equal(heard.result, LOGIN_OK);
    assert_string_equal(heard.user, "bob");
    assert_string_equal(heard.address, "bob@example.com");
    assert_string_equal(heard.group, "staff");
    assert_true(heard.has_addresses && heard.has_groups);
    assert_true(heard.expires_ms > 590000 && heard.expires_ms <= 601000);
    close_back_end(&fixture);
}

static void what_a_token_does_not_say_others_may(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    make(token, ",\"sub\":\"bob\"");
    struct heard heard = ask(&fixture, token);
    assert_int_equal(heard.result, LOGIN_OK);
    assert_false(heard.has_addresses || heard.has_groups);
    close_back_end(&fixture);
}

static void all_else_fails(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    assert_int_equal(ask(&fixture, "").result, LOGIN_FAILED);
    assert_int_equal(ask(&fixture, "a.b.c").result, LOGIN_FAILED);
    make(token, "");
    assert_int_equal(ask(&fixture, token).result, LOGIN_FAILED);
    /* A letter that is not assigned: no login has such a name. */
    make(token, ",\"sub\":\"\\u0378\"");
    assert_int_equal(ask(&fixture, token).result, LOGIN_FAILED);
    close_back_end(&fixture);
}

/* What a renewal does when the file has changed: 0, or -1 when it can't be
 * used. */
static int renew(struct fixture *fixture, bool want_change)
{
    struct diags diags;
    void *fresh = NULL;
    diags_init(&diags);
    int result = FROM_DISK(
        back_end_jwt.prepare(&fixture->backend, disk, &diags, &fresh));
    if (result == 0)
        assert_int_equal(back_end_jwt.renew(fixture->shared, fresh, NULL),
                         want_change);
    back_end_jwt.discard(fresh);
    diags_release(&diags);
    return result;
}

static void a_key_that_was_put_in_serves(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, ANOTHERS);
    write_keys(&fixture, OURS);
    assert_int_equal(renew(&fixture, true), 0);
    make(token, ",\"sub\":\"bob\"");
    assert_int_equal(ask(&fixture, token).result, LOGIN_OK);
    close_back_end(&fixture);
}

static void a_key_that_was_taken_out_lets_nobody_in(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    write_keys(&fixture, ANOTHERS);
    assert_int_equal(renew(&fixture, true), 0);
    make(token, ",\"sub\":\"bob\"");
    assert_int_equal(ask(&fixture, token).result, LOGIN_FAILED);
    close_back_end(&fixture);
}

static void the_same_keys_are_no_change(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    write_keys(&fixture, OURS);
    assert_int_equal(renew(&fixture, false), 0);
    make(token, ",\"sub\":\"bob\"");
    assert_int_equal(ask(&fixture, token).result, LOGIN_OK);
    close_back_end(&fixture);
}

static void keys_stay_when_their_file_is_broken(void **state)
{
    static const char *const texts[] = {"", "{\"keys\":[]}", NULL};
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    make(token, ",\"sub\":\"bob\"");
    for (size_t i = 0; i < 3; i++) {
        struct fixture fixture;
        open_back_end(&fixture, OURS);
        if (texts[i] == NULL)
            unlink(fixture.path);
        else
            write_keys(&fixture, texts[i]);
        assert_int_equal(renew(&fixture, false), -1);
        assert_int_equal(ask(&fixture, token).result, LOGIN_OK);
        close_back_end(&fixture);
    }
}

static void a_file_that_cannot_be_used_is_an_error(void **state)
{
    struct fixture fixture;
    char words[400];
    (void)state;
    assert_int_equal(prepare(&fixture, "[]", words, sizeof words), -1);
    assert_non_null(strstr(words, "can't be used: it is no JSON object"));
    back_end_jwt.discard(fixture.shared);
    unlink(fixture.path);
    fixture.jwt.jwks = "/nowhere/keys.json";
    struct diags diags;
    diags_init(&diags);
    assert_int_equal(FROM_DISK(back_end_jwt.prepare(&fixture.backend, disk,
                                                    &diags, &fixture.shared)),
                     -1);
    assert_non_null(strstr(diags.items[0].text, "No such file"));
    diags_release(&diags);
}

static void a_file_that_others_may_write_is_an_error(void **state)
{
    struct fixture fixture;
    struct diags diags;
    (void)state;
    open_back_end(&fixture, OURS);
    assert_int_equal(chmod(fixture.path, 0666), 0);
    diags_init(&diags);
    void *shared = NULL;
    assert_int_equal(FROM_DISK(back_end_jwt.prepare(&fixture.backend, disk,
                                                    &diags, &shared)),
                     -1);
    assert_non_null(strstr(diags.items[0].text, "chmod o-w"));
    assert_int_equal(chmod(fixture.path, 0644), 0);
    assert_int_equal(FROM_DISK(back_end_jwt.prepare(&fixture.backend, disk,
                                                    &diags, &shared)),
                     0);
    back_end_jwt.discard(shared);
    diags_release(&diags);
    close_back_end(&fixture);
}

static void a_question_that_is_cancelled_is_not_answered(void **state)
{
    struct fixture fixture;
    char token[SIGNED_TOKEN_ROOM];
    (void)state;
    open_back_end(&fixture, OURS);
    make(token, ",\"sub\":\"bob\"");
    const struct claim claim = claim_of(token);
    struct heard cancelled = {.loop = fixture.loop};
    void *first =
        back_end_jwt.ask(fixture.back_end, &claim, on_answer, &cancelled);
    void *second =
        back_end_jwt.ask(fixture.back_end, &claim, on_answer, &cancelled);
    struct heard heard = {.loop = fixture.loop};
    back_end_jwt.ask(fixture.back_end, &claim, on_answer, &heard);
    void *last =
        back_end_jwt.ask(fixture.back_end, &claim, on_answer, &cancelled);
    back_end_jwt.cancel(second);
    back_end_jwt.cancel(first);
    back_end_jwt.cancel(last);
    loop_run(fixture.loop);
    assert_int_equal(heard.answers, 1);
    assert_int_equal(heard.result, LOGIN_OK);
    assert_int_equal(cancelled.answers, 0);
    close_back_end(&fixture);
}

static void it_may_be_closed_when_all_is_cancelled(void **state)
{
    struct fixture fixture;
    (void)state;
    open_back_end(&fixture, OURS);
    const struct claim claim = claim_of("x");
    struct heard heard = {.loop = fixture.loop};
    void *question =
        back_end_jwt.ask(fixture.back_end, &claim, on_answer, &heard);
    back_end_jwt.cancel(question);
    close_back_end(&fixture);
    assert_int_equal(heard.answers, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_says_who_bears_it),
        cmocka_unit_test(what_a_token_does_not_say_others_may),
        cmocka_unit_test(all_else_fails),
        cmocka_unit_test(a_key_that_was_put_in_serves),
        cmocka_unit_test(a_key_that_was_taken_out_lets_nobody_in),
        cmocka_unit_test(the_same_keys_are_no_change),
        cmocka_unit_test(keys_stay_when_their_file_is_broken),
        cmocka_unit_test(a_file_that_cannot_be_used_is_an_error),
        cmocka_unit_test(a_file_that_others_may_write_is_an_error),
        cmocka_unit_test(a_question_that_is_cancelled_is_not_answered),
        cmocka_unit_test(it_may_be_closed_when_all_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
