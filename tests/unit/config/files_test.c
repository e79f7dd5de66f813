/* What is read is remembered, handed over whole, and looked after. */
#include "config/files.h"

#include "tests/unit/config/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

static const struct file *get(struct files *files, enum file_kind kind,
                              const char *path)
{
    const struct file *file;
    assert_int_equal(files_read(files, kind, path, &file), 0);
    return file;
}

static void assert_holds(const struct file *file, const char *want)
{
    assert_int_equal(file->error, 0);
    assert_true(str_equals(file->octets, str_from(want)));
    assert_int_equal(file->size, strlen(want));
}

/* Handed over as to another process. */
static struct files *through_bundle(const struct files *files, bool with_keys)
{
    const char *wrong;
    int fd;
    assert_int_equal(files_to_bundle(files, with_keys, &fd), 0);
    struct files *taken = files_from_bundle(fd, &wrong);
    close(fd);
    assert_null(wrong);
    assert_non_null(taken);
    return taken;
}

static void what_was_read_stays_as_it_was(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    write_file("a", "one");
    assert_holds(get(files, FILE_LIST, "a"), "one");
    write_file("a", "two");
    assert_holds(get(files, FILE_LIST, "a"), "one");
    assert_int_equal(get(files, FILE_LIST, "b")->error, ENOENT);
    write_file("b", "late");
    assert_int_equal(get(files, FILE_LIST, "b")->error, ENOENT);
    assert_true(S_ISDIR(get(files, FILE_LIST, ".")->mode));
    assert_null(get(files, FILE_LIST, ".")->octets.p);
    files_free(files);
}

static void what_is_over_its_cap_is_told_by_its_size(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    size_t cap = file_cap(FILE_JWKS);
    write_file("a", "");
    assert_int_equal(truncate("a", (off_t)cap), 0);
    write_file("b", "");
    assert_int_equal(truncate("b", (off_t)cap + 1), 0);
    assert_int_equal(get(files, FILE_JWKS, "a")->octets.n, cap);
    assert_null(get(files, FILE_JWKS, "b")->octets.p);
    assert_int_equal(get(files, FILE_JWKS, "b")->size, cap + 1);
    struct files *taken = through_bundle(files, true);
    assert_null(get(taken, FILE_JWKS, "b")->octets.p);
    assert_int_equal(get(taken, FILE_JWKS, "b")->size, cap + 1);
    files_free(taken);
    files_free(files);
}

static void a_bundle_holds_what_was_read_and_no_more(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct file_matches found;
    write_file("users", "bob:x\n");
    chmod("users", 0640);
    write_file("empty", "");
    write_file("d1.yaml", "x");
    write_file("d2.yaml", "y");
    get(files, FILE_USERS, "users");
    get(files, FILE_LIST, "empty");
    get(files, FILE_LIST, "none");
    assert_int_equal(files_match(files, "d*.yaml", &found), 0);
    assert_int_equal(files_match(files, "e*.yaml", &found), 0);
    struct files *taken = through_bundle(files, true);
    unlink("users");
    unlink("d1.yaml");
    assert_holds(get(taken, FILE_USERS, "users"), "bob:x\n");
    assert_int_equal(get(taken, FILE_USERS, "users")->mode & 0777, 0640);
    assert_string_equal(get(taken, FILE_USERS, "users")->digest,
                        get(files, FILE_USERS, "users")->digest);
    assert_holds(get(taken, FILE_LIST, "empty"), "");
    assert_int_equal(get(taken, FILE_LIST, "none")->error, ENOENT);
    assert_int_equal(files_match(taken, "d*.yaml", &found), 0);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.paths[0], "d1.yaml");
    assert_string_equal(found.paths[1], "d2.yaml");
    assert_int_equal(files_match(taken, "e*.yaml", &found), 0);
    assert_true(found.count == 0 && !found.has_failed);
    /* It is there, but it was not handed over; nor was it read as a list. */
    assert_string_equal(file_error(get(taken, FILE_LIST, "d2.yaml")),
                        "it is not among the files that were handed over");
    assert_int_not_equal(get(taken, FILE_LIST, "users")->error, 0);
    assert_int_equal(files_match(taken, "*.yaml", &found), 0);
    assert_true(found.has_failed);
    files_free(taken);
    files_free(files);
}

