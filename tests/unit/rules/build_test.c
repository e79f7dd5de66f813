#include "tests/unit/rules/fixture.h"

static void assert_error(struct fixture *f, int rc, const char *want)
{
    assert_int_equal(rc, -1);
    if (strstr(build_error(f->builder), want) == NULL)
        fail_msg("got: %s\nwant: %s", build_error(f->builder), want);
}

/* --- when --- */

static void facts_of_later_stages_and_unknown_ones_are_refused(void **state)
{
    static const struct {
        enum stage stage;
        const char *fact, *want;
    } CASES[] = {
        {STAGE_CONNECT, "mail.from",
         "mail.from is not known yet at connect; it may be used from mail on"},
        {STAGE_MAIL, "header.from", "from header on"},
        {STAGE_RCPT, "mail.form", "did you mean mail.from?"},
        {STAGE_RCPT, "weather", "there is no fact weather"},
        {STAGE_CONNECT, "auth.groups", "from auth on"},
        {STAGE_HELO, "client.known", "from auth on"},
        {STAGE_AUTH, "mail.smtputf8", "from mail on"},
        {STAGE_RCPT, "tls.client.name", "did you mean tls.client.names?"},
        {STAGE_HEADER, "header.", "did you mean header.NAME?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        struct fact_ref ref;
        fixture_init(&f);
        rule(&f, CASES[i].stage, "r");
        assert_error(&f, build_fact(f.builder, str_from(CASES[i].fact), &ref),
                     CASES[i].want);
        fixture_release(&f);
    }
}

static void wrong_values_of_tests_say_what_is_right(void **state)
{
    static const struct {
        const char *fact, *word, *values, *want;
        size_t want_item;
    } CASES[] = {
        {"mail.size", "", "many", "many is no number", 0},
        {"mail.size", "", "1;> x", "> x is no number", 1},
        {"mail.size", "below", "0", "no number is below 0", 0},
        {"mail.from", "above", "1", "above compares numbers", 0},
        {"client.ip", "", "192.0.2.1;hello", "hello is no address of a host",
         1},
        {"client.ip", "", "192.0.2.1/24", "bits set behind its prefix", 0},
        {"mail.from", "", "example.org", "write *@example.org", 0},
        {"mail.from", "", "@example.org",
         "there is no list example.org; for all addresses of a domain", 0},
        {"mail.from", "", "@partnres", "did you mean partners?", 0},
        {"mail.from", "", "bob", "bob is no mail address", 0},
        {"mail.from", "", "/(/", "the pattern is wrong", 0},
        {"mail.from", "", "/unfinished", "a pattern is written /", 0},
        {"mail.from", "matches", "x", "a pattern is written /", 0},
        {"mail.from", "inn", "x", "did you mean in?", 0},
        {"mail.from", "exists", "yes", "exists takes true or false", 0},
        {"mail.from", "", "{auth.addreses}", "did you mean auth.addresses?", 0},
        {"mail.from", "", "{1}", "neither a fact nor a capture", 0},
        {"mail.from", "in", "{limit.max}", "cannot be used here", 0},
        {"auth.result", "", "fail",
         "auth.result is never fail, but one of: "
         "ok failed unavailable",
         0},
        {"tls.cipher", "", "a*",
         "tls.cipher is plain text, where * is no wildcard", 0},
        {"time.hour", "", "22:30",
         "22:30 is no number: time.hour takes whole hours, 0 to 23", 0},
        {"time.hour", "", "24", "time.hour is 0 to 23, never 24", 0},
        {"time.hour", "", "22;> x", "> x is no number: time.hour", 1},
        {"client.port", "", "25-587", "25-587 is no number; write 10M", 0},
        {"mail.smtputf8", "", "yes", "mail.smtputf8 is true or false, not yes",
         0},
        {"client.ip", "", "@partners", "list partners: example.org", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        struct condition *condition = NULL;
        fixture_init(&f);
        list(&f, "partners", "example.org");
        rule(&f, STAGE_RCPT, "r");
        assert_error(&f,
                     try_test(&f, CASES[i].fact, CASES[i].word, CASES[i].values,
                              &condition),
                     CASES[i].want);
        assert_int_equal(build_error_item(f.builder), CASES[i].want_item);
        assert_null(ruleset_builder_finish(f.builder));
        f.builder = NULL;
        fixture_release(&f);
    }
}

static void lists_come_from_files_too(void **state)
{
    static const char FILE_TEXT[] = "\xef\xbb\xbf# domains\r\n"
                                    "example.org\r\n"
                                    "\n"
                                    "  example.net # partner\n"
                                    "bob 2000/h\n"
                                    "a#b.example";
    struct fixture f;
    size_t line = 0;
    (void)state;
    fixture_init(&f);
    built(&f,
          build_list_file(f.builder, STR("file"), STR(FILE_TEXT), NULL, &line));
    rule(&f, STAGE_RCPT, "r");
    when(&f, "rcpt.to.domain", "", "@file");
    reject(&f, "550 {auth.user|map:file}");
    end(&f);
    finish(&f);
    know(&f, FACT_AUTH_USER, "BOB");
    know(&f, FACT_RCPT_TO, "a@example.net");
    assert_int_equal(ask(&f, STAGE_RCPT), 550);
    assert_said(&f, "2000/h");
    know(&f, FACT_RCPT_TO, "a@domains");
    assert_int_equal(ask(&f, STAGE_RCPT), 0);
    fixture_release(&f);
}

static void errors_in_list_files_name_the_line(void **state)
{
    struct fixture f;
    size_t line = 0;
    struct condition *condition = NULL;
    (void)state;
    fixture_init(&f);
    assert_error(
        &f, build_list_file(f.builder, STR("a"), STR("x\n@b\n"), NULL, &line),
        "cannot hold another one");
    assert_int_equal(line, 2);
    assert_error(&f,
                 build_list_file(f.builder, STR("n"), STR("x\0y"), NULL, &line),
                 "NUL");
    assert_int_equal(line, 1);
    built(&f, build_list_file(f.builder, STR("nets"),
                              STR("192.0.2.1\n\nhello\n"), NULL, &line));
    rule(&f, STAGE_RCPT, "r");
    assert_error(&f, try_test(&f, "client.ip", "", "@nets", &condition),
                 "list nets, line 3 of its file: hello is no address");
    assert_error(&f, build_list(f.builder, STR("nets"), NULL, 0, NULL),
                 "already there");
    assert_error(&f, build_list(f.builder, STR("a b"), NULL, 0, NULL),
                 "letters, digits");
    fixture_release(&f);
}

/* --- limit --- */

static void wrong_limits_say_what_is_right(void **state)
{
    static const struct {
        enum stage stage;
        const char *key, *value, *want;
    } CASES[] = {
        {STAGE_RCPT, "size", "10M",
         "size is counted at mail, data, message, "
         "not at rcpt"},
        {STAGE_MAIL, "size", "10M/h", "size bounds one message"},
        {STAGE_MAIL, "messages", "10", "messages is a rate"},
        {STAGE_MAIL, "messages", "0/h", "messages is a rate"},
        {STAGE_RCPT, "recipients", "lots", "neither a number nor a rate"},
        {STAGE_RCPT, "recipiens", "1", "did you mean recipients?"},
        {STAGE_RCPT, "new_recipients", "1", "new_recipients is a rate"},
        {STAGE_DATA, "new_recipients", "1/h", "is counted at rcpt"},
        {STAGE_HELO, "networks", "1/h", "auth, mail, rcpt, data, header"},
        {STAGE_MAIL, "networks", "10001/d", "networks is at most 10000"},
        {STAGE_AUTH, "logins", "10001/d", "logins is at most 10000"},
        {STAGE_RCPT, "warn", "80", "such as 80%, not 80"},
        {STAGE_RCPT, "warn", "0%", "such as 80%"},
        {STAGE_RCPT, "warn", "101%", "such as 80%"},
        {STAGE_RCPT, "warn", "%", "such as 80%"},
        {STAGE_RCPT, "burst", "0", "at least 1"},
        {STAGE_RCPT, "count", "all", "attempts or accepted"},
        {STAGE_RCPT, "by", "auth.user", "write {auth.user}"},
        {STAGE_RCPT, "by", "{header.from}", "from header on"},
        {STAGE_RCPT, "recipients", "{auth.user}", "must come from a list"},
        {STAGE_RCPT, "recipients", "{auth.user|map:partners}",
         "no entry of the list partners maps to a value"},
        {STAGE_MAIL, "messages", "{auth.user|map:quota}",
         "messages is a rate: write 500/h, 5/10m or 1G/d, not 20"},
        {STAGE_RCPT, "recipients", "{auth.user|map:quota}",
         "list quota: 20 has no period, and what stands before it has one"},
        {STAGE_CONNECT, "connections", "{client.net|map:atuoq}",
         "list atuoq: 20/h has a period, and what stands before it has none"},
        {STAGE_AUTH, "rejects", "1/h", "rejects is counted at reply"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        list(&f, "partners", "example.org");
        list(&f, "quota", "bob 10/h;ann;eve 20");
        list(&f, "atuoq", "192.0.2.1 10;192.0.2.2 20/h");
        rule(&f, CASES[i].stage, "r");
        assert_error(&f, try_limit(&f, CASES[i].key, CASES[i].value),
                     CASES[i].want);
        fixture_release(&f);
    }
}

static void parts_of_a_limit_must_go_together(void **state)
{
    static const struct {
        enum stage stage;
        const char *key[3], *value[3], *want;
    } CASES[] = {
        {STAGE_MAIL,
         {"size", "by"},
         {"10M", "{auth.user}"},
         "bounds this message alone"},
        {STAGE_RCPT,
         {"recipients", "burst"},
         {"10", "5"},
         "burst needs a period"},
        {STAGE_RCPT, {"burst"}, {"5"}, "the limit has no unit"},
        {STAGE_MAIL,
         {"size", "burst"},
         {"{auth.user|map:sizes}", "5"},
         "burst needs a period"},
        {STAGE_MAIL,
         {"size", "by"},
         {"{auth.user|map:sizes}", "{auth.user}"},
         "bounds this message alone"},
        {STAGE_MAIL, {"size", "warn"}, {"10M", "80%"}, "warn needs a period"},
        {STAGE_RCPT,
         {"recipients", "count"},
         {"10", "attempts"},
         "count needs a period"},
        {STAGE_RCPT,
         {"recipients", "burst"},
         {"{auth.user|map:most}", "5"},
         "burst needs a period: write what the list maps to as rates"},
        {STAGE_RCPT,
         {"recipients", "by"},
         {"{auth.user|map:most}", "{auth.user}"},
         "recipients without a period bounds this message alone"},
        {STAGE_MAIL,
         {"networks", "burst"},
         {"5/d", "2"},
         "networks takes no burst"},
        {STAGE_AUTH,
         {"logins", "burst"},
         {"5/d", "2"},
         "logins takes no burst"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        list(&f, "sizes", "bob 10M");
        list(&f, "most", "bob 10;eve 20");
        rule(&f, CASES[i].stage, "r");
        for (size_t k = 0; k < 3 && CASES[i].key[k] != NULL; k++)
            limit(&f, CASES[i].key[k], CASES[i].value[k]);
        reject(&f, "550 no");
        assert_error(&f, build_rule_end(f.builder), CASES[i].want);
        fixture_release(&f);
    }
}

/* A list is looked at once for a unit, and anew for another. */
static void a_list_serves_limits_of_several_units(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    list(&f, "quota", "bob 10/h;eve 20000/h");
    for (int i = 0; i < 2; i++) {
        rule(&f, STAGE_RCPT, i == 0 ? "one" : "two");
        limit(&f, i == 0 ? "recipients" : "messages", "{auth.user|map:quota}");
        limit(&f, "burst", "5");
        limit(&f, "by", "{auth.user}");
        reject(&f, "550 no");
        end(&f);
    }
    rule(&f, STAGE_RCPT, "three");
    assert_error(&f, try_limit(&f, "networks", "{auth.user|map:quota}"),
                 "list quota: networks is at most 10000");
    fixture_release(&f);
}

static void a_wrong_value_in_a_file_names_its_line(void **state)
{
    struct fixture f;
    size_t line;
    (void)state;
    fixture_init(&f);
    built(&f,
          build_list_file(f.builder, STR("quota"),
                          STR("# who\nbob 10/h\n\neve many\n"), "q", &line));
    rule(&f, STAGE_RCPT, "r");
    assert_error(&f, try_limit(&f, "messages", "{auth.user|map:quota}"),
                 "list quota, line 4 of its file: messages is a rate: write "
                 "500/h, 5/10m or 1G/d, not many");
    fixture_release(&f);
}

/* --- A-labels --- */

static void
domains_beyond_ascii_are_refused_where_they_never_match(void **state)
{
    static const struct {
        enum stage stage;
        const char *fact, *value;
        bool is_refused;
    } CASES[] = {
        {STAGE_MAIL, "mail.from", "*@b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from", "a@b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from", ".b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from", "*.b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from", "@partners", true},
        {STAGE_MAIL, "mail.from.domain", "b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from.domain", "x*.b\xc3\xbc.example", true},
        {STAGE_MAIL, "mail.from.domain", "@partners", true},
        {STAGE_MAIL, "helo.name", "b\xc3\xbc.example", true},
        {STAGE_MAIL, "tls.sni", "@partners", true},
        {STAGE_DATA, "data.domains", "@partners", true},
        {STAGE_HEADER, "header.from", "*@b\xc3\xbc.example", true},
        /* A login that is an address compares as one. */
        {STAGE_MAIL, "auth.user", "*@b\xc3\xbc.example", true},
        {STAGE_MAIL, "auth.user", "a@b\xc3\xbc.example", false},
        /* A pattern is the exact way, and names are in any script. */
        {STAGE_MAIL, "mail.from", "/b\xc3\xbc/", false},
        {STAGE_MAIL, "auth.user", "b\xc3\xbc", false},
        {STAGE_MAIL, "auth.groups", "@partners", false},
        {STAGE_HEADER, "header.from.name", "*B\xc3\xbc*", false},
        {STAGE_HEADER, "header.from.name", "*@b\xc3\xbc*", false},
        {STAGE_HEADER, "header.subject", "b\xc3\xbc", false},
        {STAGE_MAIL, "mail.from.domain", "xn--b-xga.example", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        struct condition *condition = NULL;
        fixture_init(&f);
        list(&f, "partners", ".x.example;.b\xc3\xbc.example");
        rule(&f, CASES[i].stage, "r");
        int rc = try_test(&f, CASES[i].fact, "", CASES[i].value, &condition);
        if ((rc != 0) != CASES[i].is_refused)
            fail_msg("%s %s: %s", CASES[i].fact, CASES[i].value,
                     rc == 0 ? "taken" : build_error(f.builder));
        if (rc != 0)
            assert_error(&f, rc,
                         "b\xc3\xbc.example is not in ASCII, and domains "
                         "compare as A-labels: write xn--");
        fixture_release(&f);
    }
}

static void equality_is_of_domains_in_a_labels_too(void **state)
{
    struct fixture f;
    struct condition *condition;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    assert_error(
        &f,
        try_test(&f, "mail.from.domain", "is", "b\xc3\xbc.example", &condition),
        "write xn--");
    built(&f, try_test(&f, "auth.user", "is", "b\xc3\xbc.x", &condition));
    fixture_release(&f);
}

static void a_rule_limits_one_unit(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_RCPT, "r");
    limit(&f, "recipients", "5");
    assert_error(&f, try_limit(&f, "messages", "5/h"),
                 "limits recipients already");
    fixture_release(&f);
}

static void a_ruleset_tells_what_its_rules_name(void **state)
{
    static const char *const WANT[] = {"auth.user", "tls.sni",   "listener",
                                       "mail.from", "helo.name", "client.net",
                                       "header",    "header"};
    struct fixture f;
    struct condition *parts[2], *both;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "a");
    parts[0] = test(&f, "auth.user", "", "bob");
    parts[1] = test(&f, "tls.sni", "exists", "false");
    built(&f, build_all(f.builder, parts, 2, &both));
    built(&f, build_when(f.builder, both));
    limit(&f, "networks", "3/d");
    limit(&f, "by", "{listener}");
    built(&f, build_rewrite(f.builder, STR("mail.from"),
                            STR("{helo.name}@x.example")));
    built(&f, build_ask(f.builder, STR("grey")));
    end(&f);
    rule(&f, STAGE_HEADER, "b");
    when(&f, "header.From.domain", "", "x.example");
    built(&f, build_tag(f.builder, STR("{header.from} {header.X-Y}")));
    end(&f);
    rule(&f, STAGE_RCPT, "c");
    when(&f, "mail.from.local", "", "bob");
    built(&f, build_ask(f.builder, STR("grey")));
    end(&f);
    finish(&f);
    assert_int_equal(ruleset_fact_count(f.ruleset),
                     sizeof WANT / sizeof WANT[0]);
    for (size_t i = 0; i < sizeof WANT / sizeof WANT[0]; i++)
        assert_string_equal(fact_name(ruleset_fact(f.ruleset, i)->fact),
                            WANT[i]);
    assert_str(ruleset_fact(f.ruleset, 6)->header, "from");
    assert_str(ruleset_fact(f.ruleset, 7)->header, "x-y");
    assert_int_equal(ruleset_ask_count(f.ruleset), 1);
    assert_str(ruleset_ask(f.ruleset, 0), "grey");
    fixture_release(&f);
}

/* --- actions --- */

enum action_word { REJECT, DEFER, CLOSE, ACCEPT, ROUTE, NOTE };

static int build_action(struct fixture *f, enum action_word word,
                        const char *text)
{
    static int (*const BUILD[])(struct ruleset_builder *, struct str) = {
        build_reject, build_defer, build_close,
        build_accept, build_route, build_note,
    };
    return BUILD[word](f->builder, str_from(text));
}

static void wrong_actions_say_what_is_right(void **state)
{
    static const struct {
        enum stage stage;
        enum action_word word;
        const char *text, *want;
    } CASES[] = {
        {STAGE_REPLY, REJECT, "550 no", "every stage but reply"},
        {STAGE_REPLY, ACCEPT, "true", "every stage but reply"},
        {STAGE_MAIL, ACCEPT, "yes", "accept takes true"},
        {STAGE_MAIL, REJECT, "450 no",
         "reject answers 5yz, and 450 is not: "
         "use defer"},
        {STAGE_MAIL, DEFER, "550 no", "use reject"},
        {STAGE_MAIL, DEFER, "421 no", "use close"},
        {STAGE_MAIL, CLOSE, "450 no", "close answers 421"},
        {STAGE_MAIL, REJECT, "535 no", "it may be used at auth, not at mail"},
        {STAGE_MAIL, REJECT, "525 no", "it may be used at auth, not at mail"},
        {STAGE_CONNECT, REJECT, "550 no", "at connect reject answers 554"},
        {STAGE_MAIL, REJECT, "no", "a reply begins with its code"},
        {STAGE_MAIL, REJECT, "599 no", "no reply code"},
        {STAGE_MAIL, REJECT, "550 4.7.1 no", "must be the same"},
        {STAGE_MAIL, REJECT, "550 5.7.1", "needs a text"},
        {STAGE_MAIL, REJECT, "550", "needs a text"},
        {STAGE_MAIL, REJECT, "550 {rcpt.to}", "from rcpt on"},
        {STAGE_MAIL, REJECT, "550 {1}", "needs a pattern in when"},
        {STAGE_MAIL, REJECT, "550 {who}", "neither a fact nor a capture"},
        {STAGE_MAIL, REJECT, "550 {limit.max}", "needs a limit"},
        {STAGE_MAIL, REJECT, "550 {auth.user", "a { has no }"},
        {STAGE_MAIL, REJECT, "550 {}", "{} names nothing"},
        {STAGE_MAIL, REJECT, "550 {auth.user|uper}", "there is no filter"},
        {STAGE_MAIL, REJECT, "550 a\nb", "a single line"},
        {STAGE_DATA, ROUTE, "mta", "connect, helo, auth, mail, rcpt"},
        {STAGE_MAIL, NOTE, "{weather.now}", "there is no fact weather.now"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture f;
        fixture_init(&f);
        rule(&f, CASES[i].stage, "r");
        assert_error(&f, build_action(&f, CASES[i].word, CASES[i].text),
                     CASES[i].want);
        fixture_release(&f);
    }
}

static void captures_are_counted_and_named(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    when(&f, "mail.from", "", "/^(?<who>.+)@(.+)$/");
    built(&f, build_note(f.builder, STR("{1} {2} {who} {0}")));
    assert_error(&f, build_note(f.builder, STR("{3}")),
                 "has more than 2 groups");
    assert_error(&f, build_note(f.builder, STR("{whom}")),
                 "neither a fact nor a capture");
    fixture_release(&f);
}

/* A pattern that must not match captures nothing. */
static void negated_patterns_capture_nothing(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    when(&f, "mail.from", "not_in", "/^(.+)@/");
    assert_error(&f, build_note(f.builder, STR("{1}")),
                 "needs a pattern in when");
    rule(&f, STAGE_MAIL, "s");
    struct condition *negated;
    built(&f, build_not(f.builder, test(&f, "mail.from", "", "/^(?<who>.+)@/"),
                        &negated));
    assert_error(&f, build_note(f.builder, STR("{who}")),
                 "neither a fact nor a capture");
    fixture_release(&f);
}

static void rewrites_headers_and_lists_have_their_places(void **state)
{
    struct fixture f;
    struct ruleset_builder *b;
    (void)state;
    fixture_init(&f);
    b = f.builder;
    built(&f, build_list_dynamic(b, STR("contained"), NULL));
    list(&f, "fixed", "a");
    rule(&f, STAGE_MAIL, "m");
    assert_error(&f, build_rewrite(b, STR("rcpt.to"), STR("a@b.example")),
                 "from rcpt on");
    assert_error(&f, build_rewrite(b, STR("auth.user"), STR("x")),
                 "not auth.user at mail");
    assert_error(&f, build_rewrite(b, STR("mail.from.domain"), STR("x")),
                 "the whole address");
    assert_error(&f, build_headers(b, STR("set"), STR("X Y"), STR("v")),
                 "no name of a header field");
    assert_error(&f, build_headers(b, STR("set"), STR("X-*"), STR("v")),
                 "no name of a header field");
    assert_error(&f, build_headers(b, STR("sett"), STR("X"), STR("v")),
                 "headers has no key");
    built(&f, build_headers(b, STR("remove"), STR("X-*"), STR("")));
    built(&f, build_headers(b, STR("add_missing"), STR("X"), STR("v")));
    assert_error(&f,
                 build_list_add(b, STR("fixed"), STR("{auth.user}"), STR("")),
                 "is not dynamic");
    assert_error(&f, build_list_add(b, STR("contaned"), STR("x"), STR("1h")),
                 "did you mean contained?");
    assert_error(&f, build_list_add(b, STR("contained"), STR("x"), STR("12")),
                 "is no time");
    built(&f, build_rule_end(b));
    rule(&f, STAGE_MESSAGE, "late");
    assert_error(&f, build_headers(b, STR("set"), STR("X"), STR("v")),
                 "mail, rcpt, data, header, not at message");
    fixture_release(&f);
}

static void a_rule_is_named_once_and_does_something(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    assert_error(&f, build_rule_end(f.builder), "the rule does nothing");
    rule(&f, STAGE_MAIL, "s");
    reject(&f, "550 no");
    assert_error(&f, build_defer(f.builder, STR("450 no")), "has one of");
    built(&f, build_rule_end(f.builder));
    assert_error(&f, build_rule_start(f.builder, STAGE_RCPT, STR("s"), NULL),
                 "names are unique");
    built(&f, build_rule_end(f.builder));
    assert_error(&f, build_rule_start(f.builder, STAGE_RCPT, STR(""), NULL),
                 "needs a name");
    fixture_release(&f);
}

static void keys_of_rules_are_known(void **state)
{
    static const struct {
        const char *key, *want;
    } CASES[] = {
        {"rejct", "did you mean reject?"},
        {"mod", "did you mean mode?"},
        {"add_recipients", "did you mean add_recipient?"},
        {"weather", "a rule has no key weather"},
    };
    struct fixture f;
    (void)state;
    fixture_init(&f);
    built(&f, build_rule_key(f.builder, STR("headers")));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        assert_error(&f, build_rule_key(f.builder, str_from(CASES[i].key)),
                     CASES[i].want);
    fixture_release(&f);
}

static void conditions_nest_only_so_deep(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "r");
    struct condition *condition = test(&f, "mail.from", "", "a@b.example");
    int rc = 0;
    for (int i = 0; i < 40 && rc == 0; i++)
        rc = build_not(f.builder, condition, &condition);
    assert_error(&f, rc, "nest at most");
    assert_error(&f, build_any(f.builder, NULL, 0, &condition),
                 "nothing in it");
    fixture_release(&f);
}

/* --- warnings --- */

struct warnings {
    char text[1000];
};

static void on_warning(void *owner, const void *origin, const char *text)
{
    struct warnings *warnings = owner;
    assert_non_null(origin);
    size_t n = strlen(warnings->text);
    snprintf(warnings->text + n, sizeof warnings->text - n, "%s\n", text);
}

static void warnings_tell_of_what_can_never_act(void **state)
{
    struct fixture f;
    struct warnings warnings = {""};
    (void)state;
    fixture_init(&f);
    list(&f, "unused", "a");
    list(&f, "used", "a");
    rule(&f, STAGE_MAIL, "conditional");
    when(&f, "auth.user", "", "@used");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_MAIL, "all");
    built(&f, build_accept(f.builder, STR("true")));
    end(&f);
    rule(&f, STAGE_MAIL, "dead");
    when(&f, "auth.groups", "not_in", "a");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_HEADER, "own");
    when(&f, "header.from", "not_in", "{auth.addresses}");
    reject(&f, "550 no");
    end(&f);
    rule(&f, STAGE_RCPT, "way");
    when(&f, "rcpt.to.domain", "", "a.example");
    built(&f, build_route(f.builder, STR("mta")));
    end(&f);
    build_warnings(f.builder, on_warning, &warnings);
    assert_string_equal(
        warnings.text,
        "no rule uses the list unused\n"
        "rule \"dead\" can never act: \"all\" before it always decides\n"
        "rule \"dead\": not_in holds when any value of auth.groups is outside; "
        "none_in is what asks that no value is in\n"
        "rule \"way\" routes by recipient: a message whose recipients route "
        "apart is taken in several transactions, unless split: first\n");
    finish(&f);
    assert_int_equal(ruleset_route_count(f.ruleset), 1);
    assert_str(ruleset_route(f.ruleset, 0), "mta");
    assert_int_equal(ruleset_count(f.ruleset, STAGE_MAIL), 3);
    fixture_release(&f);
}

static void a_wildcard_in_a_list_for_plain_text_is_warned_of(void **state)
{
    struct fixture f;
    struct warnings warnings = {""};
    (void)state;
    fixture_init(&f);
    list(&f, "words", "*lottery*");
    list(&f, "patterns", "/lot.*/");
    list(&f, "domains", "*.example.org");
    rule(&f, STAGE_HEADER, "spam");
    when(&f, "header.subject", "", "@words");
    when(&f, "header.x-kind", "", "@patterns");
    when(&f, "rcpt.to.domain", "", "@domains");
    reject(&f, "550 no");
    end(&f);
    build_warnings(f.builder, on_warning, &warnings);
    assert_string_equal(
        warnings.text,
        "list words: *lottery* is compared with plain text, where * is no "
        "wildcard: write a pattern, /…/\n");
    finish(&f);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_later_stages_and_unknown_ones_are_refused),
        cmocka_unit_test(wrong_values_of_tests_say_what_is_right),
        cmocka_unit_test(lists_come_from_files_too),
        cmocka_unit_test(errors_in_list_files_name_the_line),
        cmocka_unit_test(wrong_limits_say_what_is_right),
        cmocka_unit_test(parts_of_a_limit_must_go_together),
        cmocka_unit_test(a_list_serves_limits_of_several_units),
        cmocka_unit_test(a_wrong_value_in_a_file_names_its_line),
        cmocka_unit_test(
            domains_beyond_ascii_are_refused_where_they_never_match),
        cmocka_unit_test(equality_is_of_domains_in_a_labels_too),
        cmocka_unit_test(a_rule_limits_one_unit),
        cmocka_unit_test(a_ruleset_tells_what_its_rules_name),
        cmocka_unit_test(wrong_actions_say_what_is_right),
        cmocka_unit_test(captures_are_counted_and_named),
        cmocka_unit_test(negated_patterns_capture_nothing),
        cmocka_unit_test(rewrites_headers_and_lists_have_their_places),
        cmocka_unit_test(a_rule_is_named_once_and_does_something),
        cmocka_unit_test(keys_of_rules_are_known),
        cmocka_unit_test(conditions_nest_only_so_deep),
        cmocka_unit_test(warnings_tell_of_what_can_never_act),
        cmocka_unit_test(a_wildcard_in_a_list_for_plain_text_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
