/* In which order the system is asked, and what is left where it fails. The
 * linker puts this file between the Maildir and the system. */
#include "proxy/upstream/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

/* What was asked so far: 'f' and 'd' are fsync() of a file and of a folder,
 * 'r' is rename(). */
static char asked[8];
static char failing; /* the one that fails */

static int ask(char what)
{
    size_t n = strlen(asked);
    assert_true(n < sizeof asked - 1);
    asked[n] = what;
    if (what != failing)
        return 0;
    errno = EIO;
    return -1;
}

int __wrap_fsync(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    if (ask(S_ISDIR(status.st_mode) ? 'd' : 'f') != 0)
        return -1;
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    if (ask('r') != 0)
        return -1;
    return __real_rename(from, to);
}

/* Removes what lies there, and counts it. */
static size_t sweep(const char *maildir, const char *part)
{
    char path[600];
    size_t count = 0;
    struct dirent *entry;
    snprintf(path, sizeof path, "%s/%s", maildir, part);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        snprintf(path, sizeof path, "%s/%s/%s", maildir, part, entry->d_name);
        unlink(path);
    }
    closedir(folder);
    snprintf(path, sizeof path, "%s/%s", maildir, part);
    rmdir(path);
    return count;
}

static const struct {
    char failing;
    const char *want; /* what is asked, in order */
    bool is_kept;
} CASES[] = {
    {.failing = '-', .want = "frd", .is_kept = true},
    {.failing = 'f', .want = "f"},
    {.failing = 'r', .want = "fr"},
    {.failing = 'd', .want = "frd"},
};

static void a_message_is_safe_before_it_is_answered_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char maildir[] = "maildir-durable-XXXXXX";
        struct maildir_file file;
        const struct maildir_name name = {
            .wall_us = 1, .id = STR("ID"), .host = STR("host")};
        assert_non_null(mkdtemp(maildir));
        assert_int_equal(maildir_prepare(maildir), 0);
        maildir_file_init(&file, maildir, &name);
        assert_int_equal(maildir_file_write(&file, STR("Subject: x\n")), 0);
        memset(asked, 0, sizeof asked);
        failing = CASES[i].failing;
        int error = maildir_file_commit(&file);
        assert_int_equal(error, CASES[i].is_kept ? 0 : EIO);
        assert_string_equal(asked, CASES[i].want);
        /* What was not answered for is not there. */
        assert_int_equal(sweep(maildir, "new"), CASES[i].is_kept ? 1 : 0);
        assert_int_equal(sweep(maildir, "tmp"), 0);
        sweep(maildir, "cur");
        assert_int_equal(rmdir(maildir), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_safe_before_it_is_answered_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
