#include "config/settings.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/load.h"

#define THREADS 4
#define ROUNDS 10000

static const struct settings *load(void)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = config_load_octets(
        "t.yaml",
        STR("hostname: mail.example.com\n"
            "listeners:\n"
            "  a: {address: \"127.0.0.1:5870\", tls: starttls}\n"
            "upstreams: {mta: {servers: [\"127.0.0.1:10025\"]}}\n"
            "upstream: mta\n"
            "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"
            "auth: {backends: [{users: users}]}\n"),
        &diags);
    assert_int_equal(diags.errors, 0);
    diags_release(&diags);
    assert_non_null(settings);
    return settings;
}

static void settings_live_until_the_last_reference_goes(void **state)
{
    (void)state;
    const struct settings *settings = load();
    assert_ptr_equal(settings_ref(settings), settings);
    settings_unref(settings);
    assert_true(str_equals(settings->hostname, STR("mail.example.com")));
    assert_int_equal(settings->references, 1);
    settings_unref(settings);
}

static void nothing_may_be_given_up(void **state)
{
    (void)state;
    settings_unref(NULL);
}

static void *take_and_give_up(void *argument)
{
    for (int i = 0; i < ROUNDS; i++)
        settings_unref(settings_ref(argument));
    return NULL;
}

static void threads_lose_no_reference(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    const struct settings *settings = load();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give_up,
                                        (void *)(uintptr_t)settings),
                         0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(settings->references, 1);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_live_until_the_last_reference_goes),
        cmocka_unit_test(nothing_may_be_given_up),
        cmocka_unit_test(threads_lose_no_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
