#include "proxy/upstream/maildir.h"

#include "delivery_driver.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

struct place {
    char root[64];
    char maildir[80];
};

static void make_place(struct place *place)
{
    snprintf(place->root, sizeof(place->root), "maildir-test-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->maildir, sizeof(place->maildir), "%s/mail", place->root);
}

/* The names in a folder of it; the last one goes to `name`. */
static size_t list(const struct place *place, const char *folder, char *name,
                   bool removes)
{
    char path[512];
    size_t count = 0;
    struct dirent *entry;
    snprintf(path, sizeof(path), "%s/%s", place->maildir, folder);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (name != NULL)
            snprintf(name, 256, "%s", entry->d_name);
        snprintf(path, sizeof(path), "%s/%s/%s", place->maildir, folder,
                 entry->d_name);
        if (removes)
            unlink(path);
    }
    closedir(directory);
    return count;
}

static void remove_place(struct place *place)
{
    static const char *const folders[] = {"tmp", "new", "cur"};
    char path[512];
    for (size_t i = 0; i < 3; i++) {
        list(place, folders[i], NULL, true);
        snprintf(path, sizeof(path), "%s/%s", place->maildir, folders[i]);
        rmdir(path);
    }
    rmdir(place->maildir);
    assert_int_equal(rmdir(place->root), 0);
}

static char *read_new(const struct place *place, const char *name, size_t *n)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/new/%s", place->maildir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(16 * 1024 * 1024);
    *n = fread(text, 1, 16 * 1024 * 1024 - 1, file);
    text[*n] = '\0';
    fclose(file);
    return text;
}

static struct driver *new_driver(const struct place *place)
{
    struct driver *d = calloc(1, sizeof(*d));
    driver_settings(d);
    d->upstream.maildir = place->maildir;
    return d;
}

static void a_message_becomes_a_file(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct driver *d = new_driver(&place);
    d->rcpts = 2;
    d->message = "Subject: hi\r\n\r\n.dot\r\nend\r\n";
    driver_run(d);
    char name[256];
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].rcpt[1], 250);
    assert_int_equal(d->results[0].end, 250);
    assert_int_equal(list(&place, "tmp", NULL, false), 0);
    assert_int_equal(list(&place, "new", name, false), 1);
    assert_non_null(strstr(d->results[0].text, "2.0.0 Ok: queued as "));
    assert_non_null(strstr(d->results[0].text, name));
    assert_non_null(strstr(name, "7QK3M9T2XA01"));
    size_t n;
    char *text = read_new(&place, name, &n);
    assert_string_equal(text, "Return-Path: <bob@example.com>\n"
                              "Delivered-To: r0@example.net\n"
                              "Delivered-To: r1@example.net\n"
                              "Subject: hi\n\n.dot\nend\n");
    free(text);
    free(d);
    remove_place(&place);
}

static void a_big_message_passes_in_bounded_chunks(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct driver *d = new_driver(&place);
    size_t size = 4 * 1024 * 1024;
    char *message = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        message[i] = i % 64 == 62   ? '\r'
                     : i % 64 == 63 ? '\n'
                                    : (char)('a' + i % 23);
    message[size] = '\0';
    d->message = message;
    driver_run(d);
    char name[256];
    assert_int_equal(d->results[0].end, 250);
    assert_true(d->results[0].rooms > 0);
    assert_true(d->largest_take <= 128 * 1024 + 8192);
    assert_int_equal(list(&place, "new", name, false), 1);
    size_t n;
    char *text = read_new(&place, name, &n);
    const char *at = strchr(strstr(text, "Delivered-To"), '\n') + 1;
    assert_int_equal(n - (size_t)(at - text), size - size / 64);
    for (size_t i = 0; i < size; i += 64) {
        assert_memory_equal(at, message + i, 62);
        assert_int_equal(at[62], '\n');
        at += 63;
    }
    free(text);
    free(message);
    free(d);
    remove_place(&place);
}

static void a_delivery_freed_in_the_body_leaves_nothing(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct driver *d = new_driver(&place);
    size_t size = 1024 * 1024;
    char *message = malloc(size + 1);
    memset(message, 'x', size);
    message[size] = '\0';
    d->message = message;
    d->vanishes_at = 700 * 1024;
    d->transactions = 2;
    driver_run(d);
    assert_int_equal(d->results[0].end, 0);
    assert_int_equal(list(&place, "tmp", NULL, false), 0);
    assert_int_equal(list(&place, "new", NULL, false), 0);
    free(message);
    free(d);
    remove_place(&place);
}