#define CHAIN "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY                                                                    \
    "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n"

static bool bundle_holds(const struct files *files, bool with_keys,
                         const char *text)
{
    static char all[64 * 1024];
    int fd;
    assert_int_equal(files_to_bundle(files, with_keys, &fd), 0);
    ssize_t size = pread(fd, all, sizeof all, 0);
    assert_true(size > 0);
    close(fd);
    return memmem(all, (size_t)size, text, strlen(text)) != NULL;
}

static void keys_may_stay_where_they_are(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    write_file("key", KEY);
    write_file("both", CHAIN KEY CHAIN);
    write_file("cut", CHAIN "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n");
    get(files, FILE_KEY, "key");
    get(files, FILE_CERTIFICATE, "both");
    get(files, FILE_AUTHORITIES, "cut");
    assert_true(bundle_holds(files, true, "c2VjcmV0"));
    assert_false(bundle_holds(files, false, "c2VjcmV0"));
    struct files *taken = through_bundle(files, false);
    assert_string_equal(file_error(get(taken, FILE_KEY, "key")),
                        "it is a private key, and these were not handed over");
    assert_true(str_equals(get(taken, FILE_CERTIFICATE, "both")->octets,
                           STR(CHAIN "-----END EC PRIVATE KEY-----\n" CHAIN)));
    assert_true(
        str_equals(get(taken, FILE_AUTHORITIES, "cut")->octets, STR(CHAIN)));
    files_free(taken);
    taken = through_bundle(files, true);
    assert_holds(get(taken, FILE_KEY, "key"), KEY);
    files_free(taken);
    files_free(files);
}

static void a_bundle_that_may_change_is_none(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    const char *wrong;
    char all[4096];
    int fd, open_fd = memfd_create("test", MFD_ALLOW_SEALING);
    assert_int_equal(files_to_bundle(files, true, &fd), 0);
    ssize_t size = pread(fd, all, sizeof all, 0);
    assert_int_equal(write(open_fd, all, (size_t)size), size);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_null(files_from_bundle(open_fd, &wrong));
    assert_string_equal(wrong, "it is not sealed");
    close(open_fd);
    close(fd);
    fd = open("/dev/null", O_RDONLY);
    assert_null(files_from_bundle(fd, &wrong));
    assert_string_equal(wrong,
                        "it is no bundle of files, or of another version");
    close(fd);
    files_free(files);
}

static void what_was_forgotten_is_not_handed_over(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    int fd;
    write_file("c.yaml", "x");
    write_file("users", "bob:x\n");
    get(files, FILE_CONFIGURATION, "c.yaml");
    get(files, FILE_USERS, "users");
    struct files *taken = through_bundle(files, true);
    files_forget(files);
    files_forget(taken);
    assert_holds(get(files, FILE_CONFIGURATION, "c.yaml"), "x");
    assert_holds(get(taken, FILE_CONFIGURATION, "c.yaml"), "x");
    assert_null(get(taken, FILE_USERS, "users")->octets.p);
    assert_int_equal(files_to_bundle(files, true, &fd), -1);
    assert_int_equal(errno, ENODATA);
    files_free(taken);
    files_free(files);
}

static void a_renewal_keeps_the_yaml(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct file_matches found;
    size_t at = 0;
    write_file("c.yaml", "old");
    write_file("list", "old");
    write_file("same", "same");
    get(files, FILE_CONFIGURATION, "c.yaml");
    get(files, FILE_LIST, "list");
    get(files, FILE_LIST, "same");
    assert_int_equal(files_match(files, "*.yaml", &found), 0);
    write_file("c.yaml", "new, by half");
    write_file("d.yaml", "new");
    write_file("list", "new");
    files_forget(files);
    struct files *fresh = files_renewed_from(files);
    assert_holds(get(fresh, FILE_CONFIGURATION, "c.yaml"), "old");
    assert_holds(get(fresh, FILE_LIST, "list"), "new");
    assert_holds(get(fresh, FILE_LIST, "same"), "same");
    assert_int_equal(files_match(fresh, "*.yaml", &found), 0);
    assert_int_equal(found.count, 1);
    const struct file *changed = files_next_change(files, fresh, &at);
    assert_string_equal(changed->path, "list");
    assert_null(files_next_change(files, fresh, &at));
    files_free(files);
    files_free(fresh);
}

