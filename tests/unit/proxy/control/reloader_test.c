/* Reloads: what is taken up, and what is refused. */
#include "proxy/control/reloader.h"

#include "tests/unit/config/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define ONE GOOD "policy: {mail: [{rule: a, tag: x}]}\n"
#define TWO GOOD "policy: {mail: [{rule: b, tag: x}]}\n"

struct scene {
    const struct settings *base;
    struct reloader *reloader;
    atomic_size_t asked, taken; /* changes that were told, and taken up */
    char rule[8];               /* the first of the newest policy */
    char sections[256];         /* of the server's own part that differ */
    char noted[4096];           /* the last line for the decision log */
    bool asks_again;            /* inside take_up() */
    bool is_stale;              /* what is read beside the configuration is */
    struct files *files;        /* that were taken up last */
    enum reload_end second_end;
};

static const struct rule *first_rule(const struct settings *settings)
{
    return ruleset_rule(settings->rules, STAGE_MAIL, 0);
}

static void ask_again(struct scene *scene)
{
    struct reload_result result;
    reloader_ask(scene->reloader, &result);
    scene->second_end = result.end;
    reload_result_release(&result);
}

static int take_up(void *owner, const struct reload_change *change,
                   struct diags *diags)
{
    struct scene *scene = owner;
    const struct file *file;
    assert_int_equal(files_read(change->files, FILE_USERS, "users", &file), 0);
    assert_int_equal(change->is_other_server, change->sections[0] != '\0');
    memcpy(scene->sections, change->sections, sizeof scene->sections);
    if (scene->asks_again)
        ask_again(scene);
    if (!scene->is_stale) {
        struct str name = rule_name(first_rule(change->fresh));
        snprintf(scene->rule, sizeof scene->rule, "%.*s", (int)name.n, name.p);
        scene->taken++;
    } else {
        diags_error(diags, (struct mark){"users", 1, 1}, "no such login");
    }
    scene->asked++;
    return scene->is_stale ? -1 : 0;
}

static void note(void *owner, struct str line)
{
    struct scene *scene = owner;
    snprintf(scene->noted, sizeof scene->noted, "%.*s", (int)line.n, line.p);
}

static struct files *fetch(void *owner, bool is_whole)
{
    const struct scene *scene = owner;
    return is_whole ? files_from_disk() : files_renewed_from(scene->files);
}

static const struct files *newest(void *owner)
{
    const struct scene *scene = owner;
    return scene->files;
}

static void keep(void *owner, struct files *files)
{
    struct scene *scene = owner;
    files_free(scene->files);
    scene->files = files;
    files_forget(files);
}

static void open_scene(struct scene *scene)
{
    struct diags diags;
    *scene = (struct scene){.second_end = RELOAD_LIVE};
    const struct reloader_host *host = NULL;
    diags_init(&diags);
    write_file("postern.yaml", ONE);
    write_file("users", "bob:x\n");
    scene->files = files_from_disk();
    scene->base = config_load_from(scene->files, "postern.yaml", &diags);
    assert_non_null(scene->base);
    const struct file *file;
    assert_int_equal(files_read(scene->files, FILE_USERS, "users", &file), 0);
    files_forget(scene->files);
    host = &(struct reloader_host){.source = {fetch, newest, keep, scene},
                                   .take_up = take_up,
                                   .note = note,
                                   .owner = scene};
    scene->reloader = reloader_new(scene->base, host);
    assert_non_null(scene->reloader);
    diags_release(&diags);
}

static void close_scene(struct scene *scene)
{
    reloader_free(scene->reloader);
    settings_unref(scene->base);
    files_free(scene->files);
}

static enum reload_end reload(struct scene *scene, const char *text,
                              const char *want_error)
{
    struct reload_result result;
    write_file("postern.yaml", text);
    reloader_ask(scene->reloader, &result);
    enum reload_end end = result.end;
    if (want_error != NULL) {
        assert_true(result.diags.errors > 0);
        assert_non_null(strstr(result.diags.items[0].text, want_error));
    } else {
        assert_int_equal(result.diags.errors, 0);
    }
    reload_result_release(&result);
    return end;
}

static void a_good_policy_goes_live(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(reload(&scene, TWO, NULL), RELOAD_LIVE);
    assert_int_equal(scene.taken, 1);
    assert_string_equal(scene.rule, "b");
    assert_string_equal(scene.sections, "");
    assert_non_null(strstr(scene.noted, "\"verdict\":\"accept\""));
    close_scene(&scene);
}

