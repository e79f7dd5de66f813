#include "config/sections.h"

#include "golden.h"

#define INTROSPECT(url)                                                        \
    "auth:\n"                                                                  \
    "  backends:\n"                                                            \
    "    - introspect: {url: \"" url "\", client_id: us,\n"                    \
    "                   client_secret_file: s}\n"
#define NO_URL(url)                                                            \
    "t.yaml:3:25: error: url takes https://HOST/PATH, such as "                \
    "https://id.example.com/oauth2/introspect, not \"" url "\"\n"

static const struct golden faults[] = {
    {.name = "no keys",
     .text = "auth: {backends: [{jwt: {issuer: i, audience: a}}]}\n",
     .want = "t.yaml:1:25: error: jwt lacks the key jwks: file with the "
             "issuer's public keys, a JWK set; read again when it changes\n"},
    {.name = "clocks that are far apart",
     .text = "auth:\n"
             "  backends:\n"
             "    - jwt: {jwks: k, issuer: i, audience: a, skew: 1h}\n",
     .want = "t.yaml:3:52: error: skew must be from 0 to 10m\n"},
    {.name = "clear text",
     .text = INTROSPECT("http://127.0.0.1/introspect"),
     .want = "t.yaml:3:25: error: url: over http:// tokens and the client's "
             "secret would be told to everybody on the way: write https://\n"},
    {.name = "a login in the url",
     .text = INTROSPECT("https://us:secret@id.example.com/"),
     .want = "t.yaml:3:25: error: url holds a login: write client_id and "
             "client_secret_file instead\n"},
    {.name = "another scheme",
     .text = INTROSPECT("ftp://id.example.com/"),
     .want = NO_URL("ftp://id.example.com/")},
    {.name = "no scheme",
     .text = INTROSPECT("id.example.com/introspect"),
     .want = NO_URL("id.example.com/introspect")},
    {.name = "no host",
     .text = INTROSPECT("https://"),
     .want = NO_URL("https://")},
    {.name = "no path before the query",
     .text = INTROSPECT("https://id.example.com?x"),
     .want = NO_URL("https://id.example.com?x")},
    {.name = "a fragment",
     .text = INTROSPECT("https://id.example.com/#x"),
     .want = NO_URL("https://id.example.com/#x")},
    {.name = "a space",
     .text = INTROSPECT("https://id.example.com/a b"),
     .want = NO_URL("https://id.example.com/a b")},
    {.name = "an address without brackets",
     .text = INTROSPECT("https://::1/"),
     .want = NO_URL("https://::1/")},
    {.name = "a port of nothing",
     .text = INTROSPECT("https://id.example.com:/"),
     .want = NO_URL("https://id.example.com:/")},
};

static void each_fault_has_its_place(void **state)
{
    struct golden cases[sizeof faults / sizeof *faults];
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        cases[i] = faults[i];
        cases[i].without = GOLDEN_AUTH;
    }
    golden_check(cases, sizeof cases / sizeof *cases);
}

static const struct settings *load_auth(const char *text)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = golden_load(text, GOLDEN_AUTH, &diags);
    diags_print(&diags, stderr);
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

static void a_url_is_taken_apart(void **state)
{
    static const struct {
        const char *text;
        const char *want_host;
        uint16_t want_port;
        const char *want_authority, *want_target;
    } cases[] = {
        {INTROSPECT("https://id.example.com"), "id.example.com", 443,
         "id.example.com", "/"},
        {INTROSPECT("HTTPS://id.example.com/"), "id.example.com", 443,
         "id.example.com", "/"},
        {INTROSPECT("https://id.example.com:8443/a/b?c=d&e"), "id.example.com",
         8443, "id.example.com:8443", "/a/b?c=d&e"},
        {INTROSPECT("https://[::1]/x"), "::1", 443, "[::1]", "/x"},
        {INTROSPECT("https://[2001:db8::1]:444/x"), "2001:db8::1", 444,
         "[2001:db8::1]:444", "/x"},
        {INTROSPECT("https://192.0.2.1/x:y"), "192.0.2.1", 443, "192.0.2.1",
         "/x:y"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct settings *settings = load_auth(cases[i].text);
        const struct backend_settings *backend = &settings->auth.backends[0];
        assert_int_equal(backend->kind, BACKEND_INTROSPECT);
        assert_string_equal(backend->introspect->host, cases[i].want_host);
        assert_int_equal(backend->introspect->port, cases[i].want_port);
        assert_true(str_equals(backend->introspect->authority,
                               str_from(cases[i].want_authority)));
        assert_true(str_equals(backend->introspect->target,
                               str_from(cases[i].want_target)));
        settings_unref(settings);
    }
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    const struct settings *settings =
        load_auth("auth:\n"
                  "  backends:\n"
                  "    - jwt: {jwks: k, issuer: i, audience: a}\n"
                  "    - introspect: {url: \"https://h/\", client_id: us,\n"
                  "                   client_secret_file: s}\n");
    const struct jwt_settings *jwt = settings->auth.backends[0].jwt;
    const struct introspect_settings *introspect =
        settings->auth.backends[1].introspect;
    assert_int_equal(settings->auth.backends[0].kind, BACKEND_JWT);
    assert_true(str_equals(jwt->token.user_claim, STR("sub")));
    assert_true(str_equals(jwt->token.groups_claim, STR("groups")));
    assert_int_equal(jwt->token.addresses_claim.n, 0);
    assert_int_equal(jwt->token.scope.n, 0);
    assert_int_equal(jwt->token.skew_ms, 60000);
    assert_true(str_equals(introspect->token.user_claim, STR("username")));
    assert_int_equal(introspect->token.audience.n, 0);
    assert_int_equal(introspect->timeout_ms, 5000);
    assert_int_equal(introspect->cache_ms, 60000);
    assert_null(introspect->ca);
    settings_unref(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_place),
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(what_is_not_said_has_its_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
