#include "proxy/metrics/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add_ms(struct histogram *histogram, uint64_t ms)
{
    histogram_add(histogram, &histogram_scale_network, ms * 1000);
}

static struct histogram_sum read_it(const struct histogram *histogram)
{
    struct histogram_sum sum = {0};
    histogram_read(histogram, &sum);
    return sum;
}

static void borders_ascend(void **state)
{
    (void)state;
    for (size_t i = 1; i < HISTOGRAM_BORDERS; i++) {
        assert_true(histogram_scale_network.borders_us[i] >
                    histogram_scale_network.borders_us[i - 1]);
        assert_true(histogram_scale_work.borders_us[i] >
                    histogram_scale_work.borders_us[i - 1]);
    }
}

static void a_border_belongs_to_the_bucket_below(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    add_ms(&histogram, 1);
    histogram_add(&histogram, &histogram_scale_network, 1001);
    histogram_add(&histogram, &histogram_scale_network, UINT64_C(1) << 40);
    struct histogram_sum sum = read_it(&histogram);
    assert_int_equal(sum.buckets[1], 1);
    assert_int_equal(sum.buckets[2], 1);
    assert_int_equal(sum.buckets[HISTOGRAM_BORDERS], 1);
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.sum_us, 2001 + (UINT64_C(1) << 40));
}

static void percentiles(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum none = {0};
    for (int i = 0; i < 99; i++)
        add_ms(&histogram, 4);
    add_ms(&histogram, 700);
    struct histogram_sum sum = read_it(&histogram);
    double p50 = histogram_percentile_us(&sum, &histogram_scale_network, 50.0);
    assert_true(p50 > 2500.0 && p50 <= 5000.0);
    double p100 =
        histogram_percentile_us(&sum, &histogram_scale_network, 100.0);
    assert_true(p100 > 500000.0 && p100 <= 1000000.0);
    assert_true(histogram_percentile_us(&none, &histogram_scale_network, 99) ==
                0.0);
}

static void the_recent_one_forgets(void **state)
{
    (void)state;
    struct recent_histogram recent = {0};
    struct histogram_sum sum = {0};
    recent_histogram_add(&recent, &histogram_scale_network, 1000, 5);
    recent_histogram_add(&recent, &histogram_scale_network, 1005, 5);
    recent_histogram_read(&recent, 1009, &sum);
    assert_int_equal(sum.count, 2);
    sum = (struct histogram_sum){0};
    recent_histogram_read(&recent, 1010, &sum);
    assert_int_equal(sum.count, 1);
    recent_histogram_add(&recent, &histogram_scale_network, 1010, 5);
    sum = (struct histogram_sum){0};
    recent_histogram_read(&recent, 1010, &sum);
    assert_int_equal(sum.count, 2);
    sum = (struct histogram_sum){0};
    recent_histogram_read(&recent, 1020, &sum);
    assert_int_equal(sum.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(borders_ascend),
        cmocka_unit_test(a_border_belongs_to_the_bucket_below),
        cmocka_unit_test(percentiles),
        cmocka_unit_test(the_recent_one_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