/* --- looks --- */

static void count_gone(void *owner, const struct file *file)
{
    assert_string_equal(file->path, "list");
    (*(size_t *)owner)++;
}

struct sight {
    size_t gone, count;
    char path[64];
};

/* As if so much time had passed since the last change. */
static enum files_state look(struct files *files, struct sight *sight, long ms)
{
    struct files_news news = {.on_gone = count_gone, .owner = &sight->gone};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_nsec += ms * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    enum files_state seen = files_look(files, &now, &news);
    sight->count = news.count;
    snprintf(sight->path, sizeof sight->path, "%s",
             news.changed == NULL ? "" : news.changed->path);
    return seen;
}

static void replace(const char *path, const char *text)
{
    write_file("fresh", text);
    assert_int_equal(rename("fresh", path), 0);
}

static void a_change_is_told_once_when_it_rests(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct sight sight = {0};
    write_file("list", "one");
    write_file("users", "one");
    write_file("c.yaml", "one");
    get(files, FILE_LIST, "list");
    get(files, FILE_USERS, "users");
    get(files, FILE_CONFIGURATION, "c.yaml");
    assert_int_equal(look(files, &sight, 0), FILES_SAME);
    replace("c.yaml", "YAML waits for a word");
    assert_int_equal(look(files, &sight, 60), FILES_SAME);
    replace("list", "two");
    assert_int_equal(look(files, &sight, 0), FILES_RESTLESS);
    assert_int_equal(look(files, &sight, 0), FILES_RESTLESS);
    /* While one is written to, the others wait. */
    replace("users", "two");
    assert_int_equal(look(files, &sight, 60), FILES_RESTLESS);
    assert_int_equal(look(files, &sight, 60), FILES_CHANGED);
    assert_int_equal(sight.count, 2);
    assert_string_equal(sight.path, "list");
    assert_int_equal(look(files, &sight, 60), FILES_SAME);
    files_free(files);
}

static void a_file_that_is_gone_is_waited_for(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct sight sight = {0};
    write_file("list", "one");
    get(files, FILE_LIST, "list");
    get(files, FILE_LIST, "none");
    unlink("list");
    for (int i = 0; i < 3; i++)
        assert_int_equal(look(files, &sight, 60), FILES_SAME);
    assert_int_equal(sight.gone, 1);
    write_file("list", "two");
    assert_int_equal(look(files, &sight, 60), FILES_RESTLESS);
    assert_int_equal(look(files, &sight, 60), FILES_CHANGED);
    write_file("none", "there by now");
    look(files, &sight, 60);
    assert_int_equal(look(files, &sight, 60), FILES_CHANGED);
    assert_string_equal(sight.path, "none");
    files_free(files);
}

static void a_link_is_followed(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct sight sight = {0};
    write_file("one", "1");
    write_file("two", "2");
    assert_int_equal(symlink("one", "link"), 0);
    get(files, FILE_CERTIFICATE, "link");
    assert_int_equal(look(files, &sight, 60), FILES_SAME);
    assert_int_equal(symlink("two", "new"), 0);
    assert_int_equal(rename("new", "link"), 0);
    assert_int_equal(look(files, &sight, 60), FILES_RESTLESS);
    assert_int_equal(look(files, &sight, 60), FILES_CHANGED);
    assert_string_equal(sight.path, "link");
    files_free(files);
}

