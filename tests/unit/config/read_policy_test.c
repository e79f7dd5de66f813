#include "tests/unit/config/golden.h"

static const struct golden faults[] = {
    {.name = "a stage that is none",
     .text = "policy:\n"
             "  sender:\n"
             "    - rule: a\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:2:3: error: policy has no stage sender (did you "
             "mean header?): stages are connect, helo, auth, mail, "
             "rcpt, data, header, message and reply\n"},
    {.name = "a misspelt stage",
     .text = "policy:\n"
             "  mial:\n"
             "    - rule: a\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:2:3: error: policy has no stage mial (did you mean "
             "mail?): stages are connect, helo, auth, mail, rcpt, data, "
             "header, message and reply\n"},
    {.name = "a rule without a name",
     .text = "policy:\n"
             "  mail:\n"
             "    - reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:3:7: error: a rule needs a name: rule: what it is "
             "for\n"},
    {.name = "a name given twice",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: \"550 5.7.1 No\"\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:6:13: error: a rule named \"a\" is already there; "
             "names are unique, since budgets are kept by them\n"},
    {.name = "a rule that does nothing",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {auth.user: bob}\n",
     .want = "t.yaml:3:7: error: the rule does nothing: add reject, "
             "defer, rewrite, tag or another action\n"},
    {.name = "a misspelt action",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      rejct: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:7: error: a rule has no key rejct, did you mean "
             "reject?\n"},
    {.name = "delays that are too long, and none",
     .text = "policy:\n"
             "  mail:\n"
             "    - {rule: a, delay: 3m}\n"
             "    - {rule: b, delay: soon}\n"
             "    - {rule: c, delay: [1s]}\n"
             "    - {rule: d, delay: 0s}\n"
             "  reply:\n"
             "    - {rule: e, delay: 1s}\n",
     .want = "t.yaml:3:24: error: a rule delays an answer by 2m at most, not "
             "3m: clients wait no longer than five\n"
             "t.yaml:4:24: error: soon is no time, such as 500ms or 2s\n"
             "t.yaml:5:24: error: delay takes one value, not a list\n"
             "t.yaml:6:24: error: 0s is no time, such as 500ms or 2s\n"
             "t.yaml:8:24: error: delay may be used at every stage but reply, "
             "not at reply\n"},
    {.name = "a mode that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - {rule: a, mode: shade, tag: x}\n",
     .want = "t.yaml:3:23: error: mode is live, shadow or off, not shade\n"},
    {.name = "policy servers that are none, or asked elsewhere",
     .text = "policy_servers: {grey: {address: \"127.0.0.1:10023\"}}\n"
             "policy:\n"
             "  rcpt:\n"
             "    - {rule: a, ask: gray}\n"
             "    - {rule: b, ask: grey, reject: \"550 no\"}\n"
             "  header:\n"
             "    - {rule: c, ask: grey}\n",
     .want = "t.yaml:4:22: error: policy_servers has no gray, did you "
             "mean grey?\n"
             "t.yaml:5:7: error: the policy server decides what becomes of a "
             "mail that it is asked about: put reject into a rule of its own, "
             "behind this one\n"
             "t.yaml:7:22: error: ask may be used at mail, rcpt, data, "
             "message, not at header\n"},
    {.name = "recipients that can't be added",
     .text = "policy:\n"
             "  mail:\n"
             "    - {rule: a, add_recipient: x@example.com}\n"
             "  rcpt:\n"
             "    - {rule: b, add_recipient: archive}\n"
             "    - {rule: c, add_recipient: [x@example.com, {required: "
             "false}]}\n"
             "    - {rule: d, add_recipient: {address: x@example.com, "
             "required: maybe}}\n"
             "    - {rule: e, add_recipient: {adress: x@example.com}}\n"
             "    - {rule: f, add_recipient: \"{rcpt.too}\"}\n",
     .want = "t.yaml:3:32: error: add_recipient may be used at rcpt, data, "
             "header, not at mail\n"
             "t.yaml:5:32: error: archive is no mail address\n"
             "t.yaml:6:48: error: add_recipient takes an address, or "
             "{address: ..., required: false}\n"
             "t.yaml:7:67: error: required takes true or false, not "
             "\"maybe\"\n"
             "t.yaml:8:33: error: add_recipient has no key adress, did you "
             "mean address?\n"
             "t.yaml:9:32: error: there is no fact rcpt.too, did you mean "
             "rcpt.to?\n"},
    {.name = "warnings of a limit that can't be",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - {rule: a, limit: {recipients: 5, warn: 80%}, tag: x}\n"
             "    - {rule: b, limit: {recipients: 5/h, warn: 0.8}, tag: x}\n",
     .want = "t.yaml:3:7: error: warn needs a period: write recipients: 5/h\n"
             "t.yaml:4:42: error: warn is a part of the limit, such as 80%, "
             "not 0.8\n"},
    {.name = "an empty tag, and an empty route",
     .text = "policy:\n"
             "  mail:\n"
             "    - {rule: a, tag: [x, \"\"]}\n"
             "    - {rule: b, route: \"\"}\n",
     .want = "t.yaml:3:26: error: an empty text says nothing in the log\n"
             "t.yaml:4:24: error: upstream is empty\n"},
    {.name = "a list that maps, written as a map",
     .text = "lists: {q: {bob: 100/h}}\n",
     .want = "t.yaml:1:12: error: a list is [entries], {file: PATH} or "
             "{dynamic: true}; what an entry maps to stands behind it, as in "
             "[bob 100/h]\n"},
    {.name = "a rule that uses a wrong list is not wrong",
     .text = "lists: {a: {fle: x}}\n"
             "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: \"@a\"}\n"
             "      tag: x\n",
     .want = "t.yaml:1:13: error: a list has no key fle, did you mean file?\n"},
    {.name = "a limit of nothing",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      limit: {}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:14: error: limit is empty: name a unit, such as "
             "{messages: 100/h}, or leave it out\n"},
    {.name = "a fact that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.form: x@example.com}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:14: error: there is no fact mail.form, did you "
             "mean mail.from?\n"},
    {.name = "a fact of a later stage",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {rcpt.to: x@example.com}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:14: error: rcpt.to is not known yet at mail; it "
             "may be used from rcpt on\n"},
    {.name = "a list that is none",
     .text = "lists:\n"
             "  partners: [example.org]\n"
             "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      when: {rcpt.to.domain: \"@partner\"}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:6:30: error: there is no list partner, did you "
             "mean partners?\n"},
    {.name = "a regex that does not compile",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: '/^(x/'}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:25: error: the pattern is wrong at its octet 4: "
             "missing closing parenthesis\n"},
    {.name = "the wrong entry of a list",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: [a@example.com, '/(/', "
             "c@example.com]}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:41: error: the pattern is wrong at its octet 2: "
             "missing closing parenthesis\n"},
    {.name = "a long form that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: {inn: [a@example.com]}}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:32: error: a test has no word inn, did you mean "
             "in?\n"},
    {.name = "an empty when",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:13: error: when is empty: leave it out if the "
             "rule always applies\n"},
    {.name = "a when that is a text",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: always\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:13: error: when takes a map (key: value), not "
             "one value\n"},
    {.name = "any of no list",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {any: {auth.user: bob}}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:19: error: any takes a list ([...] or - ...), not a "
             "map\n"},
    {.name = "a reply of the wrong class",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: \"450 4.7.1 Later\"\n",
     .want = "t.yaml:4:15: error: reject answers 5yz, and 450 is not: "
             "use defer\n"},
    {.name = "a reply without a code",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      defer: later\n",
     .want = "t.yaml:4:14: error: a reply begins with its code, as in "
             "\"550 5.7.1 Not allowed\"\n"},
    {.name = "a template of no fact",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: \"550 5.7.1 {auth.usr} may not\"\n",
     .want = "t.yaml:4:15: error: there is no fact auth.usr, did you "
             "mean auth.user?\n"},
    {.name = "a capture that is none",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: '/^(.+)@old/'}\n"
             "      rewrite: {mail.from: \"{2}@example.com\"}\n",
     .want = "t.yaml:5:28: error: {2} captures nothing: no pattern of "
             "this rule has more than 1 group\n"},
    {.name = "a unit that is none",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      limit: {recipient: 5/h, by: \"{auth.user}\"}\n"
             "      defer: \"450 4.7.1 Later\"\n",
     .want = "t.yaml:4:15: error: a limit has no unit or key recipient, "
             "did you mean recipients?\n"},
    {.name = "a rate that is none",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      limit: {recipients: 5 an hour, by: "
             "\"{auth.user}\"}\n"
             "      defer: \"450 4.7.1 Later\"\n",
     .want = "t.yaml:4:15: error: 5 an hour is neither a number nor a "
             "rate, such as 500 or 500/h\n"},
    {.name = "a unit at the wrong stage",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      limit: {recipients: 5/h, by: \"{auth.user}\"}\n"
             "      defer: \"450 4.7.1 Later\"\n",
     .want = "t.yaml:4:15: error: recipients is counted at rcpt, not at "
             "mail\n"},
    {.name = "a rewrite at the wrong stage",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      rewrite: {mail.from: x@example.com}\n",
     .want = "t.yaml:4:28: error: rewrite takes mail.from at mail, "
             "rcpt.to at rcpt and header.NAME at header, not mail.from "
             "at rcpt\n"},
    {.name = "a route to nowhere",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      route: mtaa\n",
     .want = "t.yaml:4:14: error: upstreams has no mtaa, did you mean "
             "mta?\n"},
    {.name = "headers without a map",
     .text = "policy:\n"
             "  header:\n"
             "    - rule: a\n"
             "      headers: {remve: [X-Mailer]}\n",
     .want = "t.yaml:4:17: error: headers takes remove: [names], and "
             "set, add or add_missing: {Name: text}\n"},
    {.name = "a list change without a word",
     .text = "policy:\n"
             "  reply:\n"
             "    - rule: a\n"
             "      list: {ad: {contained: x}}\n",
     .want = "t.yaml:4:14: error: list has no key ad, did you mean "
             "add?\n"},
    {.name = "an entry of a static list",
     .text = "lists:\n"
             "  partners: [example.org]\n"
             "policy:\n"
             "  reply:\n"
             "    - rule: a\n"
             "      list: {add: {partners: \"{auth.user}\"}, for: 12h}\n",
     .want = "t.yaml:6:30: error: the list partners is not dynamic; "
             "declare it as {dynamic: true}\n"},
    {.name = "a list of two kinds",
     .text = "lists:\n"
             "  x: {file: x.txt, dynamic: true}\n",
     .want = "t.yaml:2:6: error: a list is [entries], {file: PATH} or "
             "{dynamic: true}\n"},
    {.name = "a list with an unknown key",
     .text = "lists:\n"
             "  x: {fiel: x.txt}\n",
     .want = "t.yaml:2:7: error: a list has no key fiel, did you mean "
             "file?\n"},
    {.name = "a list file from memory",
     .text = "lists:\n"
             "  x: {file: x.txt}\n",
     .want = "t.yaml:2:13: error: x.txt: no file is opened here\n"},
    {.name = "a stage that is no list",
     .text = "policy:\n"
             "  mail: {rule: a, reject: \"550 5.7.1 No\"}\n",
     .want = "t.yaml:2:9: error: a stage takes a list ([...] or - ...), not "
             "a map\n"},
    {.name = "several in one rule",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.form: x, auth.usr: y}\n"
             "      rejct: \"550\"\n"
             "      note: desk #5\n",
     .want = "t.yaml:4:14: error: there is no fact mail.form, did you "
             "mean mail.from?\n"
             "t.yaml:4:28: error: there is no fact auth.usr, did you "
             "mean auth.user?\n"
             "t.yaml:5:7: error: a rule has no key rejct, did you mean "
             "reject?\n"
             "t.yaml:6:13: error: the text ends before ` #`, where YAML "
             "begins a comment: quote the text\n"},
};

static void each_fault_of_a_rule_has_its_place(void **state)
{
    (void)state;
    golden_check(faults, sizeof faults / sizeof *faults);
}

static void every_form_of_a_rule_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "lists:\n"
        "  one: example.org\n"
        "  some: ['*@example.net', '*@*.example.com', '/x$/']\n"
        "  dynamic: {dynamic: true}\n"
        "policy:\n"
        "  connect:\n"
        "    - rule: networks\n"
        "      when: {client.ip: [192.0.2.0/24, \"2001:db8::/32\"]}\n"
        "      limit: {connections: 10, by: \"{client.net}\"}\n"
        "      close: \"421 4.7.0 Too many\"\n"
        "  mail:\n"
        "    - rule: conditions\n"
        "      when:\n"
        "        any:\n"
        "          - {mail.from: {in: \"@some\", not_in: [a@example.com]}}\n"
        "          - all: [{mail.size: \"> 10M\"}, {auth.user: {exists: "
        "true}}]\n"
        "          - not: {mail.from.domain: \"@one\"}\n"
        "      accept: true\n"
        "    - rule: captures behind their use\n"
        "      route: mta\n"
        "      rewrite: {mail.from: \"{who}@example.com\"}\n"
        "      when: {mail.from: '/^(?<who>.+)@old\\.example$/i'}\n"
        "  rcpt:\n"
        "    - rule: by the first that exists\n"
        "      limit: {recipients: 5/10m, burst: 2, by: [\"{auth.user}\", "
        "\"{client.net}\"]}\n"
        "      defer: \"450 4.7.1 Later\"\n"
        "    - rule: elsewhere\n"
        "      when: {rcpt.to.domain: .example.org}\n"
        "      tag: [a, b]\n"
        "      note: \"to {rcpt.to} #5\"\n"
        "  header:\n"
        "    - rule: fields\n"
        "      headers:\n"
        "        remove: X-*\n"
        "        set: {X-User: \"{auth.user}\"}\n"
        "        add: {X-Seen: \"yes\"}\n"
        "        add_missing: {Organization: Example}\n"
        "  reply:\n"
        "    - rule: let go\n"
        "      list: {remove: {dynamic: \"{auth.user}\"}}\n";
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = golden_load(text, 0, &diags);
    char *got = golden_print(&diags);
    assert_string_equal(got, "");
    assert_int_equal(ruleset_count(settings->rules, STAGE_CONNECT), 1);
    assert_int_equal(ruleset_count(settings->rules, STAGE_MAIL), 2);
    assert_int_equal(ruleset_count(settings->rules, STAGE_RCPT), 2);
    assert_int_equal(ruleset_count(settings->rules, STAGE_HEADER), 1);
    assert_int_equal(ruleset_count(settings->rules, STAGE_REPLY), 1);
    free(got);
    settings_unref(settings);
    diags_release(&diags);
}

