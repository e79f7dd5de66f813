#include "tests/unit/config/golden.h"

static const struct golden faults[] = {
    {.name = "an answer of a policy server that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    answers: {gate: DUNNO}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:8:15: error: there is no policy server gate\n"},
    {.name = "would without a rule",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {reply: 550, would: true}\n",
     .want = "t.yaml:8:13: error: would says of a rule that it only "
             "pretends: add rule: NAME\n"},
    {.name = "a delay of nothing",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {delay: 0s}\n",
     .want = "t.yaml:8:21: error: delay must be from 1ms to 4m\n"},
    {.name = "a test without a name",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - given: {mail.from: a@example.com}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:6:5: error: a test lacks the key name: what is "
             "tested, in a few words\n"},
    {.name = "a test without facts",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:6:5: error: a test needs given: {facts} and "
             "expect: {reply}, or steps\n"},
    {.name = "a test that expects nothing",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n",
     .want = "t.yaml:6:5: error: a test that expects nothing can't "
             "fail: add expect: {reply: ...}\n"},
    {.name = "a test with both",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    steps: [{given: {mail.from: a@example.com}}]\n",
     .want = "t.yaml:8:12: error: a test has steps, or given and "
             "expect, not both\n"},
    {.name = "a test of no fact",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.form: a@example.com}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:7:13: error: there is no fact mail.form, did you "
             "mean mail.from?\n"},
    {.name = "a test of a part",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from.domain: example.com}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:7:13: error: mail.from.domain is a part: state the "
             "whole fact\n"},
    {.name = "a test of a wrong size",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.size: big}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:7:24: error: mail.size takes a number or a size "
             "such as 20M, not \"big\"\n"},
    {.name = "a test of a wrong address",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: bob}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:7:24: error: mail.from takes an address such as "
             "bob@example.com, not \"bob\"\n"},
    {.name = "a list for one value",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: [a@example.com]}\n"
             "    expect: {reply: 550}\n",
     .want = "t.yaml:7:24: error: mail.from has one value, no list\n"},
    {.name = "a rule that is not there",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {rule: sender}\n",
     .want = "t.yaml:8:20: error: no rule is named \"sender\", did you "
             "mean \"senders\"?\n"},
    {.name = "a stage to expect that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {stage: sender}\n",
     .want = "t.yaml:8:21: error: there is no stage \"sender\": stages "
             "are connect, helo, auth, mail, rcpt, data, header, "
             "message and reply\n"},
    {.name = "a reply that is no code",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {reply: no}\n",
     .want = "t.yaml:8:21: error: reply takes a code such as 550, or "
             "the whole reply such as \"550 5.7.1 No\"\n"},
    {.name = "an unknown expectation",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    given: {mail.from: a@example.com}\n"
             "    expect: {replay: 550}\n",
     .want = "t.yaml:8:14: error: expect has no key replay, did you "
             "mean reply?\n"},
    {.name = "a test that repeats too often",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests:\n"
             "  - name: a\n"
             "    steps:\n"
             "      - {given: {mail.from: a@example.com}, repeat: "
             "1000000, expect: {reply: 550}}\n",
     .want = "t.yaml:8:53: error: repeat must be from 1 to 100000\n"},
    {.name = "a test that is a text",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: senders\n"
             "      reject: \"550 5.7.1 No\"\n"
             "tests: [a]\n",
     .want = "t.yaml:5:9: error: a test takes a map (key: value), not "
             "one value\n"},
};

static void each_fault_of_a_test_has_its_place(void **state)
{
    (void)state;
    golden_check(faults, sizeof faults / sizeof *faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_test_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