static void one_that_never_rests_does_not_hold_up_the_others(void **state)
{
    (void)state;
    struct files *files = files_from_disk();
    struct sight sight = {0};
    enum files_state seen = FILES_SAME;
    write_file("list", "one");
    write_file("log", "one");
    get(files, FILE_LIST, "list");
    get(files, FILE_LIST, "log");
    replace("list", "two");
    for (int i = 0; i < 200 && seen != FILES_CHANGED; i++) {
        replace("log", i % 2 == 0 ? "x" : "y");
        seen = look(files, &sight, 60);
    }
    assert_int_equal(seen, FILES_CHANGED);
    assert_string_equal(sight.path, "list");
    files_free(files);
}

/* --- a whole configuration --- */

static void assert_same_diags(const struct diags *a, const struct diags *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].level, b->items[i].level);
        assert_int_equal(a->items[i].mark.line, b->items[i].mark.line);
        assert_string_equal(a->items[i].text, b->items[i].text);
    }
}

static void write_site(const char *policy)
{
    char text[4096];
    snprintf(text, sizeof text,
             GOOD "include: [policy.d/*.yaml]\n"
                  "shadow: candidate.yaml\n"
                  "lists: {far: {file: far.txt}, unused: [x]}\n"
                  "%s",
             policy);
    mkdir("policy.d", 0700);
    write_file("postern.yaml", text);
    write_file("far.txt", "example.net\n");
    write_file("candidate.yaml", GOOD "policy: {mail: [{rule: c, tag: c}]}\n");
    write_file("policy.d/b.yaml",
               "policy: {rcpt: [{rule: b, when: {rcpt.to.domain: \"@far\"}, "
               "tag: b}]}\n");
    write_file("policy.d/a.yaml", "policy: {rcpt: [{rule: a, tag: a}]}\n");
}

static void load_both(const char *policy, bool want_settings)
{
    struct files *files = files_from_disk();
    struct diags first, second;
    diags_init(&first);
    diags_init(&second);
    write_site(policy);
    const struct settings *here =
        config_load_from(files, "postern.yaml", &first);
    assert_int_equal(here != NULL, want_settings);
    struct files *taken = through_bundle(files, true);
    files_free(files);
    unlink("postern.yaml");
    unlink("far.txt");
    unlink("candidate.yaml");
    unlink("policy.d/a.yaml");
    unlink("policy.d/b.yaml");
    rmdir("policy.d");
    const struct settings *there =
        config_load_from(taken, "postern.yaml", &second);
    files_free(taken);
    assert_same_diags(&first, &second);
    assert_int_equal(there != NULL, want_settings);
    if (here != NULL && there != NULL) {
        assert_string_equal(here->policy_digest, there->policy_digest);
        assert_string_equal(here->shadow_digest, there->shadow_digest);
        assert_string_equal(here->server_digest, there->server_digest);
    }
    settings_unref(here);
    settings_unref(there);
    diags_release(&first);
    diags_release(&second);
}

static void a_configuration_out_of_a_bundle_is_the_same(void **state)
{
    (void)state;
    load_both("", true);
}

static void and_so_is_what_is_wrong_with_it(void **state)
{
    (void)state;
    load_both("policy: {mail: [{rull: oops}]}\n", false);
    load_both("policy: {mail: [{rule: x, when: {mail.from: \"@gone\"}, "
              "tag: x}]}\n",
              false);
    load_both("policy_servers: {a: {address: nowhere}}\n", false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_stays_as_it_was),
        TEST(what_is_over_its_cap_is_told_by_its_size),
        TEST(a_bundle_holds_what_was_read_and_no_more),
        TEST(keys_may_stay_where_they_are),
        TEST(a_bundle_that_may_change_is_none),
        TEST(what_was_forgotten_is_not_handed_over),
        TEST(a_renewal_keeps_the_yaml),
        TEST(a_change_is_told_once_when_it_rests),
        TEST(a_file_that_is_gone_is_waited_for),
        TEST(a_link_is_followed),
        TEST(one_that_never_rests_does_not_hold_up_the_others),
        TEST(a_configuration_out_of_a_bundle_is_the_same),
        TEST(and_so_is_what_is_wrong_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
