/* The loop is the test's own: answers are taken when the test says so. So is
 * the hash: it waits until the test lets it through. */
#include "proxy/login/hash_threads.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/login/hash_check.h"

#define ASKED_MAX 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t hashing;           /* threads that are in a hash */
static size_t allowed;           /* hashes that may end */
static size_t hashed;            /* hashes that have ended */
static char order[ASKED_MAX];    /* the first octets of their passwords */
static char settings[ASKED_MAX]; /* the same of what they were held against */

/* Replace proxy/login's. */
void hash_check_init(struct hash_check *check)
{
    *check = (struct hash_check){0};
}

void hash_check_release(struct hash_check *check)
{
    (void)check;
}

enum hash_verdict hash_check(struct hash_check *check, const char *password,
                             size_t length, const struct password_hash *hash)
{
    (void)check;
    pthread_mutex_lock(&lock);
    hashing++;
    pthread_cond_broadcast(&changed);
    while (allowed == 0)
        pthread_cond_wait(&changed, &lock);
    allowed--;
    hashing--;
    settings[hashed] = hash->setting[0];
    order[hashed++] = length > 0 ? password[0] : '-';
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return HASH_MATCHES;
}

/* Replaces proxy/net's. */
struct wakeup {
    void (*on_wakeup)(void *owner);
    void *owner;
};

struct wakeup *wakeup_new(struct loop *loop, void (*on_wakeup)(void *owner),
                          void *owner)
{
    struct wakeup *wakeup = calloc(1, sizeof *wakeup);
    (void)loop;
    assert_non_null(wakeup);
    *wakeup = (struct wakeup){on_wakeup, owner};
    return wakeup;
}

static size_t wakes;
static struct wakeup *woken;

