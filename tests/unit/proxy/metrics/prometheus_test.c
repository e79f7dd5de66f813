#include "proxy/metrics/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *written;
static size_t octets;

static FILE *begin(void)
{
    FILE *to = open_memstream(&written, &octets);
    assert_non_null(to);
    return to;
}

static void expect(FILE *to, const char *want)
{
    assert_int_equal(fclose(to), 0);
    assert_string_equal(written, want);
    free(written);
}

static void label(struct str value, const char *want)
{
    char line[256];
    FILE *to = begin();
    const struct prometheus_label one = {"rule", value};
    prometheus_count(to, "n", &one, 1, 7);
    snprintf(line, sizeof line, "n{rule=\"%s\"} 7\n", want);
    expect(to, line);
}

static void a_family_and_its_numbers(void **state)
{
    (void)state;
    FILE *to = begin();
    const struct prometheus_label labels[] = {{"a", STR("x")}, {"b", STR("")}};
    prometheus_family(to, "n_total", "counter", "What it is.");
    prometheus_count(to, "n_total", labels, 2, UINT64_MAX);
    prometheus_number(to, "n_total", NULL, 0, 0.25);
    prometheus_number(to, "n_total", NULL, 0, 1.5e12);
    expect(to, "# HELP n_total What it is.\n# TYPE n_total counter\n"
               "n_total{a=\"x\",b=\"\"} 18446744073709551615\n"
               "n_total 0.25\nn_total 1.5e+12\n");
}

static void labels_are_escaped(void **state)
{
    (void)state;
    label(STR("plain {} = ,"), "plain {} = ,");
    label(STR("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    label(STR("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
    /* What is not UTF-8 would spoil the whole text. */
    label(STR("a\xff\xc3z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
    label(STR("\x1b[2J\r"), "\\\\u{1b}[2J\\\\u{d}");
    label(str_span("a\0b", 3), "a\\\\u{0}b");
}

static void a_histogram(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum sum = {0};
    char *line;
    unsigned lines = 0;
    histogram_add(&histogram, &histogram_scale_network, 400);
    histogram_add(&histogram, &histogram_scale_network, 2000);
    histogram_add(&histogram, &histogram_scale_network, UINT64_C(1) << 33);
    histogram_read(&histogram, &sum);
    const struct prometheus_label one = {"server", STR("s")};
    FILE *to = begin();
    prometheus_histogram(to, "t_seconds", &one, 1, &sum,
                         &histogram_scale_network);
    fclose(to);
    assert_non_null(strstr(written,
                           "t_seconds_bucket{server=\"s\",le=\"0.0005\"} 1\n"
                           "t_seconds_bucket{server=\"s\",le=\"0.001\"} 1\n"
                           "t_seconds_bucket{server=\"s\",le=\"0.0025\"} 2\n"));
    assert_non_null(strstr(written,
                           "le=\"600\"} 2\n"
                           "t_seconds_bucket{server=\"s\",le=\"+Inf\"} 3\n"
                           "t_seconds_sum{server=\"s\"} 8589.93699\n"
                           "t_seconds_count{server=\"s\"} 3\n"));
    for (line = written; *line != '\0'; line++)
        lines += *line == '\n';
    assert_int_equal(lines, HISTOGRAM_BORDERS + 3);
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_and_its_numbers),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(a_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
