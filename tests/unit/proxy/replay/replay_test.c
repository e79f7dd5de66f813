#include "proxy/replay/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/load.h"
#include "proxy/replay/result.h"

#define HEAD                                                                   \
    "hostname: mail.example.com\n"                                             \
    "listeners:\n"                                                             \
    "  submission: {address: \"127.0.0.1:5870\", tls: starttls}\n"             \
    "upstreams: {mta: {servers: [\"127.0.0.1:10025\"]},\n"                     \
    "            other: {servers: [\"127.0.0.1:10026\"]}}\n"                   \
    "upstream: mta\n"                                                          \
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"                 \
    "auth: {backends: [{users: users}]}\n"                                     \
    "lists: {shut: {dynamic: true}}\n"

/* A mail of bob's, accepted. */
#define MAIL_AT(time, id, more)                                                \
    "{\"time\":\"2026-01-05T" time "Z\",\"event\":\"transaction\","            \
    "\"id\":\"" id "01\",\"session\":\"" id "\",\"verdict\":\"accept\","       \
    "\"stage\":\"reply\",\"reply\":\"250 2.0.0 Ok\",\"by\":\"upstream\","      \
    "\"client\":{\"ip\":\"192.0.2.1\",\"port\":4711,\"helo\":\"laptop\","      \
    "\"verb\":\"EHLO\"},\"listener\":\"submission\","                          \
    "\"auth\":{\"user\":\"bob\",\"mechanism\":\"PLAIN\",\"groups\":[],"        \
    "\"addresses\":[\"bob@example.com\"]},"                                    \
    "\"mail\":{\"from\":\"bob@example.com\",\"sent\":\"bob@example.com\"},"    \
    "\"rcpt\":[{\"to\":\"a@example.net\",\"sent\":\"a@example.net\","          \
    "\"verdict\":\"accept\",\"reply\":\"250 2.1.5 Ok\",\"by\":\"upstream\","   \
    "\"at\":2,\"answered\":3}],"                                               \
    "\"header\":{\"from\":[\"bob@example.com\"],\"count\":2,\"bytes\":40,"     \
    "\"hops\":0},\"message\":{\"bytes\":2000,\"lines\":9,"                     \
    "\"longest_line\":70}," more                                               \
    "\"upstream\":{\"name\":\"mta\",\"reply\":\"250 2.0.0 Ok\"},"              \
    "\"ms\":{\"total\":9,\"mail\":0.1,\"data\":4,\"header\":5,"                \
    "\"message\":6,\"answer\":8}}\n"

/* The same, refused by the rule "own" at MAIL. */
#define REFUSED_AT(time, id)                                                   \
    "{\"time\":\"2026-01-05T" time "Z\",\"event\":\"transaction\","            \
    "\"id\":\"" id "01\",\"session\":\"" id "\",\"verdict\":\"reject\","       \
    "\"stage\":\"mail\",\"reply\":\"553 5.7.1 Not yours\",\"by\":\"rule\","    \
    "\"rule\":\"own\",\"client\":{\"ip\":\"192.0.2.1\",\"helo\":\"laptop\"},"  \
    "\"listener\":\"submission\",\"auth\":{\"user\":\"bob\","                  \
    "\"addresses\":[\"bob@example.com\"],\"groups\":[]},"                      \
    "\"mail\":{\"from\":\"eve@example.com\",\"sent\":\"eve@example.com\"},"    \
    "\"rcpt\":[],\"ms\":{\"total\":1}}\n"

