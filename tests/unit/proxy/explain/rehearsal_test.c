/* A mail through a policy, as a story: what is told of each rule, what would
 * have to be different, and what would go on. */
#include "tests/unit/config/golden.h"

#include "proxy/explain/difference.h"
#include "proxy/explain/rehearsal.h"
#include "proxy/explain/story_text.h"

/* One policy, one mail; the rest is what is asked of it. */
struct rehearsal_case {
    const char *name;
    const char *policy; /* of one stage: "  mail:\n …" */
    struct rehearsal_mail mail;
    const char *want; /* the story's text from the stage on */
    const char *stage;
};

static const struct str ADDRESSES[] = {STR_INIT("bob@example.com"),
                                       STR_INIT("*@sales.example.com")};
static const struct str GROUPS[] = {STR_INIT("staff")};
static const struct str TO[] = {STR_INIT("a@x.example"),
                                STR_INIT("b@y.example")};

#define AT_MS (UINT64_C(1767603600) * 1000)
#define MAIL                                                                   \
    .at_ms = AT_MS, .user = STR_INIT("bob"), .addresses = ADDRESSES,           \
    .address_count = 2, .groups = GROUPS, .group_count = 1, .has_from = true,  \
    .from = STR_INIT("bob@example.com"), .to = TO
#define BOB MAIL, .login = MAIL_LOGIN_OK, .to_count = 1

static const struct settings *load(const char *policy)
{
    struct diags diags;
    char text[4096];
    diags_init(&diags);
    snprintf(text, sizeof text,
             "lists: {partners: [x.example], suspended: {dynamic: true}}\n"
             "policy:\n%s",
             policy);
    const struct settings *settings = golden_load(text, 0, &diags);
    if (settings == NULL) {
        char *said = golden_print(&diags);
        fail_msg("%s", said);
    }
    diags_release(&diags);
    return settings;
}

static void tell(const struct settings *settings,
                 const struct rehearsal_mail *mail, struct story *story)
{
    static const uint8_t secret[16] = {0};
    struct ledger *ledger = ledger_new(1000, secret);
    assert_non_null(ledger);
    story_init(story);
    assert_int_equal(rehearse(settings, settings->rules, ledger, mail, story),
                     0);
    ledger_free(ledger);
}

static char *text_of(const struct story *story)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    story_text_stages(story, to, false);
    story_text_outcome(story, to, false);
    fclose(to);
    return text;
}

static void run_cases(const struct rehearsal_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct story story;
        const struct settings *settings = load(cases[i].policy);
        tell(settings, &cases[i].mail, &story);
        char *text = text_of(&story);
        const char *from = strstr(text, cases[i].stage);
        if (from == NULL ||
            strncmp(from, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s:\n--- got\n%s--- want\n%s", cases[i].name, text,
                     cases[i].want);
        free(text);
        story_release(&story);
        settings_unref(settings);
    }
}

