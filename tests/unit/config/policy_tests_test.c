/* The runner of `tests:`: what passes, what fails, and what it then says. */
#include "tests/unit/config/golden.h"

#include "config/policy_tests.h"

#define POLICY                                                                 \
    "upstreams:\n"                                                             \
    "  mta: {servers: [\"127.0.0.1:10025\"]}\n"                                \
    "  box: {maildir: mail}\n"                                                 \
    "upstream: box\n"                                                          \
    "policy_servers: {gate: {address: \"127.0.0.1:10040\"}}\n"                 \
    "lists: {contained: {dynamic: true}}\n"                                    \
    "policy:\n"                                                                \
    "  connect:\n"                                                             \
    "    - rule: two at a time\n"                                              \
    "      limit: {connections: 2, by: \"{client.ip}\"} \n"                    \
    "      close: \"421 4.7.0 Too many\"\n"                                    \
    "  auth:\n"                                                                \
    "    - rule: guessing\n"                                                   \
    "      when: {auth.result: failed}\n"                                      \
    "      limit: {failures: 2/10m, by: \"{client.net}\"}\n"                   \
    "      close: \"421 4.7.0 Later\"\n"                                       \
    "    - rule: suspended\n"                                                  \
    "      when: {auth.user: \"@contained\"}\n"                                \
    "      reject: \"525 5.7.13 {auth.user} is suspended\"\n"                  \
    "  mail:\n"                                                                \
    "    - rule: moved\n"                                                      \
    "      when: {mail.from: '/^(.+)@old\\.example$/'}\n"                      \
    "      rewrite: {mail.from: \"{1}@example.com\"}\n"                        \
    "    - rule: owners\n"                                                     \
    "      when: {mail.from: {not_in: \"{auth.addresses}\"}}\n"                \
    "      reject: \"553 5.7.1 {auth.user} may not send as {mail.from}\"\n"    \
    "    - rule: elsewhere\n"                                                  \
    "      when: {mail.from: far@example.com}\n"                               \
    "      route: mta\n"                                                       \
    "    - rule: small\n"                                                      \
    "      limit: {size: 10M}\n"                                               \
    "      reject: \"552 5.3.4 At most {limit.max}\"\n"                        \
    "  rcpt:\n"                                                                \
    "    - rule: few\n"                                                        \
    "      limit: {recipients: 60/h, burst: 3, by: \"{auth.user}\"}\n"         \
    "      defer: \"450 4.7.1 Try again in {limit.retry_after}\"\n"            \
    "    - rule: apart\n"                                                      \
    "      when: {rcpt.to.domain: apart.example}\n"                            \
    "      route: mta\n"                                                       \
    "    - rule: quota\n"                                                      \
    "      when: {rcpt.to.domain: quota.example}\n"                            \
    "      limit: {messages: 2/h, by: \"{upstream.name}\"}\n"                  \
    "      defer: \"450 4.7.1 {upstream.name} is full\"\n"                     \
    "    - rule: partner\n"                                                    \
    "      when: {rcpt.to.domain: partner.example}\n"                          \
    "      tag: partner\n"                                                     \
    "      note: \"to {rcpt.to}\"\n"                                           \
    "    - rule: gate\n"                                                       \
    "      when: {rcpt.to.domain: gated.example}\n"                            \
    "      ask: gate\n"                                                        \
    "    - rule: archive\n"                                                    \
    "      when: {rcpt.to.domain: kept.example}\n"                             \
    "      add_recipient: \"archive@example.com\"\n"                           \
    "      delay: 2s\n"                                                        \
    "    - rule: strict\n"                                                     \
    "      mode: shadow\n"                                                     \
    "      when: {rcpt.to.domain: kept.example}\n"                             \
    "      reject: \"550 5.7.1 No\"\n"                                         \
    "    - rule: crowd\n"                                                      \
    "      when: {rcpt.count: \"> 2\", rcpt.domains: \"> 1\"}\n"               \
    "      reject: \"550 5.7.1 A crowd\"\n"                                    \
    "  header:\n"                                                              \
    "    - rule: silent\n"                                                     \
    "      headers: {remove: [X-Mailer], set: {X-Seen: \"yes\"}}\n"            \
    "  reply:\n"                                                               \
    "    - rule: bouncing\n"                                                   \
    "      limit: {rejects: 2/h, by: \"{auth.user}\"}\n"                       \
    "      list: {add: {contained: \"{auth.user}\"}, for: 1h}\n"               \
    "tests:\n"                                                                 \
    "  - name: t\n"

#define BOB "auth.user: bob, auth.addresses: [bob@example.com]"

struct run_case {
    const char *name;
    const char *test; /* what follows its name */
    const char *want; /* "" : it passes */
};