static void what_is_wrong_changes_nothing(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(reload(&scene, GOOD "policy: 7\n", "policy"),
                     RELOAD_REFUSED);
    assert_int_equal(
        reload(&scene,
               TWO "tests: [{name: t, given: {mail.from: a@b.example}, "
                   "expect: {reply: 550}}]\n",
               "test \"t\""),
        RELOAD_REFUSED);
    assert_int_equal(
        reload(&scene, TWO "reload: {replay: none.jsonl}\n", "none.jsonl"),
        RELOAD_REFUSED);
    assert_int_equal(scene.asked, 0);
    scene.is_stale = true;
    assert_int_equal(reload(&scene, TWO, "no such login"), RELOAD_REFUSED);
    assert_int_equal(scene.taken, 0);
    assert_non_null(strstr(scene.noted, "\"verdict\":\"reject\""));
    assert_non_null(strstr(scene.noted, "no such login"));
    close_scene(&scene);
}

static void another_servers_part_is_named(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(reload(&scene, TWO "workers: 3\ncaps: {hops: 7}\n", NULL),
                     RELOAD_LIVE);
    assert_string_equal(scene.sections, "caps, workers");
    /* From then on that is what it runs with. */
    assert_int_equal(reload(&scene, ONE "workers: 3\ncaps: {hops: 7}\n", NULL),
                     RELOAD_LIVE);
    assert_string_equal(scene.sections, "");
    assert_int_equal(scene.taken, 2);
    close_scene(&scene);
}

static void a_socket_that_stays_is_told_of(void **state)
{
    struct scene scene;
    struct reload_result result;
    (void)state;
    open_scene(&scene);
    write_file("postern.yaml", TWO "control: elsewhere\n");
    reloader_ask(scene.reloader, &result);
    assert_int_equal(result.end, RELOAD_LIVE);
    assert_int_equal(result.diags.count, 1);
    assert_int_equal(result.diags.items[0].level, DIAG_WARNING);
    assert_non_null(strstr(result.diags.items[0].text, "control socket stays"));
    reload_result_release(&result);
    close_scene(&scene);
}

#define LISTED                                                                 \
    GOOD "lists: {far: {file: far.txt}}\n"                                     \
         "policy: {mail: [{rule: a, when: {mail.from: \"@far\"}, "             \
         "tag: x}]}\n"

/* As the watch does, for the first file that is given; waits until it was
 * taken up, or was not. */
static void renew_for(struct scene *scene, enum file_kind kind,
                      const char *path)
{
    const struct timespec pause = {0, 2000000};
    const struct file changed = {.kind = kind, .path = path};
    size_t before = scene->asked;
    reloader_renew(scene->reloader, &changed, 1);
    for (int i = 0; i < 5000 && scene->asked == before; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(scene->asked, before + 1);
    /* It has ended when another one can be asked for, and has. */
    reloader_stop(scene->reloader);
}

static void open_listed(struct scene *scene)
{
    write_file("far.txt", "a@example.net\n");
    open_scene(scene);
    assert_int_equal(reload(scene, LISTED, NULL), RELOAD_LIVE);
    assert_int_equal(scene->taken, 1);
    /* The editor is half through with it. */
    write_file("postern.yaml", "policy: [\n");
}

static void a_list_that_has_changed_goes_live_under_the_old_yaml(void **state)
{
    struct scene scene;
    (void)state;
    open_listed(&scene);
    write_file("far.txt", "b@example.net\n");
    renew_for(&scene, FILE_LIST, "far.txt");
    assert_int_equal(scene.taken, 2);
    close_scene(&scene);
}

static void what_is_no_policy_is_taken_up_too(void **state)
{
    struct scene scene;
    (void)state;
    open_listed(&scene);
    write_file("users", "eve:x\n");
    const struct files *before = scene.files;
    renew_for(&scene, FILE_USERS, "users");
    assert_int_equal(scene.taken, 2);
    assert_ptr_not_equal(scene.files, before);
    close_scene(&scene);
}

static void a_file_that_can_not_be_used_leaves_all_as_it_was(void **state)
{
    struct scene scene;
    (void)state;
    open_listed(&scene);
    write_file("far.txt", "b@example.net\n");
    scene.is_stale = true;
    const struct files *before = scene.files;
    renew_for(&scene, FILE_USERS, "users");
    assert_int_equal(scene.taken, 1);
    assert_ptr_equal(scene.files, before);
    close_scene(&scene);
}

static void a_second_one_is_told_that_one_is_under_way(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    scene.asks_again = true;
    assert_int_equal(reload(&scene, TWO, NULL), RELOAD_LIVE);
    assert_int_equal(scene.second_end, RELOAD_BUSY);
    close_scene(&scene);
}

static void after_a_stop_nothing_is_taken_up(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    reloader_stop(scene.reloader);
    assert_int_equal(reload(&scene, TWO, NULL), RELOAD_STOPPING);
    assert_int_equal(scene.taken, 0);
    close_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_policy_goes_live, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_servers_part_is_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_socket_that_stays_is_told_of, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_second_one_is_told_that_one_is_under_way, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_list_that_has_changed_goes_live_under_the_old_yaml, setup,
            teardown),
        cmocka_unit_test_setup_teardown(what_is_no_policy_is_taken_up_too,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_file_that_can_not_be_used_leaves_all_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_stop_nothing_is_taken_up, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