static void a_delivery_without_data_leaves_nothing(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct driver *d = new_driver(&place);
    d->rcpts = 3;
    d->frees_in_rcpt = true;
    driver_run(d);
    assert_int_equal(d->results[0].rcpt_count, 1);
    assert_int_equal(list(&place, "tmp", NULL, false), 0);
    free(d);
    remove_place(&place);
}

static void a_maildir_that_cannot_be_written_is_a_451(void **state)
{
    (void)state;
    struct place place;
    make_place(&place);
    struct driver *d = new_driver(&place);
    d->upstream.maildir = "no-such-directory/mail";
    d->message = "Subject: hi\r\n\r\n";
    driver_run(d);
    assert_int_equal(d->results[0].rcpt[0], 250);
    assert_int_equal(d->results[0].end, 451);
    assert_false(d->results[0].is_upstreams);
    assert_non_null(strstr(d->results[0].text, "4.3.0"));
    assert_non_null(strstr(d->results[0].fault, "No such file"));
    free(d);
    assert_int_equal(rmdir(place.root), 0);
}

static void a_maildir_is_made_once_for_its_owner_alone(void **state)
{
    (void)state;
    struct place place;
    struct stat status;
    make_place(&place);
    assert_int_equal(maildir_prepare(place.maildir), 0);
    assert_int_equal(maildir_prepare(place.maildir), 0);
    assert_int_equal(stat(place.maildir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    remove_place(&place);
    assert_int_equal(maildir_prepare("/dev/null"), ENOTDIR);
    assert_int_equal(maildir_prepare("no-such-directory/mail"), ENOENT);
}

static void a_check_finds_what_is_wrong_and_makes_nothing(void **state)
{
    (void)state;
    struct place place;
    char tmp[sizeof(place.maildir) + 8];
    make_place(&place);
    assert_int_equal(maildir_check(place.maildir), 0);
    assert_int_equal(access(place.maildir, F_OK), -1);
    assert_int_equal(maildir_check("/dev/null"), ENOTDIR);
    snprintf(tmp, sizeof(tmp), "%s/a/", place.maildir);
    assert_int_equal(maildir_check(tmp), ENOENT);
    assert_int_equal(maildir_check("mail-that-is-not-there"), 0);
    assert_int_equal(mkdir(place.maildir, 0700), 0);
    snprintf(tmp, sizeof(tmp), "%s/tmp", place.maildir);
    FILE *file = fopen(tmp, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(maildir_check(place.maildir), ENOTDIR);
    assert_int_equal(unlink(tmp), 0);
    if (geteuid() != 0) {
        assert_int_equal(chmod(place.maildir, 0500), 0);
        assert_int_equal(maildir_check(place.maildir), EACCES);
        assert_int_equal(maildir_prepare(place.maildir), EACCES);
        assert_int_equal(chmod(place.maildir, 0700), 0);
    }
    assert_int_equal(maildir_prepare(place.maildir), 0);
    assert_int_equal(maildir_check(place.maildir), 0);
    remove_place(&place);
}

static void a_name_holds_nothing_that_leads_elsewhere(void **state)
{
    (void)state;
    struct maildir_file file;
    maildir_file_init(&file, "x",
                      &(struct maildir_name){
                          .wall_us = 1000002,
                          .id = STR("../a/b:2,S"),
                          .host = STR("/etc"),
                      });
    assert_null(strchr(file.name, '/'));
    assert_null(strchr(file.name, ':'));
    assert_memory_equal(file.name, "1.M000002P", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_becomes_a_file),
        cmocka_unit_test(a_big_message_passes_in_bounded_chunks),
        cmocka_unit_test(a_delivery_freed_in_the_body_leaves_nothing),
        cmocka_unit_test(a_delivery_without_data_leaves_nothing),
        cmocka_unit_test(a_maildir_that_cannot_be_written_is_a_451),
        cmocka_unit_test(a_maildir_is_made_once_for_its_owner_alone),
        cmocka_unit_test(a_check_finds_what_is_wrong_and_makes_nothing),
        cmocka_unit_test(a_name_holds_nothing_that_leads_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