static void run_cases(const struct run_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[8192];
        struct diags diags;
        struct policy_tests_result result = {0};
        diags_init(&diags);
        snprintf(text, sizeof text, POLICY "%s", cases[i].test);
        const struct settings *settings =
            golden_load(text, GOLDEN_UPSTREAMS, &diags);
        if (settings != NULL)
            policy_tests_run(settings, &diags, &result);
        char *got = golden_print(&diags);
        /* The place of an `expect` is that of the configuration's test, and
         * warnings are not what is asked here. */
        char *said = strstr(got, "error: ");
        const char *shown = said == NULL ? "" : said;
        if (strcmp(shown, cases[i].want) != 0)
            fail_msg("%s:\n--- got\n%s--- want\n%s", cases[i].name, got,
                     cases[i].want);
        assert_non_null(settings);
        bool wants_pass = cases[i].want[0] == '\0';
        assert_int_equal(result.passed, wants_pass ? 1 : 0);
        assert_int_equal(result.failed, wants_pass ? 0 : 1);
        free(got);
        settings_unref(settings);
        diags_release(&diags);
    }
}

static void what_is_expected_passes(void **state)
{
    (void)state;
    static const struct run_case cases[] = {
        {"a message that no rule refuses",
         "    given: {" BOB ", mail.from: bob@example.com, mail.size: 1M, "
         "rcpt.to: a@example.net}\n"
         "    expect: {reply: 250, stage: rcpt}\n",
         ""},
        {"a refusal, by its stage, code and rule",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {stage: mail, reply: 553, rule: owners}\n",
         ""},
        {"a refusal by its whole text",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {reply: \"553 5.7.1 bob may not send as "
         "eve@example.com\"}\n",
         ""},
        {"a rewritten value, which later rules see",
         "    given: {" BOB ", mail.from: bob@old.example}\n"
         "    expect: {reply: 250, rule: moved, mail.from: bob@example.com, "
         "mail.original: bob@old.example}\n",
         ""},
        {"a login without addresses owns none",
         "    given: {auth.user: bob, mail.from: bob@example.com}\n"
         "    expect: {reply: 553}\n",
         ""},
        {"the declared size",
         "    given: {" BOB ", mail.from: bob@example.com, mail.size: 11M}\n"
         "    expect: {stage: mail, reply: \"552 5.3.4 At most 10M\"}\n",
         ""},
        {"the real size",
         "    given: {" BOB ", mail.from: bob@example.com, mail.size: 1M, "
         "message.bytes: 11M}\n"
         "    expect: {stage: message, reply: 552, rule: small}\n",
         ""},
        {"tags and notes",
         "    given: {auth.user: bob, rcpt.to: a@partner.example}\n"
         "    expect: {reply: 250, tag: partner, note: to a@partner.example, "
         "rule: partner}\n",
         ""},
        {"several recipients are several RCPTs",
         "    given: {auth.user: bob, rcpt.to: [a@x.example, b@y.example, "
         "c@x.example]}\n"
         "    expect: {stage: rcpt, reply: 550, rule: crowd, rcpt.count: 3, "
         "rcpt.domains: 2, rcpt.to: c@x.example}\n",
         ""},
        {"edited fields",
         "    given: {header.x-mailer: A Mailer, header.subject: Hello, "
         "header.from: Bob <bob@example.com>}\n"
         "    expect: {header.x-mailer: [], header.subject: Hello, "
         "header.x-seen: yes, header.from: bob@example.com, "
         "header.from.domain: example.com}\n",
         ""},
        {"a code of the stage",
         "    given: {auth.user: bob}\n"
         "    expect: {stage: auth, reply: 235}\n",
         ""},
        {"the default route",
         "    given: {auth.user: bob, rcpt.to: a@x.example}\n"
         "    expect: {route: box}\n",
         ""},
        {"a recipient that routes elsewhere waits",
         "    given: {auth.user: bob, rcpt.to: [a@x.example, "
         "b@apart.example]}\n"
         "    expect: {stage: rcpt, reply: \"452 4.5.3 This recipient takes "
         "another route, send it separately\"}\n",
         ""},
        {"so does the one behind it",
         "    given: {auth.user: bob, rcpt.to: [b@apart.example, "
         "a@x.example]}\n"
         "    expect: {reply: 452}\n",
         ""},
        {"those that route alike",
         "    given: {auth.user: bob, rcpt.to: [b@apart.example, "
         "c@apart.example]}\n"
         "    expect: {reply: 250, route: mta}\n",
         ""},
        {"or goes along with the first",
         "    given: {auth.user: bob, rcpt.to: [a@x.example, "
         "b@apart.example]}\n"
         "    expect: {reply: 250, route: box}\n"
         "split: first\n",
         ""},
        {"and where the first goes is told by its own rules",
         "    given: {auth.user: bob, rcpt.to: [b@apart.example, "
         "a@x.example]}\n"
         "    expect: {reply: 250, route: mta}\n"
         "split: first\n",
         ""},
        {"a limit of the upstream, wherever the mail goes",
         "    steps:\n"
         "      - {given: {auth.user: bob, rcpt.to: a@quota.example}, "
         "repeat: 2, expect: {reply: 250}}\n"
         "      - {given: {auth.user: bob, rcpt.to: a@quota.example}, "
         "expect: {stage: rcpt, reply: \"450 4.7.1 box is full\"}}\n"
         "      - {given: {auth.user: ann, rcpt.to: b@quota.example, "
         "upstream.name: mta}, expect: {reply: 250}}\n",
         ""},
        {"what a policy server says",
         "    given: {auth.user: bob, rcpt.to: a@gated.example}\n"
         "    answers: {gate: REJECT not you}\n"
         "    expect: {stage: rcpt, reply: \"554 5.7.1 not you\", rule: "
         "gate}\n",
         ""},
        {"a policy server that says nothing",
         "    given: {auth.user: bob, rcpt.to: a@gated.example}\n"
         "    expect: {reply: 250}\n",
         ""},
        {"an added recipient and a delay",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {reply: 250, added: archive@example.com, delay: 2s}\n",
         ""},
        {"what a rule would do",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {reply: 250, rule: strict, would: true}\n",
         ""},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

static void steps_share_a_clock_and_budgets(void **state)
{
    (void)state;
    static const struct run_case cases[] = {
        {"a burst, then the rate",
         "    steps:\n"
         "      - {given: {auth.user: bob, rcpt.to: \"r{n}@x.example\"}, "
         "repeat: 3, expect: {reply: 250, rcpt.to: \"r{n}@x.example\"}}\n"
         "      - {given: {auth.user: bob, rcpt.to: a@x.example}, expect: "
         "{reply: \"450 4.7.1 Try again in 1m\"}}\n"
         "      - {given: {auth.user: eve, rcpt.to: a@x.example}, expect: "
         "{reply: 250}}\n"
         "      - {after: 59s, given: {auth.user: bob, rcpt.to: a@x.example}, "
         "expect: {reply: 450}}\n"
         "      - {after: 1s, given: {auth.user: bob, rcpt.to: a@x.example}, "
         "expect: {reply: 250}}\n",
         ""},
        {"what was refused later is given back",
         "    steps:\n"
         "      - {given: {auth.user: bob, rcpt.to: a@x.example, rcpt.count: "
         "5, rcpt.domains: 5}, repeat: 9, expect: {reply: 550, rule: "
         "crowd}}\n"
         "      - {given: {auth.user: bob, rcpt.to: a@x.example}, repeat: 3, "
         "expect: {reply: 250}}\n",
         ""},
        {"failures are charged",
         "    steps:\n"
         "      - {given: {client.net: 192.0.2.1, auth.name: bob, auth.result: "
         "failed}, repeat: 2, expect: {reply: 235}}\n"
         "      - {given: {client.net: 192.0.2.1, auth.name: eve, auth.result: "
         "failed}, expect: {stage: auth, reply: 421, rule: guessing}}\n"
         "      - {given: {client.net: 192.0.2.2, auth.name: eve, auth.result: "
         "failed}, expect: {reply: 235}}\n",
         ""},
        {"sessions stay open until the end",
         "    steps:\n"
         "      - {given: {client.ip: 192.0.2.1}, repeat: 2, expect: {reply: "
         "220}}\n"
         "      - {given: {client.ip: 192.0.2.1}, expect: {stage: connect, "
         "reply: 421}}\n"
         "      - {given: {client.ip: 192.0.2.2}, expect: {reply: 220}}\n",
         ""},
        {"a list that a rule changes",
         "    steps:\n"
         "      - {given: {auth.user: bob, reply.code: 550, reply.command: "
         "RCPT}, repeat: 3}\n"
         "      - {given: {auth.user: bob}, expect: {reply: 525, rule: "
         "suspended}}\n"
         "      - {after: 61m, given: {auth.user: bob}, expect: {reply: "
         "235}}\n",
         ""},
        {"what the upstream refused is given back",
         "    steps:\n"
         "      - {given: {auth.user: carl, rcpt.to: a@x.example, reply.code: "
         "450}, repeat: 9, expect: {reply: 250}}\n",
         ""},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

static void a_failure_says_what_was_there_instead(void **state)
{
    (void)state;
    static const struct run_case cases[] = {
        {"another code",
         "    given: {" BOB ", mail.from: bob@example.com}\n"
         "    expect: {reply: 553}\n",
         "error: test \"t\": expected the reply 553, got 250, as no rule "
         "refuses it\n"},
        {"a refusal for a pass",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {reply: 250}\n",
         "error: test \"t\": expected the reply 250, got \"553 5.7.1 bob may "
         "not send as eve@example.com\" at mail by the rule \"owners\"\n"},
        {"another stage",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {stage: auth}\n",
         "error: test \"t\": expected the stage auth, got \"553 5.7.1 bob may "
         "not send as eve@example.com\" at mail by the rule \"owners\"\n"},
        {"another rule",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {rule: small}\n",
         "error: test \"t\": expected the rule \"small\", got \"553 5.7.1 bob "
         "may not send as eve@example.com\" at mail by the rule \"owners\"\n"},
        {"a rule that did not act",
         "    given: {" BOB ", mail.from: bob@example.com}\n"
         "    expect: {rule: moved}\n",
         "error: test \"t\": expected the rule \"moved\", got 250, as no rule "
         "refuses it\n"},
        {"another text",
         "    given: {" BOB ", mail.from: eve@example.com}\n"
         "    expect: {reply: \"553 5.7.1 no\"}\n",
         "error: test \"t\": expected \"553 5.7.1 no\", got \"553 5.7.1 bob "
         "may not send as eve@example.com\" at mail by the rule \"owners\"\n"},
        {"another value",
         "    given: {" BOB ", mail.from: bob@old.example}\n"
         "    expect: {mail.from: bob@old.example}\n",
         "error: test \"t\": expected mail.from \"bob@old.example\", got "
         "\"bob@example.com\"\n"},
        {"another number",
         "    given: {auth.user: bob, rcpt.to: a@x.example}\n"
         "    expect: {rcpt.count: 2}\n",
         "error: test \"t\": expected rcpt.count \"2\", got \"1\"\n"},
        {"a tag that is not there",
         "    given: {auth.user: bob, rcpt.to: a@x.example}\n"
         "    expect: {tag: partner}\n",
         "error: test \"t\": expected the tag \"partner\", got none\n"},
        {"a note that is not there",
         "    given: {auth.user: bob, rcpt.to: a@x.example}\n"
         "    expect: {note: hello}\n",
         "error: test \"t\": expected the note \"hello\", got none\n"},
        {"another note",
         "    given: {auth.user: bob, rcpt.to: a@partner.example}\n"
         "    expect: {note: hello}\n",
         "error: test \"t\": expected the note \"hello\", got \"to "
         "a@partner.example\"\n"},
        {"another tag",
         "    given: {auth.user: bob, rcpt.to: a@partner.example}\n"
         "    expect: {tag: [partner, friend]}\n",
         "error: test \"t\": expected the tag \"friend\", got \"partner\"\n"},
        {"a route that parts",
         "    given: {auth.user: bob, rcpt.to: [a@x.example, "
         "b@apart.example]}\n"
         "    expect: {reply: 250}\n",
         "error: test \"t\": expected the reply 250, got \"452 4.5.3 This "
         "recipient takes another route, send it separately\" at rcpt\n"},
        {"a route that is not taken",
         "    given: {auth.user: bob, rcpt.to: a@x.example}\n"
         "    expect: {route: mta}\n",
         "error: test \"t\": expected the route mta, got box, the default\n"},
        {"the step and the time",
         "    steps:\n"
         "      - {given: {auth.user: bob, rcpt.to: a@x.example}}\n"
         "      - {given: {auth.user: bob, rcpt.to: \"r{n}@x.example\"}, "
         "repeat: 5, expect: {reply: 250}}\n",
         "error: test \"t\" (step 2, time 3): expected the reply 250, got "
         "\"450 4.7.1 Try again in 1m\" at rcpt by the rule \"few\"\n"},
        {"a rule that only pretends does not act",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {reply: 250, rule: strict}\n",
         "error: test \"t\": expected the rule \"strict\", got 250, as no "
         "rule refuses it\n"},
        {"a rule that acts does not only pretend",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {reply: 250, rule: archive, would: true}\n",
         "error: test \"t\": expected the rule \"archive\" to pretend, got "
         "\"strict\"\n"},
        {"another added recipient",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {added: [archive@example.com, eve@example.com]}\n",
         "error: test \"t\": expected the added recipient "
         "\"eve@example.com\", got \"archive@example.com\"\n"},
        {"another delay",
         "    given: {auth.user: bob, rcpt.to: a@kept.example}\n"
         "    expect: {delay: 1s}\n",
         "error: test \"t\": expected a delay of 1000 ms, got 2000 ms\n"},
        {"another answer",
         "    given: {auth.user: bob, rcpt.to: a@gated.example}\n"
         "    answers: {gate: DEFER later}\n"
         "    expect: {reply: 250}\n",
         "error: test \"t\": expected the reply 250, got \"450 4.7.1 later\" "
         "at rcpt by the rule \"gate\"\n"},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_expected_passes),
        cmocka_unit_test(steps_share_a_clock_and_budgets),
        cmocka_unit_test(a_failure_says_what_was_there_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