/* Two recipients, where the rules route the second one elsewhere. */
#define TWO_AT(time, id)                                                       \
    "{\"time\":\"2026-01-05T" time "Z\",\"event\":\"transaction\","            \
    "\"id\":\"" id "01\",\"session\":\"" id "\",\"verdict\":\"accept\","       \
    "\"stage\":\"reply\",\"reply\":\"250 2.0.0 Ok\",\"by\":\"upstream\","      \
    "\"client\":{\"ip\":\"192.0.2.1\",\"helo\":\"laptop\"},"                   \
    "\"listener\":\"submission\",\"auth\":{\"user\":\"bob\","                  \
    "\"addresses\":[\"bob@example.com\"],\"groups\":[]},"                      \
    "\"mail\":{\"from\":\"bob@example.com\",\"sent\":\"bob@example.com\"},"    \
    "\"rcpt\":[{\"to\":\"a@example.net\",\"sent\":\"a@example.net\","          \
    "\"verdict\":\"accept\",\"reply\":\"250 2.1.5 Ok\",\"by\":\"upstream\","   \
    "\"at\":2,\"answered\":3},"                                                \
    "{\"to\":\"b@apart.example\",\"sent\":\"b@apart.example\","                \
    "\"verdict\":\"accept\",\"reply\":\"250 2.1.5 Ok\",\"by\":\"upstream\","   \
    "\"at\":4,\"answered\":5,\"route\":\"other\"}],"                           \
    "\"message\":{\"bytes\":2000,\"lines\":9,\"longest_line\":70},"            \
    "\"rules\":[{\"stage\":\"rcpt\",\"rule\":\"apart\",\"did\":\"route\"}],"   \
    "\"upstream\":{\"name\":\"mta\",\"reply\":\"250 2.0.0 Ok\"},"              \
    "\"ms\":{\"total\":19,\"mail\":0.1,\"data\":7,\"header\":8,"               \
    "\"message\":9,\"answer\":10}}\n"

#define APART                                                                  \
    "policy: {rcpt: [{rule: apart, when: {rcpt.to: b@apart.example}, "         \
    "route: other}]}\n"

#define OWN                                                                    \
    "policy:\n"                                                                \
    "  mail:\n"                                                                \
    "    - {rule: own, when: {mail.from: {not_in: \"{auth.addresses}\"}},\n"   \
    "       reject: \"553 5.7.1 Not yours\"}\n"

struct replay_case {
    const char *what;
    const char *policy;
    const char *log;
    uint64_t want_transactions;
    uint64_t want_refused, want_passed, want_changed;
    uint64_t want_not_judged, want_assumed, want_primed, want_unreadable;
    const char *want_rule; /* of the first row */
};