static void a_rule_that_can_never_act_is_a_warning(void **state)
{
    (void)state;
    static const struct golden cases[] = {
        {.name = "a rule behind one that always decides",
         .text = "policy:\n"
                 "  mail:\n"
                 "    - rule: nobody\n"
                 "      reject: \"550 5.7.1 No\"\n"
                 "    - rule: somebody\n"
                 "      tag: x\n",
         .want = "t.yaml:5:7: warning: rule \"somebody\" can never act: "
                 "\"nobody\" before it always decides\n"},
        {.name = "a list that nothing uses",
         .text = "lists:\n  partners: [example.org]\n",
         .want = "t.yaml:2:3: warning: no rule uses the list partners\n"},
        {.name = "a listener that is none",
         .text = "policy:\n"
                 "  mail:\n"
                 "    - rule: a\n"
                 "      when: {listener: [submission, sub*, submision]}\n"
                 "      tag: x\n",
         .want = "t.yaml:4:43: warning: there is no listener submision, so "
                 "this never holds\n"},
        {.name = "a login where nobody logs in",
         .without = GOLDEN_LISTENERS,
         .text = "listeners:\n"
                 "  open: {address: \"127.0.0.1:2525\", tls: none, auth: none, "
                 "trusted: [127.0.0.0/8]}\n"
                 "  other: {address: \"127.0.0.1:5870\", tls: starttls}\n"
                 "policy:\n"
                 "  mail:\n"
                 "    - rule: a\n"
                 "      when: {listener: open}\n"
                 "      note: \"{auth.user}\"\n"
                 "    - rule: b\n"
                 "      when: {listener: [open, other]}\n"
                 "      note: \"{auth.user}\"\n"
                 "    - rule: c\n"
                 "      when: {listener: open, auth.user: {exists: false}}\n"
                 "      tag: x\n",
         .want = "t.yaml:6:7: warning: the rule can never act: nobody logs in "
                 "at its listener, and it names auth.user\n"},
    };
    golden_check(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_rule_has_its_place),
        cmocka_unit_test(every_form_of_a_rule_is_read),
        cmocka_unit_test(a_rule_that_can_never_act_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
