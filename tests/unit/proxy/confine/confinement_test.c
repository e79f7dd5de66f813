/* Which paths a configuration leaves open. */
#include "proxy/confine/confinement.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct confined_path *find(const struct confinement *confinement,
                                        const char *path)
{
    for (size_t i = 0; i < confinement->count; i++)
        if (strcmp(confinement->paths[i].path, path) == 0)
            return &confinement->paths[i];
    return NULL;
}

static void assert_use(const struct confinement *confinement, const char *path,
                       enum landlock_use use, const char *key)
{
    const struct confined_path *one = find(confinement, path);
    assert_non_null(one);
    assert_int_equal(one->use, use);
    assert_string_equal(one->key, key);
}

static void directories_of_what_is_written_are_left(void **state)
{
    const struct upstream_settings upstreams[] = {{.maildir = "/srv/mail"}};
    const struct settings settings = {
        .user = "postern",
        .confine = true,
        .upstreams = upstreams,
        .upstream_count = 1,
        .limits = {.state = "/var/lib/postern/limits",
                   .state_mark = {.line = 3}},
        .log = {.decisions = "/var/log/postern/decisions.jsonl",
                .server = "/dev/null"}};
    struct confinement confinement;
    (void)state;
    assert_int_equal(confinement_of(&confinement, &settings), 0);
    assert_use(&confinement, "/var/lib/postern", LANDLOCK_OWN, "limits.state");
    assert_use(&confinement, "/srv/mail", LANDLOCK_OWN, "maildir");
    assert_use(&confinement, "/var/log/postern", LANDLOCK_APPEND,
               "log.decisions");
    /* Not /dev. */
    assert_use(&confinement, "/dev/null", LANDLOCK_APPEND, "log.server");
    assert_null(find(&confinement, "/dev"));
    assert_null(find(&confinement, "/etc"));
    assert_true(confinement.is_strict);
    assert_false(confinement.is_user_named);
    confinement_release(&confinement);
}

/* Where the resolver's file really stands, for it is replaced by others. */
static void names_leave_the_directory_of_the_resolver(void **state)
{
    const struct endpoint numeric[] = {{.host = STR("192.0.2.1")}};
    const struct endpoint named[] = {{.host = STR("mta.example.com")}};
    struct upstream_settings upstream = {.servers = numeric, .server_count = 1};
    const struct settings settings = {
        .user = "postern", .upstreams = &upstream, .upstream_count = 1};
    struct confinement without, with;
    char real[PATH_MAX];
    (void)state;
    assert_int_equal(confinement_of(&without, &settings), 0);
    upstream.servers = named;
    assert_int_equal(confinement_of(&with, &settings), 0);
    if (realpath("/etc/resolv.conf", real) != NULL) {
        *strrchr(real, '/') = '\0';
        assert_null(find(&without, real));
        assert_non_null(find(&with, real));
    }
    assert_non_null(find(&without, "/etc/resolv.conf"));
    confinement_release(&without);
    confinement_release(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_of_what_is_written_are_left),
        cmocka_unit_test(names_leave_the_directory_of_the_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
