#include "proxy/login/login_cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct claim bob = {.kind = CLAIM_PASSWORD,
                                 .name = STR("bob"),
                                 .authzid = STR(""),
                                 .secret = STR("secret")};

static const struct str addresses[] = {STR("bob@example.com"),
                                       STR("*@sales.example.com")};
static const struct str groups[] = {STR("staff")};
static const struct login_answer is_bob = {.result = LOGIN_OK,
                                           .user = STR("bob"),
                                           .addresses = addresses,
                                           .address_count = 2,
                                           .groups = groups,
                                           .group_count = 1};

struct fixture {
    struct login_cache *cache;
    struct arena arena;
    struct login_answer answer;
};

static void open_cache(struct fixture *fixture, size_t max)
{
    fixture->cache = login_cache_new(max);
    assert_non_null(fixture->cache);
    arena_init(&fixture->arena, (size_t)64 * 1024);
}

static void close_cache(struct fixture *fixture)
{
    login_cache_free(fixture->cache);
    arena_release(&fixture->arena);
}

static bool find(struct fixture *fixture, const struct claim *claim,
                 uint64_t now_ms)
{
    const struct judged judged = {claim, 1};
    return login_cache_find(fixture->cache, &judged, now_ms, &fixture->arena,
                            &fixture->answer);
}

static void keep(struct fixture *fixture, const struct claim *claim,
                 uint64_t now_ms, uint64_t for_ms)
{
    const struct judged judged = {claim, 1};
    login_cache_keep(fixture->cache, &judged, &is_bob, now_ms, for_ms);
}

static void the_same_claim_gets_the_same_answer_until_its_time(void **state)
{
    (void)state;
    struct fixture fixture;
    open_cache(&fixture, 4);
    assert_false(find(&fixture, &bob, 1000));
    keep(&fixture, &bob, 1000, 500);
    assert_true(find(&fixture, &bob, 1499));
    assert_int_equal(fixture.answer.result, LOGIN_OK);
    assert_true(str_equals(fixture.answer.user, STR("bob")));
    assert_int_equal(fixture.answer.address_count, 2);
    assert_true(str_equals(fixture.answer.addresses[1], addresses[1]));
    assert_true(str_equals(fixture.answer.groups[0], groups[0]));
    assert_false(find(&fixture, &bob, 1500));
    close_cache(&fixture);
}

/* No field runs into the next. */
static void any_other_claim_does_not(void **state)
{
    (void)state;
    static const struct claim others[] = {
        {CLAIM_PASSWORD, .name = STR("bob"), .secret = STR("secre")},
        {CLAIM_PASSWORD, .name = STR("bob"), .secret = STR("Secret")},
        {CLAIM_PASSWORD, .name = STR("bo"), .secret = STR("bsecret")},
        {CLAIM_PASSWORD, .name = STR("bobs"), .secret = STR("ecret")},
        {CLAIM_PASSWORD, .name = STR("eve"), .secret = STR("secret")},
        {CLAIM_TOKEN, .name = STR("bob"), .secret = STR("secret")},
        {CLAIM_PASSWORD, .name = STR("bob"), .authzid = STR("eve"),
         .secret = STR("secret")},
    };
    struct fixture fixture;
    open_cache(&fixture, 4);
    keep(&fixture, &bob, 1000, 500);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct claim other = others[i];
        if (other.authzid.p == NULL)
            other.authzid = STR("");
        assert_false(find(&fixture, &other, 1001));
    }
    close_cache(&fixture);
}

static void no_time_keeps_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    open_cache(&fixture, 4);
    keep(&fixture, &bob, 1000, 0);
    assert_false(find(&fixture, &bob, 1000));
    close_cache(&fixture);
}

static void what_is_kept_is_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    size_t found = 0;
    open_cache(&fixture, 4);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 100; i++) {
            char name[16];
            struct claim claim = bob;
            snprintf(name, sizeof name, "user%d", (int)i);
            claim.name = str_from(name);
            if (round == 0)
                keep(&fixture, &claim, 1000 + i, 5000);
            else
                found += find(&fixture, &claim, 1100);
        }
    }
    assert_int_equal(found, 4);
    close_cache(&fixture);
}

static void what_is_kept_again_lasts_longer(void **state)
{
    (void)state;
    struct fixture fixture;
    open_cache(&fixture, 4);
    keep(&fixture, &bob, 1000, 500);
    keep(&fixture, &bob, 1400, 500);
    assert_true(find(&fixture, &bob, 1700));
    close_cache(&fixture);
}

/* Whoever was asked with an earlier one may come late with the answer. */
static void another_edition_of_the_users_files_has_its_own_answers(void **state)
{
    (void)state;
    const struct judged first = {&bob, 1}, second = {&bob, 2};
    struct fixture fixture;
    open_cache(&fixture, 4);
    login_cache_keep(fixture.cache, &first, &is_bob, 1000, 500);
    assert_false(login_cache_find(fixture.cache, &second, 1001, &fixture.arena,
                                  &fixture.answer));
    login_cache_keep(fixture.cache, &second, &is_bob, 1002, 500);
    assert_true(login_cache_find(fixture.cache, &second, 1003, &fixture.arena,
                                 &fixture.answer));
    close_cache(&fixture);
}

#define WORKERS 4
#define NAMES 6

/* More names than there are places, so that they push one another out. */
static void *work(void *cache)
{
    struct arena arena;
    struct login_answer answer;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    for (size_t i = 0; i < 2000; i++) {
        char name[] = {(char)('a' + i % NAMES), '\0'};
        struct claim claim = bob;
        claim.name = str_from(name);
        const struct login_answer is_one = {.result = LOGIN_OK,
                                            .user = claim.name,
                                            .addresses = addresses,
                                            .address_count = 2};
        const struct judged judged = {&claim, 1};
        login_cache_keep(cache, &judged, &is_one, i, 5);
        if (login_cache_find(cache, &judged, i, &arena, &answer))
            assert_true(str_equals(answer.user, claim.name));
    }
    arena_release(&arena);
    return NULL;
}

static void workers_share_it(void **state)
{
    (void)state;
    struct fixture fixture;
    pthread_t workers[WORKERS];
    open_cache(&fixture, NAMES / 2);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&workers[i], NULL, work, fixture.cache),
                         0);
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    close_cache(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_claim_gets_the_same_answer_until_its_time),
        cmocka_unit_test(any_other_claim_does_not),
        cmocka_unit_test(no_time_keeps_nothing),
        cmocka_unit_test(what_is_kept_is_bounded),
        cmocka_unit_test(what_is_kept_again_lasts_longer),
        cmocka_unit_test(
            another_edition_of_the_users_files_has_its_own_answers),
        cmocka_unit_test(workers_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