static const struct replay_case cases[] = {
    {.what = "the policy that decided",
     .policy = OWN,
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", "")
         REFUSED_AT("09:00:01.000000", "AAAAAAAAAB"),
     .want_transactions = 2},
    {.what = "a rule that is gone",
     .policy = "",
     .log = REFUSED_AT("09:00:01.000000", "AAAAAAAAAB"),
     .want_transactions = 1,
     .want_passed = 1,
     .want_assumed = 1,
     .want_rule = "own"},
    {.what = "other words",
     .policy = "policy: {mail: [{rule: own, when: {mail.from: "
               "eve@example.com}, reject: \"553 5.7.1 Never yours\"}]}\n",
     .log = REFUSED_AT("09:00:01.000000", "AAAAAAAAAB"),
     .want_transactions = 1,
     .want_changed = 1,
     .want_rule = "own"},
    {.what = "a new rule, at every stage",
     .policy = "policy: {message: [{rule: big, when: {message.bytes: "
               "\"> 1K\"}, reject: \"552 5.3.4 Too big\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_refused = 1,
     .want_rule = "big"},
    {.what = "a size that the message passes",
     .policy = "policy: {mail: [{rule: size, limit: {size: 1K}, reject: "
               "\"552 5.3.4 At most {limit.max}\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_refused = 1,
     .want_rule = "size"},
    {.what = "a recipient",
     .policy = "policy: {rcpt: [{rule: no, when: {rcpt.to.domain: "
               "example.net}, reject: \"550 5.7.1 No\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_refused = 1,
     .want_rule = "no"},
    {.what = "another route",
     .policy = "policy: {mail: [{rule: away, route: other}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_changed = 1,
     .want_rule = "away"},
    {.what = "another sender",
     .policy = "policy: {mail: [{rule: anew, rewrite: {mail.from: "
               "\"x@example.com\"}}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_changed = 1,
     .want_rule = "anew"},
    {.what = "recipients that would route apart",
     .policy = APART,
     .log = TWO_AT("09:00:00.000000", "AAAAAAAAAA"),
     .want_transactions = 1,
     .want_refused = 1,
     .want_rule = "(none)"},
    {.what = "or go along with the first",
     .policy = "split: first\n" APART,
     .log = TWO_AT("09:00:00.000000", "AAAAAAAAAA"),
     .want_transactions = 1},
    /* The line of what began first may come last. */
    {.what = "a rate, in the order of the times",
     .policy = "policy: {mail: [{rule: few, limit: {messages: 2/1h, by: "
               "\"{auth.user}\"}, defer: \"450 4.7.1 Wait\"}]}\n",
     .log = MAIL_AT("10:10:00.000000", "AAAAAAAAAC", "")
         MAIL_AT("09:00:00.000000", "AAAAAAAAAA", "")
             MAIL_AT("09:01:00.000000", "AAAAAAAAAB", ""),
     .want_transactions = 3},
    {.what = "the same rate, exceeded",
     .policy = "policy: {mail: [{rule: few, limit: {messages: 2/1h, by: "
               "\"{auth.user}\"}, defer: \"450 4.7.1 Wait\"}]}\n",
     .log = MAIL_AT("09:02:00.000000", "AAAAAAAAAC", "")
         MAIL_AT("09:00:00.000000", "AAAAAAAAAA", "")
             MAIL_AT("09:01:00.000000", "AAAAAAAAAB", ""),
     .want_transactions = 3,
     .want_refused = 1,
     .want_rule = "few"},
    {.what = "a budget that was in use before the log began",
     .policy = "policy: {mail: [{rule: few, limit: {messages: 5/1h, by: "
               "\"{auth.user}\"}, defer: \"450 4.7.1 Wait\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA",
                    "\"limits\":[{\"rule\":\"few\",\"key\":\"bob\","
                    "\"before\":4,\"after\":5,\"max\":5}],")
         MAIL_AT("09:00:01.000000", "AAAAAAAAAB", ""),
     .want_transactions = 2,
     .want_refused = 1,
     .want_primed = 1,
     .want_rule = "few"},
    {.what = "a header field that the log lacks",
     .policy = "policy: {header: [{rule: spam, when: {header.subject: "
               "{exists: false}}, reject: \"550 5.7.1 No subject\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_not_judged = 1},
    {.what = "one that it holds",
     .policy = "policy: {header: [{rule: spam, when: {header.subject: "
               "/sale/}, reject: \"550 5.7.1 No sale\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA",
                    "\"facts\":{\"header.subject\":[\" a=?utf-8?Q?_?=\"]},")
         MAIL_AT("09:00:01.000000", "AAAAAAAAAB",
                 "\"facts\":{\"header.subject\":"
                 "[\" =?utf-8?Q?s=61le?=\"]},"),
     .want_transactions = 2,
     .want_refused = 1,
     .want_rule = "spam"},
    {.what = "the addresses of From, without their names",
     .policy = "policy: {header: [{rule: from, when: {header.from: "
               "bob@example.com}, reject: \"550 5.7.1 Not you\"}]}\n",
     .log = MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""),
     .want_transactions = 1,
     .want_refused = 1,
     .want_rule = "from"},
    {.what = "a list that somebody changed",
     .policy = "policy: {auth: [{rule: shut, when: {auth.user: \"@shut\"}, "
               "reject: \"525 5.7.13 Shut\"}]}\n",
     .log = MAIL_AT(
         "09:00:00.000000", "AAAAAAAAAA",
         "") "{\"time\":\"2026-01-05T09:00:30.000000Z\",\"event\":\"list\","
             "\"list\":\"shut\",\"did\":\"add\",\"value\":\"bob\"}\n" //
     MAIL_AT("09:01:00.000000", "AAAAAAAAAB", ""),
     .want_transactions = 2,
     .want_refused = 1,
     .want_rule = "shut"},
    {.what = "lines that are none",
     .policy = OWN,
     .log = "nonsense\n{}\n[]\n{\"time\":1}\n" //
     MAIL_AT("09:00:00.000000", "AAAAAAAAAA", "") "{\"time\":\"2026",
     .want_transactions = 1,
     .want_unreadable = 4},
};

static const struct settings *load(const char *policy)
{
    char text[4096];
    struct diags diags;
    snprintf(text, sizeof text, "%s%s", HEAD, policy);
    diags_init(&diags);
    const struct settings *settings =
        config_load_octets("/postern.yaml", str_from(text), &diags);
    if (settings == NULL)
        diags_print(&diags, stderr);
    diags_release(&diags);
    assert_non_null(settings);
    return settings;
}