static void what_would_have_to_be_different_is_told(void **state)
{
    (void)state;
    static const struct rehearsal_case cases[] = {
        {"a number",
         "  mail:\n"
         "    - {rule: big, when: {mail.size: \"> 10M\"}, reject: \"552 "
         "No\"}\n",
         {BOB, .has_size = true, .size = 20971520},
         "  big: refuses\n"
         "      yes  mail.size: > 10M   (20971520)\n"
         "      says   552 5.7.1 No\n"
         "      to pass: mail.size would have to be at most 10M\n",
         "  big: "},
        {"not",
         "  mail:\n"
         "    - {rule: staff, when: {not: {auth.groups: students}}, "
         "reject: \"550 No\"}\n",
         {BOB},
         "  staff: refuses\n"
         "      no   auth.groups: students   (staff)\n"
         "      says   550 5.7.1 No\n"
         "      to pass: a value of auth.groups would have to be students\n",
         "  staff: "},
        {"any: each of them",
         "  rcpt:\n"
         "    - {rule: either, when: {any: [{rcpt.to.domain: x.example}, "
         "{auth.user: eve}, {auth.user: bob}]}, reject: \"550 No\"}\n",
         {BOB},
         "  either: refuses\n"
         "      yes  rcpt.to.domain: x.example   (x.example)\n"
         "      says   550 5.7.1 No\n"
         "      to pass: rcpt.to.domain would have to not be x.example, and "
         "auth.user would have to not be eve, and auth.user would have to not "
         "be bob\n",
         "  either: "},
        {"all: any of them",
         "  rcpt:\n"
         "    - {rule: both, when: {rcpt.to.domain: \"@partners\", auth.user: "
         "{exists: true}}, reject: \"550 No\"}\n",
         {BOB},
         "  both: refuses\n"
         "      yes  rcpt.to.domain: @partners   (x.example)\n"
         "      yes  auth.user exists true\n"
         "      says   550 5.7.1 No\n"
         "      to pass: rcpt.to.domain would have to not be in the list "
         "partners\n"
         "           or: auth.user would have to be absent\n",
         "  both: "},
        {"nothing",
         "  mail:\n    - {rule: closed, reject: \"550 No\"}\n",
         {BOB},
         "  closed: refuses\n"
         "      says   550 5.7.1 No\n"
         "      to pass: nothing: the rule refuses whatever comes\n",
         "  closed: "},
        {"a limit",
         "  rcpt:\n"
         "    - {rule: few, limit: {recipients: 60/h, burst: 1, by: "
         "\"{auth.user}\"}, defer: \"450 Later\"}\n",
         {MAIL, .login = MAIL_LOGIN_OK, .to_count = 2},
         "  few: refuses\n"
         "      limit  recipients 1 → 1 of 1 for bob, 60/h: exceeded\n"
         "      says   450 4.7.1 Later\n"
         "      to pass: in 1h 1 more would pass\n",
         "  few: refuses"},
        {"a measure",
         "  mail:\n"
         "    - {rule: small, limit: {size: 1M}, reject: \"552 No\"}\n",
         {BOB, .has_size = true, .size = 2097152},
         "  small: refuses\n"
         "      limit  size 2M of 1M: exceeded\n"
         "      says   552 5.7.1 No\n"
         "      to pass: size would have to be at most 1M\n",
         "  small: "},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

static void each_fate_is_told(void **state)
{
    (void)state;
    static const struct rehearsal_case cases[] = {
        {"accept, and what is behind it",
         "  mail:\n"
         "    - {rule: fine, when: {mail.from: bob@example.com}, accept: "
         "true}\n"
         "    - {rule: behind, reject: \"550 No\"}\n",
         {BOB},
         "  fine: accepts: ends this stage\n"
         "      yes  mail.from: bob@example.com   (bob@example.com)\n"
         "  behind: not reached\n",
         "  fine: "},
        {"shadow and off",
         "  mail:\n"
         "    - {rule: soon, mode: shadow, reject: \"550 No\"}\n"
         "    - {rule: never, mode: off, reject: \"550 No\"}\n",
         {BOB},
         "  soon: would act, but its mode is shadow\n"
         "      says   550 5.7.1 No\n"
         "      to pass: nothing: the rule refuses whatever comes\n"
         "  never: off\n",
         "  soon: "},
        {"a fact that is not known",
         "  mail:\n"
         "    - {rule: greeted, when: {helo.name: x}, reject: \"550 No\"}\n",
         {BOB},
         "  greeted: not asked: helo.name is not known (give --helo)\n",
         "  greeted: "},
        {"a dynamic list",
         "  auth:\n"
         "    - {rule: contain, list: {add: {suspended: \"{auth.user}\"}, for: "
         "1h}}\n"
         "  mail:\n"
         "    - {rule: contained, when: {auth.user: \"@suspended\"}, reject: "
         "\"550 No\"}\n",
         {BOB},
         "  contain: acts\n"
         "      does   list suspended + bob for 1h\n"
         "mail bob@example.com\n"
         "  contained: refuses\n"
         "      yes  auth.user: @suspended   (bob)\n"
         "      list   suspended holds bob\n",
         "  contain: "},
        {"everything that goes on",
         "  mail:\n"
         "    - {rule: edit, headers: {add: {X-Seen: \"yes\"}}, tag: t, note: "
         "\"n {auth.user}\", route: mta}\n"
         "  rcpt:\n"
         "    - {rule: copy, add_recipient: \"archive@x.example\", delay: "
         "2s}\n",
         {BOB},
         "  edit: acts\n"
         "      does   + X-Seen: yes\n"
         "      does   tag t\n"
         "      does   note n bob\n"
         "      does   route → mta\n"
         "rcpt a@x.example\n"
         "  copy: acts\n"
         "      does   one more recipient: archive@x.example\n"
         "      does   the answer waits 2000 ms\n",
         "  edit: "},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

static void what_the_session_refuses_is_told(void **state)
{
    (void)state;
    static const struct rehearsal_case cases[] = {
        {"a size over the cap",
         "  mail: []\n",
         {BOB, .has_size = true, .size = UINT64_C(1) << 40},
         "mail bob@example.com: 552 5.3.4 The limit is 52428800 octets\n",
         "mail bob"},
        {"a failed login",
         "  mail: []\n",
         {MAIL, .login = MAIL_LOGIN_FAILED},
         "refused at auth by Postern itself: 535 5.7.8 ",
         "refused at"},
        {"the upstream refuses a recipient",
         "  reply:\n"
         "    - {rule: noted, when: {reply.code: 550}, tag: unknown}\n",
         {BOB, .has_reply = true, .is_reply_to_rcpt = true, .reply_code = 550},
         "reply a@x.example\n"
         "  noted: acts\n"
         "      yes  reply.code: 550   (550)\n"
         "      does   tag unknown\n",
         "reply a@"},
    };
    run_cases(cases, sizeof cases / sizeof *cases);
}

static void policies_differ_by_what_they_do(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *want;
    } cases[] = {
        {"  mail: []\n", "  mail: []\n", NULL},
        {"  mail: []\n", "  mail:\n    - {rule: no, reject: \"550 No\"}\n",
         "refused at mail by the rule \"no\": 550 5.7.1 No"},
        {"  mail:\n    - {rule: no, reject: \"550 No\"}\n", "  mail: []\n",
         "accepted"},
        {"  mail:\n    - {rule: no, reject: \"550 No\"}\n",
         "  mail:\n    - {rule: not, reject: \"550 No\"}\n", NULL},
        {"  mail: []\n",
         "  rcpt:\n    - {rule: r, rewrite: {rcpt.to: c@x.example}}\n",
         "accepted with another envelope"},
    };
    static const struct rehearsal_mail mail = {BOB};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story first, second;
        char what[DIFFERENCE_ROOM];
        const struct settings *a = load(cases[i].first);
        const struct settings *b = load(cases[i].second);
        tell(a, &mail, &first);
        tell(b, &mail, &second);
        bool differs = difference_find(&first, &second, what);
        assert_int_equal(differs, cases[i].want != NULL);
        if (differs)
            assert_string_equal(what, cases[i].want);
        story_release(&first);
        story_release(&second);
        settings_unref(a);
        settings_unref(b);
    }
}

static void recipients_that_route_apart_wait_or_go_along(void **state)
{
    (void)state;
    static const struct {
        const char *split;
        size_t want_recipients;
        const char *want_envelope;
    } cases[] = {
        {"defer", 1, "  RCPT TO:<a@x.example>\n"},
        {"first", 2,
         "  RCPT TO:<a@x.example>\n"
         "  RCPT TO:<b@y.example>   (with the first, not to other)\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct diags diags;
        struct story story;
        char text[1024];
        snprintf(text, sizeof text,
                 "upstreams: {mta: {servers: [\"127.0.0.1:25\"]}, "
                 "other: {servers: [\"127.0.0.1:26\"]}}\n"
                 "upstream: mta\n"
                 "split: %s\n"
                 "policy: {rcpt: [{rule: apart, when: {rcpt.to: b@y.example}, "
                 "route: other}]}\n",
                 cases[i].split);
        diags_init(&diags);
        const struct settings *settings =
            golden_load(text, GOLDEN_UPSTREAMS, &diags);
        const struct rehearsal_mail mail = {MAIL, .login = MAIL_LOGIN_OK,
                                            .to_count = 2};
        assert_non_null(settings);
        tell(settings, &mail, &story);
        char *told = NULL;
        size_t length = 0;
        FILE *to = open_memstream(&told, &length);
        story_text_outcome(&story, to, false);
        fclose(to);
        assert_int_equal(story.recipient_count, cases[i].want_recipients);
        if (strstr(told, cases[i].want_envelope) == NULL)
            fail_msg("%s", told);
        free(told);
        story_release(&story);
        settings_unref(settings);
        diags_release(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_have_to_be_different_is_told),
        cmocka_unit_test(each_fate_is_told),
        cmocka_unit_test(what_the_session_refuses_is_told),
        cmocka_unit_test(policies_differ_by_what_they_do),
        cmocka_unit_test(recipients_that_route_apart_wait_or_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
