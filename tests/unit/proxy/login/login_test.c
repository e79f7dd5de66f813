/* The loop is the test's own: wakeups are counted here, and answers are
 * taken when the test says so. */
#include "proxy/login/login.h"
#include "proxy/login/login_internal.h"
#include "tests/unit/proxy/login/known_hashes.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SLOW_HASHES 300

/* Replaces proxy/net's. */
struct wakeup {
    void (*on_wakeup)(void *owner);
    void *owner;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    size_t count;
};

struct wakeup *wakeup_new(struct loop *loop, void (*on_wakeup)(void *owner),
                          void *owner)
{
    struct wakeup *wakeup = calloc(1, sizeof *wakeup);
    (void)loop;
    assert_non_null(wakeup);
    wakeup->on_wakeup = on_wakeup;
    wakeup->owner = owner;
    pthread_mutex_init(&wakeup->lock, NULL);
    pthread_cond_init(&wakeup->woken, NULL);
    return wakeup;
}

void wakeup_wake(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    wakeup->count++;
    pthread_cond_signal(&wakeup->woken);
    pthread_mutex_unlock(&wakeup->lock);
}

void wakeup_free(struct wakeup *wakeup)
{
    pthread_mutex_destroy(&wakeup->lock);
    pthread_cond_destroy(&wakeup->woken);
    free(wakeup);
}

/* One turn of the loop: waits for a wakeup and runs it. */
static void turn(struct wakeup *wakeup)
{
    pthread_mutex_lock(&wakeup->lock);
    while (wakeup->count == 0)
        pthread_cond_wait(&wakeup->woken, &wakeup->lock);
    wakeup->count = 0;
    pthread_mutex_unlock(&wakeup->lock);
    wakeup->on_wakeup(wakeup->owner);
}

struct fixture {
    char path[64];
    struct logins *logins;
    struct login_client *client;
    struct wakeup *wakeup;
};

static void open_logins(struct fixture *fixture, const char *users)
{
    struct diags diags;
    struct backend_settings backend = {.users = fixture->path};
    struct settings settings = {
        .auth = {.backends = &backend, .backend_count = 1}};
    snprintf(fixture->path, sizeof fixture->path, "/tmp/login_test_XXXXXX");
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    dprintf(fd, "%s", users);
    close(fd);
    diags_init(&diags);
    fixture->logins = logins_new(&settings, &diags);
    unlink(fixture->path);
    diags_print(&diags, stderr);
    assert_non_null(fixture->logins);
    diags_release(&diags);
    fixture->client = login_client_new(fixture->logins, NULL);
    assert_non_null(fixture->client);
    fixture->wakeup = fixture->client->wakeup;
}

static void close_logins(struct fixture *fixture)
{
    login_client_free(fixture->client);
    logins_free(fixture->logins);
}

struct heard {
    size_t answers;
    enum login_result result;
    char user[64];
    size_t address_count, group_count;
};

static void on_answer(void *owner, const struct login_answer *answer)
{
    struct heard *heard = owner;
    heard->answers++;
    heard->result = answer->result;
    heard->address_count = answer->address_count;
    heard->group_count = answer->group_count;
    snprintf(heard->user, sizeof heard->user, "%.*s", (int)answer->user.n,
             answer->user.n == 0 ? "" : answer->user.p);
}

static struct heard ask(struct fixture *fixture, struct str name,
                        struct str password)
{
    struct heard heard = {.answers = 0};
    assert_non_null(
        login_ask(fixture->client, name, password, on_answer, &heard));
    assert_int_equal(heard.answers, 0);
    while (heard.answers == 0)
        turn(fixture->wakeup);
    return heard;
}

static const char users[] =
    "bob:" HASH_BCRYPT ":addresses=bob@example.com,b@example.com groups=a\n"
    "eve@example.com:" HASH_YESCRYPT "\n"
    "old:{SHA512-CRYPT}" HASH_SHA512 "::::::\n";

