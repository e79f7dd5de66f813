/* When old settings go. */
#include "proxy/control/snapshots.h"

#include "tests/unit/config/folder.h"

#include <time.h>

#define ONE GOOD "policy: {mail: [{rule: a, tag: x}]}\n"
#define TWO GOOD "policy: {mail: [{rule: b, tag: x}]}\n"

static const struct settings *settings_of(const char *text)
{
    struct diags diags;
    diags_init(&diags);
    write_file("postern.yaml", text);
    const struct settings *settings = config_load("postern.yaml", &diags);
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

static struct str first_rule(const struct settings *settings)
{
    return rule_name(ruleset_rule(settings->rules, STAGE_MAIL, 0));
}

/* They are looked at twice a second; this waits for it, with an end. */
static bool comes_down_to(const struct settings *settings, int references)
{
    const struct timespec pause = {0, 20000000};
    for (int i = 0; i < 1000; i++) {
        if (settings_has_references(settings, references))
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void the_newest_is_given(void **state)
{
    const struct settings *base = settings_of(ONE);
    struct snapshots *snapshots = snapshots_new(base);
    (void)state;
    const struct settings *newest = snapshots_newest(snapshots);
    assert_ptr_equal(newest, base);
    settings_unref(newest);
    const struct settings *fresh = settings_of(TWO);
    assert_int_equal(snapshots_take(snapshots, fresh), 0);
    newest = snapshots_newest(snapshots);
    assert_ptr_equal(newest, fresh);
    settings_unref(newest);
    snapshots_free(snapshots);
    settings_unref(base);
}

static void an_old_one_stays_while_it_is_used(void **state)
{
    const struct settings *base = settings_of(ONE);
    struct snapshots *snapshots = snapshots_new(base);
    (void)state;
    assert_int_equal(snapshots_take(snapshots, settings_of(TWO)), 0);
    const struct settings *used = snapshots_newest(snapshots);
    assert_int_equal(snapshots_take(snapshots, settings_of(ONE)), 0);
    /* The base has gone by then: its thread has looked at ours, too. */
    assert_true(comes_down_to(base, 1));
    assert_true(str_equals(first_rule(used), STR("b")));
    settings_unref(used);
    snapshots_free(snapshots);
    settings_unref(base);
}

static void the_rules_that_the_server_began_with_go_too(void **state)
{
    const struct settings *base = settings_of(ONE);
    struct snapshots *snapshots = snapshots_new(base);
    (void)state;
    assert_int_equal(snapshots_take(snapshots, settings_of(TWO)), 0);
    assert_true(comes_down_to(base, 1));
    snapshots_free(snapshots);
    assert_null(base->rules);
    assert_string_equal(base->hostname.p, "mail.example.com");
    settings_unref(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_newest_is_given, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_one_stays_while_it_is_used,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_rules_that_the_server_began_with_go_too, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
