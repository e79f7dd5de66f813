/* Files that change, are broken, and go; and who looks up meanwhile. */
#include "proxy/login/book_keeper.h"
#include "tests/unit/proxy/login/known_hashes.h"
#include "tests/support/from_disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES 2

struct fixture {
    char folder[64];
    char paths[FILES][96], log_path[96];
    struct backend_settings backends[FILES];
    struct auth_settings auth;
    struct server_log *log;
    struct book_keeper *keeper;
};

/* Another file in the place of the first. */
static void put(const struct fixture *f, size_t i, const char *text)
{
    char fresh[112];
    snprintf(fresh, sizeof fresh, "%s.new", f->paths[i]);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    dprintf(fd, "%s", text);
    close(fd);
    assert_int_equal(rename(fresh, f->paths[i]), 0);
}

static void open_keeper(struct fixture *f, const char *first,
                        const char *second)
{
    const char *const texts[FILES] = {first, second};
    struct diags diags;
    *f = (struct fixture){.folder = "/tmp/book_keeper_test_XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    f->auth = (struct auth_settings){
        .backends = f->backends,
        .backend_count = second == NULL ? 1 : FILES,
        .mechanisms = 1U << SASL_PLAIN | 1U << SASL_SCRAM_SHA_256};
    for (size_t i = 0; i < f->auth.backend_count; i++) {
        snprintf(f->paths[i], sizeof f->paths[i], "%s/users%zu", f->folder, i);
        put(f, i, texts[i]);
        f->backends[i] =
            (struct backend_settings){.kind = BACKEND_USERS,
                                      .users = f->paths[i],
                                      .mark = {"postern.yaml", 9 + i, 7}};
    }
    snprintf(f->log_path, sizeof f->log_path, "%s/log", f->folder);
    const struct log_settings logging = {.server = f->log_path};
    diags_init(&diags);
    f->log = server_log_new(&logging, &diags);
    f->keeper = FROM_DISK(book_keeper_new(&f->auth, disk, &diags));
    assert_non_null(f->log);
    assert_non_null(f->keeper);
    diags_release(&diags);
}

static void close_keeper(struct fixture *f)
{
    book_keeper_free(f->keeper);
    server_log_free(f->log);
    unlink(f->log_path);
    for (size_t i = 0; i < f->auth.backend_count; i++)
        unlink(f->paths[i]);
    rmdir(f->folder);
}

/* Reads all files and takes them up: 0, or -1 with errors in diags. */
static int renew(struct fixture *f, struct diags *diags)
{
    struct user_book fresh = {0};
    int result = FROM_DISK(user_book_read(&fresh, &f->auth, disk, diags));
    if (result == 0)
        book_keeper_renew(f->keeper, &fresh, false, f->log);
    user_book_release(&fresh);
    return result;
}

static void renew_well(struct fixture *f)
{
    struct diags diags;
    diags_init(&diags);
    assert_int_equal(renew(f, &diags), 0);
    diags_release(&diags);
}

static bool knows(struct fixture *f, const char *name)
{
    const struct user_book *book = book_keeper_lend(f->keeper);
    bool found = user_book_find(book, str_from(name)) != NULL;
    book_keeper_give_back(f->keeper);
    return found;
}