static void right_passwords_are_answered_with_what_is_known(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    struct heard heard = ask(&fixture, STR("BOB"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    assert_string_equal(heard.user, "bob");
    assert_int_equal(heard.address_count, 2);
    assert_int_equal(heard.group_count, 1);
    heard = ask(&fixture, STR("eve@example.com"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    assert_int_equal(heard.address_count, 1);
    heard = ask(&fixture, STR("old"), STR("secret"));
    assert_int_equal(heard.result, LOGIN_OK);
    close_logins(&fixture);
}

static void all_else_fails_alike(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    assert_int_equal(ask(&fixture, STR("bob"), STR("Secret")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob"), STR("")).result, LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret\0x")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR("bob\0"), STR("secret")).result,
                     LOGIN_FAILED);
    assert_int_equal(ask(&fixture, STR(""), STR("secret")).result,
                     LOGIN_FAILED);
    close_logins(&fixture);
}

/* Every user has this password: the hash that is borrowed for a name that
 * nobody has must not let it in. */
static void nobody_gets_in_with_a_borrowed_hash(void **state)
{
    (void)state;
    struct fixture fixture;
    open_logins(&fixture, users);
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "nobody%d", i);
        assert_int_equal(ask(&fixture, str_from(name), STR("secret")).result,
                         LOGIN_FAILED);
    }
    close_logins(&fixture);
}

static void wire_A10_an_unknown_name_borrows_the_same_hash_each_time(void **state)
{
    (void)state;
    struct fixture fixture;
    size_t kinds = 0;
    const char *first = NULL;
    open_logins(&fixture, users);
    for (int i = 0; i < 40; i++) {
        char name[32];
        struct heard heard = {.answers = 0};
        snprintf(name, sizeof name, "nobody%d", i);
        struct login_query *one = login_ask(fixture.client, str_from(name),
                                            STR("x"), on_answer, &heard);
        const char *hash = one->hash;
        login_cancel(one);
        one = login_ask(fixture.client, str_from(name), STR("x"), on_answer,
                        &heard);
        assert_ptr_equal(hash, one->hash);
        login_cancel(one);
        assert_non_null(hash);
        first = first == NULL ? hash : first;
        kinds += hash != first;
    }
    assert_true(kinds > 0);
    close_logins(&fixture);
}

static void without_backends_everything_fails(void **state)
{
    (void)state;
    struct diags diags;
    struct settings settings = {.auth = {.backend_count = 0}};
    struct fixture fixture;
    diags_init(&diags);
    fixture.logins = logins_new(&settings, &diags);
    assert_non_null(fixture.logins);
    fixture.client = login_client_new(fixture.logins, NULL);
    fixture.wakeup = fixture.client->wakeup;
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result,
                     LOGIN_FAILED);
    diags_release(&diags);
    close_logins(&fixture);
}

static void wire_O10_past_the_queue_cap_the_answer_is_unavailable(void **state)
{
    (void)state;
    struct fixture fixture;
    static struct heard heard[SLOW_HASHES];
    size_t unavailable = 0;
    size_t answered = 0;
    memset(heard, 0, sizeof heard);
    open_logins(&fixture, users);
    for (size_t i = 0; i < SLOW_HASHES; i++)
        assert_non_null(login_ask(fixture.client, STR("bob"), STR("wrong"),
                                  on_answer, &heard[i]));
    while (answered < SLOW_HASHES) {
        turn(fixture.wakeup);
        answered = 0;
        for (size_t i = 0; i < SLOW_HASHES; i++)
            answered += heard[i].answers;
    }
    for (size_t i = 0; i < SLOW_HASHES; i++) {
        assert_int_equal(heard[i].answers, 1);
        unavailable += heard[i].result == LOGIN_UNAVAILABLE;
    }
    assert_true(unavailable > 0);
    assert_true(unavailable <= SLOW_HASHES - HASH_QUEUE_MAX);
    close_logins(&fixture);
}

