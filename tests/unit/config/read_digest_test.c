/* server_digest and the sections' own: what makes them differ, and what does
 * not. */
#include "tests/unit/config/folder.h"

static const struct settings *load_text(const char *text)
{
    write_file("postern.yaml", text);
    return load("postern.yaml");
}

/* The names of the sections that differ, with blanks between. */
static void assert_changes(const char *before, const char *after,
                           const char *want)
{
    char got[200] = "";
    struct section_cursor cursor = {0};
    const struct settings *left = load_text(before);
    const struct settings *right = load_text(after);
    const char *name;
    while ((name = settings_next_change(left, right, &cursor)) != NULL) {
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s", used == 0 ? "" : " ",
                 name);
    }
    assert_string_equal(got, want);
    bool is_same = strcmp(left->server_digest, right->server_digest) == 0;
    assert_int_equal(is_same, want[0] == '\0');
    settings_unref(left);
    settings_unref(right);
}

static void the_way_it_is_written_makes_no_difference(void **state)
{
    (void)state;
    setenv("POSTERN_TEST_WORKERS", "4", 1);
    write_file("log.yaml", "log: {level: info, decisions: d.jsonl}\n");
    assert_changes(GOOD "workers: 4\n"
                        "log: {decisions: d.jsonl, level: info}\n",
                   "include: log.yaml\n"
                   "workers: \"${POSTERN_TEST_WORKERS}\"\n"
                   "tls:\n"
                   "  certificates:\n"
                   "    - key: 'key.pem'\n"
                   "      chain: cert.pem\n"
                   "auth: {backends: [{users: users}]}\n"
                   "hostname: \"mail.example.com\"\n"
                   "listeners:\n"
                   "  a: {tls: starttls, address: '127.0.0.1:5870'}\n"
                   "upstream: mta\n"
                   "upstreams: {mta: {servers: [\"127.0.0.1:10025\"]}}\n",
                   "");
}

static void what_a_reload_takes_up_is_not_in_it(void **state)
{
    (void)state;
    write_file("candidate.yaml", "policy: {mail: [{rule: b, tag: y}]}\n");
    write_file("more.yaml", "policy: {mail: [{rule: c, ask: p}]}\n");
    assert_changes(GOOD,
                   GOOD "policy: {mail: [{rule: a, list: {add: {x: "
                        "\"{mail.from}\"}}}]}\n"
                        "lists: {x: {dynamic: true}}\n"
                        "tests: [{name: t, given: {mail.from: a@b.example}, "
                        "expect: {reply: 250}}]\n"
                        "shadow: candidate.yaml\n"
                        "include: more.yaml\n"
                        "reload: {replay: old.jsonl}\n"
                        "policy_servers: {p: {address: \"127.0.0.1:1\"}}\n"
                        "split: first\n",
                   "");
}

#define ROUTED "policy: {mail: [{rule: r, route: b}]}\n"
#define UPSTREAMS(inside)                                                      \
    "hostname: mail.example.com\n"                                             \
    "listeners: {a: {address: \"127.0.0.1:5870\", tls: none, auth: none, "     \
    "trusted: 127.0.0.0/8}}\n"                                                 \
    "upstream: a\n"                                                            \
    "upstreams: " inside

static void the_sections_that_differ_are_named(void **state)
{
    (void)state;
    assert_changes(GOOD "workers: 1\n", GOOD "workers: 2\n", "workers");
    assert_changes(GOOD, GOOD "caps: {hops: 10}\nreceived: {hide_user: true}\n",
                   "caps received");
    assert_changes(GOOD "workers: 1\ntimezone: UTC\n", GOOD "caps: {hops: 1}\n",
                   "caps timezone workers");
    /* Two texts are not one: a server's list of two, or a longer name. */
    assert_changes(UPSTREAMS("{a: {servers: [\"b:1\", \"c:1\"]}}\n"),
                   UPSTREAMS("{a: {servers: [\"b:1\"]}}\n"), "upstreams");
    /* Servers are tried in order, and upstreams are known by number. */
    assert_changes(UPSTREAMS("{a: {servers: [\"b:1\", \"c:1\"]}}\n"),
                   UPSTREAMS("{a: {servers: [\"c:1\", \"b:1\"]}}\n"),
                   "upstreams");
    assert_changes(UPSTREAMS("{a: {maildir: x}, b: {maildir: y}}\n" ROUTED),
                   UPSTREAMS("{b: {maildir: y}, a: {maildir: x}}\n" ROUTED),
                   "upstreams");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_it_is_written_makes_no_difference),
        cmocka_unit_test(what_a_reload_takes_up_is_not_in_it),
        cmocka_unit_test(the_sections_that_differ_are_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
