/* Files: includes, lists, digests, the shipped configurations; and that no
 * octet of a configuration can make the loader crash. */
#include "tests/unit/config/folder.h"

#include "config/policy_tests.h"

static void a_file_that_can_not_be_read_is_one_line(void **state)
{
    (void)state;
    assert_refused("none.yaml",
                   "error: none.yaml can't be read: No such file or "
                   "directory\n");
    assert_refused(".", "error: . is no regular file\n");
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_refused("pipe", "error: pipe is no regular file\n");
}

static void paths_start_from_the_file_that_names_them(void **state)
{
    (void)state;
    assert_int_equal(mkdir("etc", 0700), 0);
    assert_int_equal(mkdir("etc/tls.d", 0700), 0);
    write_file("etc/postern.yaml",
               "hostname: mail.example.com\n"
               "include: tls.d/tls.yaml\n"
               "listeners: {a: {address: \"127.0.0.1:1\", tls: starttls}}\n"
               "upstreams: {local: {maildir: mail}}\n"
               "upstream: local\n"
               "auth: {backends: [{users: /users}]}\n"
               "log: {decisions: ../log}\n");
    write_file("etc/tls.d/tls.yaml",
               "tls: {certificates: [{chain: c.pem, key: k.pem}]}\n");
    const struct settings *settings = load("etc/postern.yaml");
    assert_string_equal(settings->path, "etc/postern.yaml");
    assert_string_equal(settings->upstreams[0].maildir, "etc/mail");
    assert_string_equal(settings->auth.backends[0].users, "/users");
    assert_string_equal(settings->log.decisions, "etc/../log");
    assert_string_equal(settings->tls.certificates[0].chain, "etc/tls.d/c.pem");
    assert_string_equal(settings->tls.certificates[0].key_mark.file,
                        "etc/tls.d/tls.yaml");
    settings_unref(settings);
}

static void write_included(void)
{
    assert_int_equal(mkdir("policy.d", 0700), 0);
    write_file("policy.d/20.yaml", "lists: {two: ['*@example.net']}\n"
                                   "policy:\n"
                                   "  mail:\n"
                                   "    - rule: third\n"
                                   "      tag: \"{mail.from}\"\n"
                                   "  rcpt:\n"
                                   "    - rule: of rcpt\n"
                                   "      when: {rcpt.to: \"@one\"}\n"
                                   "      tag: x\n");
    write_file("policy.d/10.yaml", "lists: {one: ['*@example.org']}\n"
                                   "policy:\n"
                                   "  mail:\n"
                                   "    - rule: second\n"
                                   "      when: {mail.from: \"@two\"}\n"
                                   "      tag: y\n"
                                   "tests:\n"
                                   "  - name: of an included file\n"
                                   "    given: {mail.from: a@example.net}\n"
                                   "    expect: {tag: [z, y]}\n");
    write_file("policy.d/notes.txt", "not YAML: [\n");
}

static void included_policies_lists_and_tests_add_up(void **state)
{
    (void)state;
    write_included();
    write_file("postern.yaml", GOOD "include: [policy.d/*.yaml]\n"
                                    "policy:\n"
                                    "  mail:\n"
                                    "    - rule: first\n"
                                    "      tag: z\n"
                                    "tests:\n"
                                    "  - name: of the named file\n"
                                    "    given: {mail.from: a@example.net}\n"
                                    "    expect: {tag: z}\n");
    const struct settings *settings = load("postern.yaml");
    assert_int_equal(ruleset_count(settings->rules, STAGE_MAIL), 3);
    assert_int_equal(ruleset_count(settings->rules, STAGE_RCPT), 1);
    assert_int_equal(settings->test_count, 2);
    struct diags diags;
    struct policy_tests_result result;
    diags_init(&diags);
    policy_tests_run(settings, &diags, &result);
    assert_printed(&diags, "");
    assert_int_equal(result.passed, 2);
    diags_release(&diags);
    settings_unref(settings);
}

/* That rules of included files stand behind those of the named file, sorted
 * by name, is seen from which of two that always decide comes first. */
static void included_files_are_read_sorted_and_behind(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sorted.d", 0700), 0);
    write_file("sorted.d/b.yaml", "policy:\n"
                                  "  mail:\n"
                                  "    - rule: of b\n"
                                  "      reject: \"550 5.7.1 b\"\n");
    write_file("sorted.d/a.yaml", "policy:\n"
                                  "  mail:\n"
                                  "    - rule: of a\n"
                                  "      reject: \"550 5.7.1 a\"\n");
    write_file("postern.yaml", "include: [sorted.d/*.yaml]\n" GOOD "tests:\n"
                               "  - name: a comes first\n"
                               "    given: {mail.from: a@example.net}\n"
                               "    expect: {rule: of a}\n");
    struct diags diags;
    struct policy_tests_result result;
    diags_init(&diags);
    const struct settings *settings = config_load("postern.yaml", &diags);
    assert_printed(&diags, "sorted.d/b.yaml:3:7: warning: rule \"of b\" can "
                           "never act: \"of a\" before it always decides\n");
    assert_non_null(settings);
    policy_tests_run(settings, &diags, &result);
    assert_int_equal(result.passed, 1);
    settings_unref(settings);
    diags_release(&diags);
}

