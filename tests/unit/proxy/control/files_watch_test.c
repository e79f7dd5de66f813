/* The thread that looks: what it tells, and what it holds. */
#include "proxy/control/files_watch.h"

#include "tests/unit/config/folder.h"

#include <stdatomic.h>
#include <time.h>

struct heard {
    atomic_size_t changes;
    char path[64]; /* written before that is counted */
};

static void on_change(void *owner, const struct file *changed, size_t count)
{
    struct heard *heard = owner;
    assert_true(count > 0);
    snprintf(heard->path, sizeof heard->path, "%s", changed->path);
    heard->changes++;
}

/* With an end. */
static void wait_for_change(struct heard *heard, size_t count)
{
    const struct timespec pause = {0, 10000000};
    for (int i = 0; i < 2000 && heard->changes < count; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(heard->changes, count);
}

static struct files *read_both(struct files *files)
{
    const struct file *file;
    assert_int_equal(files_read(files, FILE_USERS, "users", &file), 0);
    assert_int_equal(files_read(files, FILE_CONFIGURATION, "c.yaml", &file), 0);
    return files;
}

static void a_change_is_told_and_what_is_kept_is_looked_at(void **state)
{
    struct heard heard = {0};
    (void)state;
    write_file("users", "one");
    write_file("c.yaml", "one");
    struct files_watch *watch =
        files_watch_new(read_both(files_from_disk()), NULL);
    const struct files_source source = files_watch_source(watch);
    assert_int_equal(files_watch_start(watch, on_change, &heard), 0);
    write_file("c.yaml", "two");
    write_file("users", "two");
    wait_for_change(&heard, 1);
    assert_string_equal(heard.path, "users");
    struct files *fresh = read_both(source.fetch(source.owner, false));
    const struct file *file;
    files_read(fresh, FILE_CONFIGURATION, "c.yaml", &file);
    assert_true(str_equals(file->octets, STR("one")));
    source.keep(source.owner, fresh);
    assert_ptr_equal(source.newest(source.owner), fresh);
    write_file("users", "three");
    wait_for_change(&heard, 2);
    fresh = read_both(source.fetch(source.owner, true));
    files_read(fresh, FILE_CONFIGURATION, "c.yaml", &file);
    assert_true(str_equals(file->octets, STR("two")));
    files_free(fresh);
    files_watch_stop(watch);
    files_watch_free(watch);
}

static void secrets_are_not_kept(void **state)
{
    const struct file *file;
    (void)state;
    write_file("users", "one");
    write_file("c.yaml", "one");
    struct files *files = read_both(files_from_disk());
    struct files_watch *watch = files_watch_new(files, NULL);
    files_read(files, FILE_USERS, "users", &file);
    assert_null(file->octets.p);
    files_watch_free(watch);
    files_watch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_change_is_told_and_what_is_kept_is_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_not_kept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
