/* shadow: a candidate's policy and lists beside the live ones. */
#include "tests/unit/config/folder.h"

#define LIVE                                                                   \
    GOOD "shadow: candidate.yaml\n"                                            \
         "policy: {mail: [{rule: a, tag: x}]}\n"

static size_t count_rules(const struct ruleset *rules)
{
    size_t count = 0;
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        count += ruleset_count(rules, stage);
    return count;
}

static void the_candidate_stands_beside_the_live_policy(void **state)
{
    (void)state;
    write_file("postern.yaml", LIVE);
    write_file("more.yaml", "policy: {rcpt: [{rule: c, tag: z}]}\n");
    write_file("candidate.yaml",
               GOOD "include: more.yaml\n"
                    "lists: {partners: [example.net]}\n"
                    "policy:\n"
                    "  mail:\n"
                    "    - rule: a\n"
                    "      when: {mail.from.domain: \"@partners\"}\n"
                    "      tag: y\n");
    const struct settings *settings = load("postern.yaml");
    assert_string_equal(settings->shadow_path, "candidate.yaml");
    assert_int_equal(count_rules(settings->rules), 1);
    assert_int_equal(count_rules(settings->shadow), 2);
    assert_non_null(ruleset_list(settings->shadow, STR("partners")));
    assert_null(ruleset_list(settings->rules, STR("partners")));
    settings_unref(settings);
}

static void what_else_the_candidate_says_is_ignored(void **state)
{
    (void)state;
    write_file("postern.yaml", LIVE);
    write_file("candidate.yaml", "hostname: [not, a, name]\n"
                                 "workers: many\n"
                                 "shadow: another.yaml\n"
                                 "tests: 1\n"
                                 "policy: {mail: [{rule: b, tag: y}]}\n");
    const struct settings *settings = load("postern.yaml");
    assert_string_equal(settings->hostname.p, "mail.example.com");
    assert_int_equal(settings->workers, 0);
    assert_int_equal(count_rules(settings->shadow), 1);
    settings_unref(settings);
}

static void faults_of_the_candidate_have_their_place_in_it(void **state)
{
    (void)state;
    write_file("postern.yaml", LIVE);
    write_file("candidate.yaml",
               "frobnicate: 1\n"
               "policy:\n"
               "  mail:\n"
               "    - {rule: b, when: {rcpt.to: x@example.com}, tag: y}\n"
               "    - {rule: c, route: mtb}\n");
    assert_refused("postern.yaml",
                   "candidate.yaml:1:1: error: the configuration has no key "
                   "frobnicate\n"
                   "candidate.yaml:4:24: error: rcpt.to is not known yet at "
                   "mail; it may be used from rcpt on\n"
                   "candidate.yaml:5:24: error: upstreams has no mtb, did you "
                   "mean mta?\n");
    write_file("candidate.yaml", "policy: [\n");
    assert_refused("postern.yaml",
                   "candidate.yaml:2:1: error: a value is missing here: "
                   "close the { or [ above, or put a text that begins with "
                   "one of , ] } in quotes\n");
}

static void a_candidate_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    write_file("postern.yaml", GOOD "shadow: nowhere.yaml\n");
    assert_refused("postern.yaml",
                   "postern.yaml:8:9: error: nowhere.yaml can't be read: No "
                   "such file or directory\n");
}

static void a_candidates_route_promises_nothing(void **state)
{
    (void)state;
    write_file("postern.yaml", LIVE);
    write_file("candidate.yaml", "policy: {mail: [{rule: b, route: mta}]}\n");
    const struct settings *settings = load("postern.yaml");
    assert_false(settings->upstreams[0].is_routed);
    settings_unref(settings);
}

static void each_of_the_two_has_a_digest(void **state)
{
    (void)state;
    char live[72];
    char candidate[72];
    write_file("postern.yaml", LIVE);
    write_file("candidate.yaml", "policy: {mail: [{rule: b, tag: y}]}\n");
    const struct settings *settings = load("postern.yaml");
    memcpy(live, settings->policy_digest, sizeof live);
    memcpy(candidate, settings->shadow_digest, sizeof candidate);
    assert_int_equal(strlen(candidate), 7 + 64);
    assert_string_not_equal(live, candidate);
    settings_unref(settings);
    write_file("candidate.yaml", "policy: {mail: [{rule: b, tag: z}]}\n");
    settings = load("postern.yaml");
    assert_string_equal(settings->policy_digest, live);
    assert_string_not_equal(settings->shadow_digest, candidate);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_candidate_stands_beside_the_live_policy),
        cmocka_unit_test(what_else_the_candidate_says_is_ignored),
        cmocka_unit_test(faults_of_the_candidate_have_their_place_in_it),
        cmocka_unit_test(a_candidate_that_is_not_there_is_an_error),
        cmocka_unit_test(a_candidates_route_promises_nothing),
        cmocka_unit_test(each_of_the_two_has_a_digest),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