static void a_pattern_may_match_nothing_but_a_name_may_not(void **state)
{
    (void)state;
    write_file("postern.yaml", GOOD "include: [nothing.d/*.yaml]\n");
    settings_unref(load("postern.yaml"));
    write_file("postern.yaml", GOOD "include: [nothing.yaml]\n");
    assert_refused("postern.yaml",
                   "postern.yaml:8:11: error: nothing.yaml can't be read: No "
                   "such file or directory\n");
}

static void what_is_wrong_with_includes_has_its_place(void **state)
{
    (void)state;
    write_file("other.yaml", "hostname: mx.example.com\n"
                             "include: third.yaml\n"
                             "lists: {one: ['*@example.org']}\n");
    write_file("postern.yaml",
               GOOD "lists: {one: ['*@example.org']}\n"
                    "include: [other.yaml, postern.yaml, other.yaml]\n");
    assert_refused(
        "postern.yaml",
        "postern.yaml:9:23: error: postern.yaml is read already: a pattern "
        "must not match it again\n"
        "postern.yaml:9:37: error: other.yaml is read already: a pattern must "
        "not match it again\n"
        "other.yaml:1:1: error: hostname is given in postern.yaml on line 1 "
        "already: keep one\n"
        "other.yaml:2:10: error: an included file can't include others: name "
        "them in postern.yaml\n"
        "other.yaml:3:15: error: a list named one is already there\n");
}

static void a_fault_in_an_included_file_stops_what_depends_on_it(void **state)
{
    (void)state;
    write_file("broken.yaml", "listeners: {\n");
    write_file("postern.yaml", "include: broken.yaml\nhostname: x y\n");
    assert_refused(
        "postern.yaml",
        "broken.yaml:2:1: error: a value is missing here: close the { "
        "or [ above, or put a text that begins with one of , ] } "
        "in quotes\n");
}

static void a_list_file_is_read_next_to_the_file_that_names_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir("lists.d", 0700), 0);
    write_file("lists.d/partners.txt", "# ours\n*@example.org\n");
    write_file("lists.d/lists.yaml",
               "lists: {partners: {file: partners.txt}}\n");
    write_file("postern.yaml",
               GOOD "include: lists.d/lists.yaml\n"
                    "policy: {rcpt: [{rule: a, when: {rcpt.to: \"@partners\"}, "
                    "tag: x}]}\n"
                    "tests: [{name: t, given: {rcpt.to: b@example.org}, "
                    "expect: {tag: x}}]\n");
    const struct settings *settings = load("postern.yaml");
    struct diags diags;
    struct policy_tests_result result;
    diags_init(&diags);
    policy_tests_run(settings, &diags, &result);
    assert_int_equal(result.passed, 1);
    diags_release(&diags);
    settings_unref(settings);
}

static void a_fault_in_a_list_file_has_its_line(void **state)
{
    (void)state;
    write_file("bad.txt", "example.org\n@partners\n");
    write_file("postern.yaml", GOOD "lists: {bad: {file: bad.txt}, none: "
                                    "{file: none.txt}}\n");
    assert_refused("postern.yaml",
                   "postern.yaml:8:44: error: none.txt can't be read: No such "
                   "file or directory\n"
                   "bad.txt:2:1: error: a list cannot hold another one, "
                   "@partners; for all addresses of a domain write "
                   "*@partners\n");
}

static void the_digest_is_of_all_files(void **state)
{
    (void)state;
    char before[72];
    write_file("one.txt", "example.org\n");
    write_file("two.yaml", "workers: 1\n");
    write_file("postern.yaml",
               GOOD "include: two.yaml\n"
                    "lists: {x: {file: one.txt}}\n"
                    "policy: {rcpt: [{rule: a, when: {rcpt.to.domain: \"@x\"}, "
                    "tag: y}]}\n");
    const struct settings *settings = load("postern.yaml");
    assert_int_equal(strlen(settings->policy_digest), 7 + 64);
    memcpy(before, settings->policy_digest, sizeof before);
    settings_unref(settings);
    settings = load("postern.yaml");
    assert_string_equal(settings->policy_digest, before);
    settings_unref(settings);
    static const char *const changed[][2] = {{"one.txt", "example.net\n"},
                                             {"two.yaml", "workers: 2\n"}};
    for (size_t i = 0; i < 2; i++) {
        write_file(changed[i][0], changed[i][1]);
        settings = load("postern.yaml");
        assert_string_not_equal(settings->policy_digest, before);
        memcpy(before, settings->policy_digest, sizeof before);
        settings_unref(settings);
    }
}

