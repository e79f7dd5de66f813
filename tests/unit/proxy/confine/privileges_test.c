#include "proxy/confine/privileges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LOST 0
#define FAILED 1
#define KEPT_SOMETHING 2

/* Whether the kernel shows such a line of this process. */
static bool shows(const char *line)
{
    char text[8192];
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return strstr(text, line) != NULL;
}

static bool has_nothing(void)
{
    return shows("\nNoNewPrivs:\t1\n") &&
           shows("\nCapInh:\t0000000000000000") &&
           shows("\nCapPrm:\t0000000000000000") &&
           shows("\nCapEff:\t0000000000000000") &&
           shows("\nCapAmb:\t0000000000000000");
}

/* In a process of its own. */
static int status_after_drop(const struct privileges *privileges,
                             const char *line)
{
    char error[256];
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (privileges_drop(privileges, error, sizeof error) != 0)
            _exit(FAILED);
        _exit(has_nothing() && shows(line) ? LOST : KEPT_SOMETHING);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void root_becomes_the_user_that_is_named(void **state)
{
    struct privileges privileges;
    char error[256], line[80];
    (void)state;
    if (geteuid() != 0)
        return;
    assert_int_equal(
        privileges_find(&privileges, "nobody", error, sizeof error),
        PRIVILEGES_FOUND);
    assert_false(privileges.is_kept);
    assert_true(privileges.uid != 0 && privileges.gid != 0);
    snprintf(line, sizeof line, "\nUid:\t%u\t%u\t%u\t%u\n", privileges.uid,
             privileges.uid, privileges.uid, privileges.uid);
    assert_int_equal(status_after_drop(&privileges, line), LOST);
    snprintf(line, sizeof line, "\nGroups:\t%u \n", privileges.gid);
    assert_int_equal(status_after_drop(&privileges, line), LOST);
    assert_int_equal(
        status_after_drop(&privileges, "\nCapBnd:\t0000000000000000\n"), LOST);
}

static void who_stays_loses_capabilities(void **state)
{
    struct privileges privileges;
    char line[80];
    (void)state;
    privileges_keep(&privileges);
    snprintf(line, sizeof line, "\nUid:\t%u\t%u\t%u\t%u\n", getuid(), getuid(),
             getuid(), getuid());
    assert_int_equal(status_after_drop(&privileges, line), LOST);
}

static void a_user_that_is_missing_is_told(void **state)
{
    struct privileges privileges;
    char error[256];
    (void)state;
    if (geteuid() != 0)
        return;
    assert_int_equal(
        privileges_find(&privileges, "no-such-user", error, sizeof error),
        PRIVILEGES_NO_USER);
    assert_string_equal(error, "there is no user no-such-user: `adduser "
                               "--system no-such-user`");
    assert_true(privileges.is_kept);
}

static void who_is_not_root_keeps_the_user(void **state)
{
    struct privileges privileges;
    char error[256];
    int status = -1;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setresuid(1, 1, 1) != 0)
            _exit(FAILED);
        _exit(privileges_find(&privileges, "no-such-user", error,
                              sizeof error) == PRIVILEGES_FOUND &&
                      privileges.is_kept
                  ? LOST
                  : KEPT_SOMETHING);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_the_user_that_is_named),
        cmocka_unit_test(who_stays_loses_capabilities),
        cmocka_unit_test(a_user_that_is_missing_is_told),
        cmocka_unit_test(who_is_not_root_keeps_the_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