static void write_log(char path[64], const char *text)
{
    snprintf(path, 64, "/tmp/replay_test.XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    size_t length = strlen(text);
    assert_true(write(fd, text, length) == (ssize_t)length);
    close(fd);
}

static void check(const struct replay_case *c)
{
    char path[64], error[512] = "";
    const struct settings *settings = load(c->policy);
    write_log(path, c->log);
    struct replay *replay =
        replay_run(settings, path, NULL, error, sizeof error);
    unlink(path);
    print_message("%s %s\n", c->what, error);
    assert_non_null(replay);
    assert_int_equal(replay_transactions(replay), c->want_transactions);
    assert_int_equal(replay_newly_refused(replay), c->want_refused);
    assert_int_equal(replay_newly_passed(replay), c->want_passed);
    assert_int_equal(replay_changed(replay), c->want_changed);
    assert_int_equal(replay->not_judged, c->want_not_judged);
    assert_int_equal(replay->assumed, c->want_assumed);
    assert_int_equal(replay->primed, c->want_primed);
    assert_int_equal(replay->unreadable, c->want_unreadable);
    assert_int_equal(replay->row_count, c->want_rule != NULL);
    if (c->want_rule != NULL)
        assert_string_equal(replay->rows[0].rule, c->want_rule);
    replay_free(replay);
    settings_unref(settings);
}

static void a_log_is_judged_by_the_candidate(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&cases[i]);
}

static void a_log_without_transactions_is_no_test(void **state)
{
    char path[64], error[512] = "";
    const struct settings *settings = load(OWN);
    (void)state;
    write_log(path, "{}\n");
    assert_null(replay_run(settings, path, NULL, error, sizeof error));
    assert_non_null(strstr(error, "no transaction"));
    unlink(path);
    assert_null(replay_run(settings, path, NULL, error, sizeof error));
    assert_non_null(strstr(error, "No such file"));
    settings_unref(settings);
}

/* Sessions that overlap count against a limit of connections; what their
 * lines say of their ends is what gives them back. */
static void sessions_hold_connections_until_their_end(void **state)
{
#define SESSION_AT(time, id, ms)                                               \
    "{\"time\":\"2026-01-05T" time "Z\",\"event\":\"session\",\"id\":\"" id    \
    "\",\"session\":\"" id "\",\"client\":{\"ip\":\"192.0.2.1\"},"             \
    "\"listener\":\"submission\",\"end\":\"quit\",\"ms\":{\"total\":" ms       \
    "}}\n"
    char path[64], error[512] = "";
    const struct settings *settings =
        load("policy: {connect: [{rule: two, limit: {connections: 2, by: "
             "\"{client.net}\"}, close: \"421 4.7.0 Two\"}]}\n");
    (void)state;
    write_log(path,
              SESSION_AT("09:00:01.000000", "AAAAAAAAAA", "1000")
                  SESSION_AT("09:00:00.000000", "AAAAAAAAAB", "9000")
                      SESSION_AT("09:00:01.500000", "AAAAAAAAAC", "1")
                          SESSION_AT("09:00:03.000000", "AAAAAAAAAD", "1")
                              MAIL_AT("09:00:01.600000", "AAAAAAAAAA", ""));
    struct replay *replay =
        replay_run(settings, path, NULL, error, sizeof error);
    unlink(path);
    assert_non_null(replay);
    assert_int_equal(replay->session_counts[NEWLY_REFUSED], 1);
    assert_int_equal(replay_newly_refused(replay), 0);
    assert_string_equal(replay->rows[0].examples[0].id, "AAAAAAAAAC");
    replay_free(replay);
    settings_unref(settings);
}

static bool give_up(void *owner, uint64_t done, uint64_t total)
{
    (void)owner;
    assert_true(done <= total);
    return false;
}

static void whoever_watches_may_give_up(void **state)
{
    char path[64], error[512] = "", *log = NULL;
    size_t length = 0;
    const struct settings *settings = load(OWN);
    FILE *to = open_memstream(&log, &length);
    (void)state;
    assert_non_null(to);
    for (size_t i = 0; i < 5000; i++)
        fputs(MAIL_AT("09:00:00.000000", "AAAAAAAAAA", ""), to);
    fclose(to);
    write_log(path, log);
    free(log);
    const struct replay_progress progress = {NULL, give_up};
    assert_null(replay_run(settings, path, &progress, error, sizeof error));
    assert_string_equal(error, "given up");
    unlink(path);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_is_judged_by_the_candidate),
        cmocka_unit_test(a_log_without_transactions_is_no_test),
        cmocka_unit_test(sessions_hold_connections_until_their_end),
        cmocka_unit_test(whoever_watches_may_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