static void twenty_faults_are_told_in_order(void **state)
{
    (void)state;
    FILE *file = fopen("postern.yaml", "w");
    assert_non_null(file);
    fputs(GOOD, file);
    for (size_t i = 0; i < 30; i++)
        fprintf(file, "strange%zu: 1\n", i);
    fclose(file);
    struct diags diags;
    diags_init(&diags);
    assert_null(config_load("postern.yaml", &diags));
    assert_int_equal(diags.count, 20);
    assert_int_equal(diags.errors, 30);
    assert_int_equal(diags.dropped, 10);
    for (size_t i = 0; i < diags.count; i++)
        assert_int_equal(diags.items[i].mark.line, 8 + i);
    diags_release(&diags);
}

static void the_shipped_configurations_pass_their_tests(void **state)
{
    static const struct {
        const char *file;
        size_t want_passed;
    } cases[] = {{"example.yaml", 2}, {"demo.yaml", 4}};
    const struct folder *folder = *state;
    for (size_t i = 0; i < 2; i++) {
        char path[1100];
        struct diags diags;
        struct policy_tests_result result;
        diags_init(&diags);
        snprintf(path, sizeof path, "%s/config/%s", folder->root,
                 cases[i].file);
        const struct settings *settings = config_load(path, &diags);
        for (size_t j = 0; j < diags.count; j++)
            if (diags.items[j].level == DIAG_ERROR)
                fail_msg("%s: %s", path, diags.items[j].text);
        assert_non_null(settings);
        policy_tests_run(settings, &diags, &result);
        assert_int_equal(diags.errors, 0);
        assert_int_equal(result.passed, cases[i].want_passed);
        assert_int_equal(result.failed, 0);
        settings_unref(settings);
        diags_release(&diags);
    }
}

static void the_example_says_what_it_says(void **state)
{
    const struct folder *folder = *state;
    char path[1100];
    struct diags diags;
    diags_init(&diags);
    snprintf(path, sizeof path, "%s/config/example.yaml", folder->root);
    const struct settings *settings = config_load(path, &diags);
    assert_non_null(settings);
    assert_int_equal(settings->listener_count, 3);
    assert_int_equal(settings->listeners[2].tls, LISTENER_CLEAR);
    assert_int_equal(settings->listeners[2].auth, AUTH_NONE);
    assert_int_equal(settings->upstreams[0].server_count, 2);
    assert_int_equal(settings->upstreams[0].identity, IDENTITY_XCLIENT);
    static const size_t want[STAGE_COUNT] = {
        [STAGE_AUTH] = 2,   [STAGE_MAIL] = 3,  [STAGE_RCPT] = 2,
        [STAGE_HEADER] = 2, [STAGE_REPLY] = 1,
    };
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        assert_int_equal(ruleset_count(settings->rules, (enum stage)stage),
                         want[stage]);
    settings_unref(settings);
    diags_release(&diags);
}

static char *read_example(const struct folder *folder, size_t *size)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/config/example.yaml", folder->root);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *octets = malloc(65536);
    assert_non_null(octets);
    *size = fread(octets, 1, 65536, file);
    fclose(file);
    return octets;
}

/* Whatever comes: no crash, and no settings with errors or without. */
static void load_anything(const char *octets, size_t size)
{
    struct diags diags;
    diags_init(&diags);
    /* A copy of its own, so that reading past its end is seen. */
    char *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, octets, size);
    const struct settings *settings =
        config_load_octets("m.yaml", (struct str){copy, size}, &diags);
    assert_true((settings == NULL) == (diags.errors > 0));
    settings_unref(settings);
    diags_release(&diags);
    free(copy);
}

static void no_cut_makes_it_crash(void **state)
{
    size_t size = 0;
    char *octets = read_example(*state, &size);
    for (size_t i = 0; i <= size; i++)
        load_anything(octets, i);
    free(octets);
}

static void no_changed_octet_makes_it_crash(void **state)
{
    static const char changes[] = "\0\n\t {}[]:#&*!|>'\"%@`,-?\\x0\xff";
    size_t size = 0;
    char *octets = read_example(*state, &size);
    for (size_t i = 0; i < size; i++) {
        char kept = octets[i];
        octets[i] = changes[i % (sizeof changes - 1)];
        load_anything(octets, size);
        octets[i] = kept;
    }
    free(octets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_can_not_be_read_is_one_line),
        cmocka_unit_test(paths_start_from_the_file_that_names_them),
        cmocka_unit_test(included_policies_lists_and_tests_add_up),
        cmocka_unit_test(included_files_are_read_sorted_and_behind),
        cmocka_unit_test(a_pattern_may_match_nothing_but_a_name_may_not),
        cmocka_unit_test(what_is_wrong_with_includes_has_its_place),
        cmocka_unit_test(a_fault_in_an_included_file_stops_what_depends_on_it),
        cmocka_unit_test(a_list_file_is_read_next_to_the_file_that_names_it),
        cmocka_unit_test(a_fault_in_a_list_file_has_its_line),
        cmocka_unit_test(the_digest_is_of_all_files),
        cmocka_unit_test(twenty_faults_are_told_in_order),
        cmocka_unit_test(the_shipped_configurations_pass_their_tests),
        cmocka_unit_test(the_example_says_what_it_says),
        cmocka_unit_test(no_cut_makes_it_crash),
        cmocka_unit_test(no_changed_octet_makes_it_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