static void a_cancelled_question_is_never_answered(void **state)
{
    (void)state;
    struct fixture fixture;
    struct login_query *queries[20];
    struct heard heard = {.answers = 0};
    struct heard last = {.answers = 0};
    open_logins(&fixture, users);
    for (size_t i = 0; i < 20; i++)
        queries[i] = login_ask(fixture.client, STR("bob"), STR("secret"),
                               on_answer, &heard);
    login_ask(fixture.client, STR("bob"), STR("secret"), on_answer, &last);
    /* Some are queued, some are hashed now, some have an answer. */
    for (size_t i = 20; i-- > 0;)
        login_cancel(queries[i]);
    while (last.answers == 0)
        turn(fixture.wakeup);
    assert_int_equal(heard.answers, 0);
    assert_int_equal(last.result, LOGIN_OK);
    close_logins(&fixture);
}

/* Until a thread has taken the question. */
static void wait_for_hashing(struct fixture *fixture,
                             const struct login_query *query)
{
    struct hash_threads *threads = &fixture->logins->threads;
    for (bool is_taken = false; !is_taken; sched_yield()) {
        pthread_mutex_lock(&threads->lock);
        is_taken = query->state == QUERY_HASHING;
        pthread_mutex_unlock(&threads->lock);
    }
}

static void a_question_may_be_cancelled_while_it_is_hashed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heard heard = {.answers = 0};
    open_logins(&fixture, "slow:" HASH_SLOW "\nbob:" HASH_BCRYPT "\n");
    struct login_query *query = login_ask(fixture.client, STR("slow"),
                                          STR("secret"), on_answer, &heard);
    wait_for_hashing(&fixture, query);
    login_cancel(query);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result, LOGIN_OK);
    assert_int_equal(heard.answers, 0);
    close_logins(&fixture);
}

static void a_client_may_go_while_its_question_is_hashed(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heard heard = {.answers = 0};
    open_logins(&fixture, "slow:" HASH_SLOW "\n");
    struct login_query *query = login_ask(fixture.client, STR("slow"),
                                          STR("secret"), on_answer, &heard);
    wait_for_hashing(&fixture, query);
    close_logins(&fixture);
    assert_int_equal(heard.answers, 0);
}

static void a_client_may_go_with_questions_under_way(void **state)
{
    (void)state;
    struct fixture fixture;
    struct heard heard = {.answers = 0};
    open_logins(&fixture, users);
    struct login_client *other = login_client_new(fixture.logins, NULL);
    for (size_t i = 0; i < 10; i++)
        login_ask(other, STR("eve@example.com"), STR("secret"), on_answer,
                  &heard);
    login_client_free(other);
    assert_int_equal(ask(&fixture, STR("bob"), STR("secret")).result, LOGIN_OK);
    assert_int_equal(heard.answers, 0);
    close_logins(&fixture);
}

static void a_wrong_users_file_gives_no_logins(void **state)
{
    (void)state;
    struct diags diags;
    struct backend_settings backend = {.users = "/nonexistent"};
    struct settings settings = {
        .auth = {.backends = &backend, .backend_count = 1}};
    diags_init(&diags);
    assert_null(logins_new(&settings, &diags));
    assert_int_equal(diags.errors, 1);
    diags_release(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_passwords_are_answered_with_what_is_known),
        cmocka_unit_test(all_else_fails_alike),
        cmocka_unit_test(nobody_gets_in_with_a_borrowed_hash),
        cmocka_unit_test(wire_A10_an_unknown_name_borrows_the_same_hash_each_time),
        cmocka_unit_test(without_backends_everything_fails),
        cmocka_unit_test(wire_O10_past_the_queue_cap_the_answer_is_unavailable),
        cmocka_unit_test(a_cancelled_question_is_never_answered),
        cmocka_unit_test(a_question_may_be_cancelled_while_it_is_hashed),
        cmocka_unit_test(a_client_may_go_while_its_question_is_hashed),
        cmocka_unit_test(a_client_may_go_with_questions_under_way),
        cmocka_unit_test(a_wrong_users_file_gives_no_logins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
