#include "tests/unit/rules/fixture.h"

static void budgets_are_told_apart_by_rule_unit_and_key(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    static const char *const NAMES[] = {"a", "b"};
    for (size_t i = 0; i < 2; i++) {
        rule(&f, STAGE_AUTH, NAMES[i]);
        limit(&f, "failures", "1/h");
        limit(&f, "by", "{auth.name}");
        reject(&f, "535 no");
        end(&f);
    }
    finish(&f);
    know(&f, FACT_AUTH_RESULT, "failed");
    know(&f, FACT_AUTH_NAME, "bob");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    know(&f, FACT_AUTH_NAME, "eve");
    assert_int_equal(ask(&f, STAGE_AUTH), 0);
    know(&f, FACT_AUTH_NAME, "BOB");
    assert_int_equal(ask(&f, STAGE_AUTH), 535);
    assert_int_equal(f.effects.use_count, 5);
    fixture_release(&f);
}

static void a_question_and_its_hold_fall_into_one_shard(void **state)
{
    static const uint8_t SECRET[16] = "x";
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "recipients", "5/h");
    limit(&f, "by", "{rcpt.to}");
    reject(&f, "550 no");
    end(&f);
    finish(&f);
    know(&f, FACT_RCPT_TO, "A@b.example");
    struct evaluation e;
    struct question question;
    evaluate_start(&e, f.ruleset, STAGE_RCPT, &f.facts, &f.effects, f.scratch);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_QUESTION);
    assert_str(question.key, "a@b.example");
    struct answer answer = {.is_within = true, .after = 1};
    evaluate_answer(&e, &answer);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_VERDICT);
    assert_int_equal(f.effects.hold_count, 1);
    struct question asked = {.kind = QUESTION_HOLD,
                             .rule = f.effects.holds[0].rule,
                             .limit = f.effects.holds[0].limit,
                             .key = STR("a@b.example")};
    assert_int_equal(ledger_hash_question(&asked, SECRET),
                     ledger_hash_hold(&f.effects.holds[0], SECRET));
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_are_told_apart_by_rule_unit_and_key),
        cmocka_unit_test(a_question_and_its_hold_fall_into_one_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
