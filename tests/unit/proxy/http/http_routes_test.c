#include "proxy/http/http_routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *path;
    const char *want; /* the route's path; NULL: there is none */
    const char *rest;
    bool is_always; /* without the dashboard too */
} cases[] = {
    {"/healthz", "/healthz", "", true},
    {"/readyz", "/readyz", "", true},
    {"/metrics", "/metrics", "", true},
    {"/api/overview", "/api/overview", "", true},
    {"/", "/", "", false},
    {"/page/postern.css", "/page/", "postern.css", false},
    {"/page/", NULL, NULL, false},
    {"/page/../postern.c", NULL, NULL, false},
    {"/api/log", "/api/log", "", false},
    {"/api/mail", "/api/mail", "", false},
    {"/api/mail/1.M2P3.host:2,S", "/api/mail/", "1.M2P3.host:2,S", false},
    {"/api/mail/a..b", "/api/mail/", "a..b", false},
    {"/api/explain/7QK3M9T2XA", "/api/explain/", "7QK3M9T2XA", false},
    {"", NULL, NULL, false},
    {"healthz", NULL, NULL, false},
    {"//", NULL, NULL, false},
    {"/healthz/", NULL, NULL, false},
    {"/Healthz", NULL, NULL, false},
    {"/index.html", NULL, NULL, false},
    {"/../etc/passwd", NULL, NULL, false},
    {"/api/mail/", NULL, NULL, false},
    {"/api/mail/..", NULL, NULL, false},
    {"/api/mail/.", NULL, NULL, false},
    {"/api/mail/.hidden", NULL, NULL, false},
    {"/api/mail/../new/x", NULL, NULL, false},
    {"/api/mail/new/x", NULL, NULL, false},
    {"/api/mail//x", NULL, NULL, false},
    {"/api/explain/a/b", NULL, NULL, false},
};

static void a_path_leads_to_its_route(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rest[HTTP_REST_MAX + 1];
        const struct http_route *route =
            http_route_find(cases[i].path, true, rest);
        if ((route == NULL) != (cases[i].want == NULL) ||
            (route != NULL && (strcmp(route->path, cases[i].want) != 0 ||
                               strcmp(rest, cases[i].rest) != 0)))
            fail_msg("%s: %s, %s", cases[i].path,
                     route == NULL ? "none" : route->path, rest);
    }
}

static void without_the_dashboard_there_are_numbers_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rest[HTTP_REST_MAX + 1];
        if ((http_route_find(cases[i].path, false, rest) != NULL) !=
            cases[i].is_always)
            fail_msg("%s", cases[i].path);
    }
}

static void a_name_has_a_length(void **state)
{
    (void)state;
    char rest[HTTP_REST_MAX + 1];
    char path[HTTP_REST_MAX + 32] = "/api/mail/";
    size_t begin = strlen(path);
    memset(path + begin, 'x', HTTP_REST_MAX);
    assert_non_null(http_route_find(path, true, rest));
    assert_int_equal(strlen(rest), HTTP_REST_MAX);
    path[begin + HTTP_REST_MAX] = 'x';
    assert_null(http_route_find(path, true, rest));
}

static long number_of(const char *value)
{
    struct http_job job = {.argument_count = value == NULL ? 0 : 1};
    job.arguments[0] =
        (struct http_argument){(char *)"n", (char *)(uintptr_t)value};
    return http_job_number(&job, "n", 100, 7);
}

static void a_number_is_in_its_range(void **state)
{
    (void)state;
    assert_int_equal(number_of(NULL), 7);
    assert_int_equal(number_of("0"), 0);
    assert_int_equal(number_of("100"), 100);
    assert_int_equal(number_of("101"), -1);
    assert_int_equal(number_of("-1"), -1);
    assert_int_equal(number_of(""), -1);
    assert_int_equal(number_of("1x"), -1);
    assert_int_equal(number_of(" 1"), -1);
    assert_int_equal(number_of("99999999999999999999999"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_route),
        cmocka_unit_test(without_the_dashboard_there_are_numbers_alone),
        cmocka_unit_test(a_name_has_a_length),
        cmocka_unit_test(a_number_is_in_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
