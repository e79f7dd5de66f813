#include "proxy/http/mail_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>

#include <cmocka.h>

static char box[64];

static const char *in_box(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", box, name);
    return path;
}

static int make_box(void **state)
{
    (void)state;
    snprintf(box, sizeof box, "/tmp/mail_folder_test_XXXXXX");
    if (mkdtemp(box) == NULL)
        return -1;
    return mkdir(in_box("new"), 0700) | mkdir(in_box("cur"), 0700) |
           mkdir(in_box("tmp"), 0700);
}

static int remove_box(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", box);
    return system(command);
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(in_box(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_newest_come_first(void **state)
{
    (void)state;
    struct mail_folder folder;
    static const char *const want[] = {"20.M000002P1.host", "20.M000001P1.host",
                                       "9.M999999P1.host:2,S", "no number"};
    put("new/20.M000001P1.host", "a");
    put("cur/9.M999999P1.host:2,S", "b");
    put("new/20.M000002P1.host", "c");
    put("cur/no number", "d");
    put("tmp/30.M000002P1.host", "on its way");
    put("new/.hidden", "e");
    assert_int_equal(mkdir(in_box("new/40.folder"), 0700), 0);
    assert_int_equal(symlink("/etc/passwd", in_box("new/50.link")), 0);
    assert_int_equal(mail_folder_read(&folder, box), 0);
    assert_int_equal(folder.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(folder.items[i].name, want[i]);
    assert_true(folder.items[0].is_new);
    assert_false(folder.items[2].is_new);
    assert_int_equal(folder.items[2].seconds, 9);
    mail_folder_release(&folder);
}

static void a_maildir_that_is_none_is_an_error(void **state)
{
    (void)state;
    struct mail_folder folder;
    assert_int_equal(rmdir(in_box("cur")), 0);
    assert_int_equal(mail_folder_read(&folder, box), ENOENT);
    mail_folder_release(&folder);
    assert_int_equal(symlink("/tmp", in_box("cur")), 0);
    assert_int_not_equal(mail_folder_read(&folder, box), 0);
    mail_folder_release(&folder);
}

static void a_message_is_read_wherever_it_is(void **state)
{
    (void)state;
    uint64_t octets = 0;
    put("new/1.a", "four");
    put("cur/2.b:2,S", "seven..");
    int fd = mail_folder_open(box, "1.a", &octets);
    assert_true(fd >= 0);
    assert_int_equal(octets, 4);
    close(fd);
    fd = mail_folder_open(box, "2.b:2,S", &octets);
    assert_true(fd >= 0);
    assert_int_equal(octets, 7);
    close(fd);
}

static void no_name_leads_out(void **state)
{
    (void)state;
    uint64_t octets = 0;
    put("tmp/3.c", "on its way");
    assert_int_equal(symlink("/etc/passwd", in_box("new/link")), 0);
    assert_int_equal(mkfifo(in_box("new/pipe"), 0600), 0);
    assert_int_equal(mkdir(in_box("new/folder"), 0700), 0);
    static const char *const names[] = {
        "",
        ".",
        "..",
        "../tmp/3.c",
        "/etc/passwd",
        "link",
        "pipe",
        "folder",
        "3.c",
        "x/../../tmp/3.c",
        "absent",
        ".hidden",
        "../../../etc/passwd",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mail_folder_open(box, names[i], &octets) >= 0)
            fail_msg("%s", names[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_box, remove_box)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_newest_come_first),
        TEST(a_maildir_that_is_none_is_an_error),
        TEST(a_message_is_read_wherever_it_is),
        TEST(no_name_leads_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