/* How often the log says so. */
static size_t told(const struct fixture *f, const char *words)
{
    static char text[64 * 1024];
    size_t count = 0;
    FILE *file = fopen(f->log_path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    for (const char *at = strstr(text, words); at != NULL;
         at = strstr(at + 1, words))
        count++;
    return count;
}

static void what_has_changed_is_told_and_is_another_edition(void **state)
{
    (void)state;
    struct fixture f;
    open_keeper(&f, "bob:" HASH_BCRYPT "\n", "eve:" HASH_BCRYPT "\n");
    uint64_t edition = book_keeper_edition(f.keeper);
    renew_well(&f);
    assert_int_equal(book_keeper_edition(f.keeper), edition);
    put(&f, 1, "max:" HASH_BCRYPT "\nann:" HASH_BCRYPT "\n");
    renew_well(&f);
    renew_well(&f);
    assert_int_equal(book_keeper_edition(f.keeper), edition + 1);
    assert_true(knows(&f, "bob") && knows(&f, "max") && knows(&f, "ann"));
    assert_false(knows(&f, "eve"));
    assert_int_equal(told(&f, "users1 has changed and was read: 2 logins"), 1);
    assert_int_equal(told(&f, "has changed"), 1);
    close_keeper(&f);
}

static void another_back_ends_change_is_another_edition_too(void **state)
{
    (void)state;
    struct fixture f;
    struct user_book fresh = {0};
    struct diags diags;
    diags_init(&diags);
    open_keeper(&f, "bob:" HASH_BCRYPT "\n", NULL);
    uint64_t edition = book_keeper_edition(f.keeper);
    assert_int_equal(FROM_DISK(user_book_read(&fresh, &f.auth, disk, &diags)),
                     0);
    book_keeper_renew(f.keeper, &fresh, true, f.log);
    assert_int_equal(book_keeper_edition(f.keeper), edition + 1);
    user_book_release(&fresh);
    diags_release(&diags);
    close_keeper(&f);
}

static void one_broken_file_leaves_the_logins_of_all(void **state)
{
    (void)state;
    struct fixture f;
    struct diags diags;
    open_keeper(&f, "bob:" HASH_BCRYPT "\n", "eve:" HASH_BCRYPT "\n");
    put(&f, 0, "max:" HASH_BCRYPT "\nbob:secret\nann\n");
    put(&f, 1, "zoe:" HASH_BCRYPT "\n");
    diags_init(&diags);
    assert_int_equal(renew(&f, &diags), -1);
    assert_int_equal(diags.errors, 2);
    assert_string_equal(diags.items[0].mark.file, f.paths[0]);
    assert_int_equal(diags.items[0].mark.line, 2);
    diags_release(&diags);
    assert_true(knows(&f, "bob") && knows(&f, "eve"));
    assert_false(knows(&f, "max") || knows(&f, "zoe"));
    put(&f, 0, "max:" HASH_BCRYPT "\n");
    renew_well(&f);
    assert_true(knows(&f, "max") && knows(&f, "zoe"));
    assert_false(knows(&f, "bob") || knows(&f, "eve"));
    close_keeper(&f);
}

static void a_file_that_others_may_read_is_none(void **state)
{
    (void)state;
    struct fixture f;
    struct diags diags;
    open_keeper(&f, "bob:" HASH_BCRYPT "\n", NULL);
    assert_int_equal(chmod(f.paths[0], 0644), 0);
    diags_init(&diags);
    assert_int_equal(renew(&f, &diags), -1);
    assert_string_equal(diags.items[0].mark.file, "postern.yaml");
    assert_int_equal(diags.items[0].mark.line, 9);
    assert_non_null(strstr(diags.items[0].text, "chmod o= it"));
    assert_int_equal(unlink(f.paths[0]), 0);
    assert_int_equal(renew(&f, &diags), -1);
    assert_non_null(strstr(diags.items[1].text, "No such file"));
    diags_release(&diags);
    assert_true(knows(&f, "bob"));
    close_keeper(&f);
}

/* SCRAM is for all or for none, of all files together. */
static void whether_all_hold_scram_changes_with_the_files(void **state)
{
    (void)state;
    struct fixture f;
    struct diags diags;
    open_keeper(&f, "bob:" HASH_SCRAM "\n", "eve:" HASH_SCRAM "\n");
    assert_true(book_keeper_holds_scram(f.keeper));
    put(&f, 0, "bob:" HASH_SCRAM "\nmax:" HASH_BCRYPT "\n");
    diags_init(&diags);
    assert_int_equal(renew(&f, &diags), 0);
    assert_false(book_keeper_holds_scram(f.keeper));
    assert_int_equal(diags.count, 1);
    assert_int_equal(diags.items[0].mark.line, 2);
    assert_non_null(strstr(diags.items[0].text, "SCRAM is not offered: max"));
    diags_release(&diags);
    put(&f, 0, "max:*\n");
    renew_well(&f);
    assert_true(book_keeper_holds_scram(f.keeper));
    close_keeper(&f);
}

struct reader {
    struct fixture *f;
    atomic_bool *is_over;
    size_t found;
};

static void *look_up(void *argument)
{
    struct reader *reader = argument;
    while (!atomic_load(reader->is_over)) {
        const struct user_book *book = book_keeper_lend(reader->f->keeper);
        const struct user *bob = user_book_find(book, STR("bob"));
        const struct user *other = user_book_stand_in(book, STR("nobody"));
        reader->found += bob != NULL && other != NULL &&
                         str_equals(bob->name, STR("bob")) &&
                         other->password.setting[0] == '$';
        book_keeper_give_back(reader->f->keeper);
        sched_yield();
    }
    return NULL;
}

static void what_is_lent_lasts_while_files_change(void **state)
{
    (void)state;
    struct fixture f;
    struct diags diags;
    pthread_t threads[2];
    atomic_bool is_over = false;
    open_keeper(&f, "bob:" HASH_BCRYPT "\n", NULL);
    struct reader readers[2] = {{&f, &is_over, 0}, {&f, &is_over, 0}};
    diags_init(&diags);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, look_up, &readers[i]), 0);
    for (size_t i = 0; i < 200; i++) {
        put(&f, 0,
            i % 2 == 0 ? "ann:" HASH_BCRYPT "\nbob:" HASH_BCRYPT "\n"
                       : "bob:" HASH_BCRYPT "\n");
        assert_int_equal(renew(&f, &diags), 0);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_true(readers[i].found > 0);
    }
    diags_release(&diags);
    close_keeper(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_changed_is_told_and_is_another_edition),
        cmocka_unit_test(another_back_ends_change_is_another_edition_too),
        cmocka_unit_test(one_broken_file_leaves_the_logins_of_all),
        cmocka_unit_test(a_file_that_others_may_read_is_none),
        cmocka_unit_test(whether_all_hold_scram_changes_with_the_files),
        cmocka_unit_test(what_is_lent_lasts_while_files_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