void wakeup_wake(struct wakeup *wakeup)
{
    pthread_mutex_lock(&lock);
    wakes++;
    woken = wakeup;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void wakeup_free(struct wakeup *wakeup)
{
    free(wakeup);
}

static void allow(size_t count)
{
    pthread_mutex_lock(&lock);
    allowed += count;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_until_hashing(void)
{
    pthread_mutex_lock(&lock);
    while (hashing == 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* One turn of the loop: waits for a wakeup and runs it. */
static void turn(void)
{
    pthread_mutex_lock(&lock);
    while (wakes == 0)
        pthread_cond_wait(&changed, &lock);
    wakes = 0;
    struct wakeup *wakeup = woken;
    pthread_mutex_unlock(&lock);
    wakeup->on_wakeup(wakeup->owner);
}

struct fixture {
    struct hash_threads *threads;
    struct hash_client *client;
    size_t answered, unavailable, right;
};

static char bobs_setting[] = "$y$";
static const struct password_hash bob = {.kind = PASSWORD_CRYPT,
                                         .setting = bobs_setting};

static void open_threads(struct fixture *fixture)
{
    *fixture = (struct fixture){.threads = hash_threads_new()};
    assert_non_null(fixture->threads);
    assert_int_equal(hash_threads_start(fixture->threads), 0);
    fixture->client = hash_client_new(fixture->threads, NULL);
    assert_non_null(fixture->client);
    hashed = allowed = wakes = 0;
}

static void close_threads(struct fixture *fixture)
{
    allow(ASKED_MAX);
    hash_client_free(fixture->client);
    hash_threads_free(fixture->threads);
}

static void on_hashed(void *owner, enum login_result result)
{
    struct fixture *fixture = owner;
    fixture->answered++;
    fixture->unavailable += result == LOGIN_UNAVAILABLE;
    fixture->right += result == LOGIN_OK;
}

static struct hash_query *ask(struct fixture *fixture, const char *password,
                              const char *net, bool is_known, bool is_stand_in)
{
    const struct claim claim = {.secret = str_from(password),
                                .net = str_from(net),
                                .is_known = is_known};
    struct hash_query *query = hash_ask(fixture->client, &claim, &bob,
                                        is_stand_in, on_hashed, fixture);
    assert_non_null(query);
    return query;
}

/* Threads enough to hash `count` at once are at it from now on. */
static void keep_threads_busy(struct fixture *fixture)
{
    for (size_t i = 0; i < 4; i++)
        ask(fixture, "busy", "192.0.2.0/32", false, false);
    wait_until_hashing();
}

static void take_answers(struct fixture *fixture, size_t count)
{
    while (fixture->answered < count)
        turn();
}

static void a_stand_in_is_never_right(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    allow(2);
    ask(&fixture, "x", "a", false, true);
    ask(&fixture, "x", "a", false, false);
    take_answers(&fixture, 2);
    assert_int_equal(fixture.right, 1);
    close_threads(&fixture);
}

static void wire_O10_past_the_queue_cap_the_answer_is_unavailable(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    keep_threads_busy(&fixture);
    for (size_t i = 0; i < HASH_QUEUE_MAX + 40; i++) {
        char net[32];
        snprintf(net, sizeof net, "192.0.2.%zu/32", i);
        ask(&fixture, "x", net, false, false);
    }
    turn();
    assert_in_range(fixture.unavailable, 40, 44);
    close_threads(&fixture);
}

/* The rest of the queue is for others. */
static void strangers_of_one_network_do_not_fill_the_queue(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    keep_threads_busy(&fixture);
    for (size_t i = 0; i < HASH_QUEUE_NET_MAX + 10; i++)
        ask(&fixture, "x", "198.51.100.7/32", false, false);
    turn();
    assert_int_equal(fixture.unavailable, 10);
    ask(&fixture, "x", "198.51.100.8/32", false, false);
    assert_int_equal(fixture.unavailable, 10);
    close_threads(&fixture);
}

static void wire_A09_who_is_known_goes_before_strangers(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    keep_threads_busy(&fixture);
    for (size_t i = 0; i < 100; i++) {
        char net[32];
        snprintf(net, sizeof net, "192.0.2.%zu/32", i);
        ask(&fixture, "stranger", net, false, false);
    }
    for (size_t i = 0; i < 8; i++)
        ask(&fixture, "owner", "198.51.100.7/32", true, false);
    allow(4 + 20);
    take_answers(&fixture, 4 + 20);
    size_t owners = 0;
    for (size_t i = 0; i < 4 + 20; i++)
        owners += order[i] == 'o';
    assert_int_equal(owners, 8);
    close_threads(&fixture);
}

/* However many are known. */
static void strangers_have_a_turn_as_well(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    keep_threads_busy(&fixture);
    for (size_t i = 0; i < 100; i++)
        ask(&fixture, "owner", "198.51.100.7/32", true, false);
    ask(&fixture, "stranger", "192.0.2.1/32", false, false);
    allow(32);
    take_answers(&fixture, 32);
    assert_non_null(memchr(order, 's', 32));
    close_threads(&fixture);
}

static void a_cancelled_question_is_never_answered(void **state)
{
    (void)state;
    struct fixture fixture;
    struct hash_query *queries[20];
    open_threads(&fixture);
    for (size_t i = 0; i < 20; i++)
        queries[i] = ask(&fixture, "x", "a", false, false);
    /* Some are queued, and one at least is hashed. */
    wait_until_hashing();
    for (size_t i = 20; i-- > 0;)
        hash_cancel(queries[i]);
    allow(20);
    ask(&fixture, "x", "a", false, false);
    take_answers(&fixture, 1);
    assert_int_equal(fixture.answered, 1);
    close_threads(&fixture);
}

/* The users file may be read anew at any time. */
static void a_hash_may_go_while_it_is_asked(void **state)
{
    (void)state;
    static const struct claim claim = {.secret = STR("x"), .net = STR("a")};
    char setting[] = "!";
    struct password_hash hash = {.kind = PASSWORD_CRYPT, .setting = setting};
    struct fixture fixture;
    open_threads(&fixture);
    assert_non_null(
        hash_ask(fixture.client, &claim, &hash, false, on_hashed, &fixture));
    password_hash_wipe(&hash);
    allow(1);
    take_answers(&fixture, 1);
    assert_int_equal(settings[0], '!');
    close_threads(&fixture);
}

static void a_client_may_go_while_its_question_is_hashed(void **state)
{
    (void)state;
    struct fixture fixture;
    open_threads(&fixture);
    ask(&fixture, "x", "a", false, false);
    wait_until_hashing();
    close_threads(&fixture);
    assert_int_equal(fixture.answered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stand_in_is_never_right),
        cmocka_unit_test(wire_O10_past_the_queue_cap_the_answer_is_unavailable),
        cmocka_unit_test(strangers_of_one_network_do_not_fill_the_queue),
        cmocka_unit_test(wire_A09_who_is_known_goes_before_strangers),
        cmocka_unit_test(strangers_have_a_turn_as_well),
        cmocka_unit_test(a_cancelled_question_is_never_answered),
        cmocka_unit_test(a_hash_may_go_while_it_is_asked),
        cmocka_unit_test(a_client_may_go_while_its_question_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
