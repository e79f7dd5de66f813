#include "proxy/net/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/resource.h>

#include <cmocka.h>

static const struct limit_case {
    rlim_t soft;
    size_t wanted;
    rlim_t want;
} CASES[] = {
    {.soft = 64, .wanted = 100, .want = 100},
    {.soft = 64, .wanted = 200, .want = 128},
    {.soft = 64, .wanted = 64, .want = 64},
    {.soft = 64, .wanted = 10, .want = 64},
    {.soft = 128, .wanted = 200, .want = 128},
};

/* The hard limit, once lowered, stays: 128 in all cases. */
static void O03_the_soft_limit_is_raised_as_far_as_it_may_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct rlimit limit = {.rlim_cur = CASES[i].soft, .rlim_max = 128};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(descriptors_allow(CASES[i].wanted), CASES[i].want);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(limit.rlim_cur, CASES[i].want);
        assert_int_equal(limit.rlim_max, 128);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(O03_the_soft_limit_is_raised_as_far_as_it_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
