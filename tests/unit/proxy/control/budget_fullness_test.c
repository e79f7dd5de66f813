#include "proxy/control/budget_fullness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/rule.h"
#include "rules/ruleset.h"
#include "tests/unit/config/golden.h"

#define HOUR_MS (UINT64_C(3600) * 1000)
#define NOW_MS UINT64_C(1000000000)

/* Two limits with the same rate, of which one has a smaller burst. */
static const char POLICY[] =
    "policy:\n"
    "  rcpt:\n"
    "    - rule: many\n"
    "      limit: {recipients: 100/h, burst: 20, by: \"{auth.user}\"}\n"
    "      defer: \"450 4.7.1 later\"\n"
    "  mail:\n"
    "    - rule: mails\n"
    "      limit: {messages: 50/h, by: \"{auth.user}\"}\n"
    "      defer: \"450 4.7.1 later\"\n";

struct world {
    const struct settings *settings;
    struct shared_ledger *ledger;
    struct budget_fullness *fullness;
};

static int set_up(void **state)
{
    static struct world world;
    struct diags diags;
    diags_init(&diags);
    world.settings = golden_load(POLICY, 0, &diags);
    assert_non_null(world.settings);
    world.ledger = shared_ledger_new(1000);
    world.fullness = budget_fullness_new();
    diags_release(&diags);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    budget_fullness_free(world->fullness);
    shared_ledger_free(world->ledger);
    settings_unref(world->settings);
    return 0;
}

static void use(struct world *world, enum stage stage, const char *key,
                uint64_t cost, uint64_t now_ms)
{
    const struct rule *rule = ruleset_rule(world->settings->rules, stage, 0);
    const struct limit *limit = rule->limit;
    struct answer answer;
    const struct question question = {
        .kind = QUESTION_HOLD,
        .rule = rule,
        .limit = limit,
        .key = str_from(key),
        .cost = cost,
        .max = limit->burst > 0 ? limit->burst : limit->rate.amount,
        .rate = limit->rate,
        .is_charge = true};
    shared_ledger_answer(world->ledger, &question, now_ms, &answer);
}

static struct fullness_sum look(struct world *world, uint64_t now_ms)
{
    return budget_fullness_look(world->fullness, world->ledger,
                                world->settings->rules, now_ms);
}

static void check(const struct fullness_sum *sum, uint64_t under_50,
                  uint64_t to_80, uint64_t to_100, uint64_t full)
{
    assert_int_equal(sum->keys[FULLNESS_UNDER_50], under_50);
    assert_int_equal(sum->keys[FULLNESS_50_80], to_80);
    assert_int_equal(sum->keys[FULLNESS_80_100], to_100);
    assert_int_equal(sum->keys[FULLNESS_FULL], full);
    assert_int_equal(sum->in_use, under_50 + to_80 + to_100 + full);
}

static void by_the_burst_of_its_rule(void **state)
{
    use(*state, STAGE_RCPT, "a", 9, NOW_MS);
    use(*state, STAGE_RCPT, "b", 10, NOW_MS);
    use(*state, STAGE_RCPT, "c", 15, NOW_MS);
    use(*state, STAGE_RCPT, "d", 16, NOW_MS);
    use(*state, STAGE_RCPT, "e", 19, NOW_MS);
    use(*state, STAGE_RCPT, "f", 20, NOW_MS);
    use(*state, STAGE_MAIL, "a", 20, NOW_MS);
    use(*state, STAGE_MAIL, "b", 50, NOW_MS);
    struct fullness_sum sum = look(*state, NOW_MS);
    check(&sum, 2, 2, 2, 2);
}

static void budgets_drain(void **state)
{
    use(*state, STAGE_RCPT, "a", 20, NOW_MS);
    struct fullness_sum sum = look(*state, NOW_MS);
    check(&sum, 0, 0, 0, 1);
    /* 100 an hour: 12 in 7 minutes and a bit. */
    sum = look(*state, NOW_MS + HOUR_MS * 12 / 100);
    check(&sum, 1, 0, 0, 0);
    sum = look(*state, NOW_MS + HOUR_MS * 20 / 100);
    check(&sum, 0, 0, 0, 0);
}

static void it_walks_once_in_ten_seconds(void **state)
{
    struct fullness_sum sum = look(*state, NOW_MS);
    check(&sum, 0, 0, 0, 0);
    use(*state, STAGE_MAIL, "a", 1, NOW_MS);
    sum = look(*state, NOW_MS + 9999);
    check(&sum, 0, 0, 0, 0);
    sum = look(*state, NOW_MS + 10000);
    check(&sum, 1, 0, 0, 0);
}

static void many_keys_in_all_shards(void **state)
{
    char key[16];
    for (int i = 0; i < 700; i++) {
        snprintf(key, sizeof key, "user%d", i);
        use(*state, STAGE_MAIL, key, (uint64_t)(i % 2 == 0 ? 1 : 50), NOW_MS);
    }
    struct fullness_sum sum = look(*state, NOW_MS);
    check(&sum, 350, 0, 0, 350);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_the_burst_of_its_rule, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(budgets_drain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_walks_once_in_ten_seconds, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_keys_in_all_shards, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
