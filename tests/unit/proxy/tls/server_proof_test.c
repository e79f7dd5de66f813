#include "proxy/tls/tls_engine.h"

#include "tests/support/certificates.h"
#include "tests/support/engine_pair.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/digest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define OTHER_PIN                                                              \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct certificate_wish WISHES[] = {
    {.file = "authority", .until_days = 30, .is_authority = true},
    {.file = "a",
     .names = "DNS:a.example",
     .until_days = 30,
     .issuer = "authority"},
    {.file = "expired",
     .names = "DNS:other.example",
     .from_days = -9,
     .until_days = -1},
    {.file = "odd", .names = "DNS:\"\\x1b[1m", .until_days = 30},
    {.file = "us",
     .names = "DNS:postern.example,email:us@postern.example",
     .until_days = 30},
};

static int make_certificates(void **state)
{
    struct certificate_folder *folder = malloc(sizeof *folder);
    certificate_folder_init(folder);
    for (size_t i = 0; i < sizeof WISHES / sizeof *WISHES; i++)
        certificate_make(folder, &WISHES[i]);
    *state = folder;
    return 0;
}

static int remove_certificates(void **state)
{
    certificate_folder_release(*state);
    free(*state);
    return 0;
}

static char *path_of(const struct certificate_folder *folder, const char *stem,
                     const char *suffix)
{
    char name[32];
    snprintf(name, sizeof name, "%s%s", stem, suffix);
    return certificate_path(folder, name);
}

/* As `openssl x509 -fingerprint -sha256` counts it. */
static struct str fingerprint_of(const struct certificate_folder *folder,
                                 const char *stem, char digits[65])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char *path = path_of(folder, stem, ".pem");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    assert_int_equal(X509_digest(certificate, EVP_sha256(), digest, &n), 1);
    for (unsigned i = 0; i < n; i++)
        snprintf(digits + 2 * i, 3, "%02x", digest[i]);
    X509_free(certificate);
    fclose(file);
    free(path);
    return str_span(digits, 64);
}

static struct tls_context *new_server(const struct certificate_folder *folder,
                                      const char *stem, const char *client_ca)
{
    char *chain = path_of(folder, stem, ".pem");
    char *key = path_of(folder, stem, ".key");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(context);
    if (client_ca != NULL) {
        char *ca_path = path_of(folder, client_ca, ".pem");
        struct client_ca_settings ca = {.path = ca_path};
        struct tls_context *asking = FROM_DISK(
            tls_context_asking_clients(context, &settings, &ca, disk, &diags));
        assert_non_null(asking);
        tls_context_free(context);
        context = asking;
        free(ca_path);
    }
    diags_release(&diags);
    free(chain);
    free(key);
    return context;
}

static struct tls_context *new_client(const struct upstream_settings *settings)
{
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_client(settings, disk, &diags));
    diags_print(&diags, stderr);
    assert_non_null(context);
    diags_release(&diags);
    return context;
}

/* What the client says of it; "" when it is content. */
static void meet(const struct certificate_folder *folder, const char *server,
                 const struct upstream_settings *settings, const char *name,
                 char words[256])
{
    struct tls_context *there = new_server(folder, server, NULL);
    struct tls_context *here = new_client(settings);
    struct engine_pair pair = engine_pair_new(there, here, name, 9999);
    enum tls_state state = tls_engine_advance(pair.client);
    snprintf(words, 256, "%s", tls_engine_error(pair.client));
    assert_int_equal(state, words[0] == '\0' ? TLS_OPEN : TLS_FAILED);
    print_message("%s: %s\n", server, words);
    engine_pair_free(&pair);
    tls_context_free(there);
    tls_context_free(here);
}

static void a_pinned_certificate_is_trusted_whatever_it_says(void **state)
{
    char digits[65];
    char words[256];
    struct str pins[] = {STR_INIT(OTHER_PIN),
                         fingerprint_of(*state, "expired", digits)};
    struct upstream_settings settings = {
        .is_verified = true, .fingerprints = pins, .fingerprint_count = 2};
    meet(*state, "expired", &settings, "a.example", words);
    assert_string_equal(words, "");
}

static void
another_certificate_is_refused_and_its_fingerprint_told(void **state)
{
    char digits[65];
    char words[256];
    char want[256];
    struct str pins[] = {STR_INIT(OTHER_PIN)};
    struct upstream_settings settings = {
        .is_verified = true, .fingerprints = pins, .fingerprint_count = 1};
    fingerprint_of(*state, "a", digits);
    meet(*state, "a", &settings, "a.example", words);
    snprintf(want, sizeof want,
             "certificate verify failed: its fingerprint is %s, not one of "
             "tls.fingerprint: add it there if the server was given a new "
             "certificate",
             digits);
    assert_string_equal(words, want);
}

static const struct words_case {
    const char *server, *name, *want; /* %s: the fingerprint */
} WORDS_CASES[] = {
    {"a", "a.example", NULL},
    {"a", "b.example",
     "certificate verify failed: Hostname mismatch (it is for a.example); its "
     "fingerprint is %s: set tls.name, or trust it alone by tls.fingerprint"},
    {"odd", "b.example",
     "certificate verify failed: self signed certificate; its fingerprint is "
     "%s: check tls.ca, or trust it alone by tls.fingerprint"},
};

static void what_is_wrong_is_told_with_what_may_be_done(void **state)
{
    char *ca = path_of(*state, "authority", ".pem");
    struct upstream_settings settings = {.is_verified = true, .ca = ca};
    for (size_t i = 0; i < sizeof WORDS_CASES / sizeof *WORDS_CASES; i++) {
        const struct words_case *c = &WORDS_CASES[i];
        char digits[65];
        char words[256];
        fingerprint_of(*state, c->server, digits);
        meet(*state, c->server, &settings, c->name, words);
        if (c->want == NULL) {
            assert_string_equal(words, "");
            continue;
        }
        const char *behind = strstr(c->want, "%s");
        size_t before = (size_t)(behind - c->want);
        assert_memory_equal(words, c->want, before);
        assert_memory_equal(words + before, digits, 64);
        assert_string_equal(words + before + 64, behind + 2);
    }
    free(ca);
}

static void names_of_a_stranger_are_shown_without_surprises(void **state)
{
    char words[256];
    char *ca = path_of(*state, "odd", ".pem");
    struct upstream_settings settings = {.is_verified = true, .ca = ca};
    meet(*state, "odd", &settings, "b.example", words);
    assert_non_null(strstr(words, "(it is for "));
    assert_null(strchr(words, '\x1b'));
    free(ca);
}

static void the_server_sees_the_certificate_that_is_to_be_shown(void **state)
{
    char digits[65];
    char *ca = path_of(*state, "authority", ".pem");
    char *chain = path_of(*state, "us", ".pem");
    char *key = path_of(*state, "us", ".key");
    struct upstream_settings settings = {
        .is_verified = true,
        .ca = ca,
        .certificate = {.chain = chain, .key = key},
    };
    struct tls_context *there = new_server(*state, "a", "us");
    struct tls_context *here = new_client(&settings);
    struct engine_pair pair = engine_pair_new(there, here, "a.example", 9999);
    struct client_certificate shown;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    assert_int_equal(tls_engine_advance(pair.server), TLS_OPEN);
    assert_int_equal(tls_engine_client(pair.server, &arena, &shown), 0);
    assert_true(
        str_equals(shown.fingerprint, fingerprint_of(*state, "us", digits)));
    assert_true(str_equals(shown.dns, STR("postern.example")));
    assert_true(str_equals(shown.rfc822, STR("us@postern.example")));
    assert_int_equal(shown.name_count, 2);
    arena_release(&arena);
    engine_pair_free(&pair);
    tls_context_free(there);
    tls_context_free(here);
    free(ca);
    free(chain);
    free(key);
}

/* RFC 9266: what both ends bind to is the same, and each connection's own. */
static void both_ends_see_the_same_channel(void **state)
{
    uint8_t seen[2][2][TLS_BINDING_OCTETS];
    char *ca = path_of(*state, "authority", ".pem");
    struct upstream_settings settings = {.is_verified = true, .ca = ca};
    struct tls_context *there = new_server(*state, "a", NULL);
    struct tls_context *here = new_client(&settings);
    for (size_t i = 0; i < 2; i++) {
        struct engine_pair pair =
            engine_pair_new(there, here, "a.example", 9999);
        assert_int_equal(tls_engine_advance(pair.server), TLS_OPEN);
        assert_int_equal(tls_engine_binding(pair.server, seen[i][0]), 0);
        assert_int_equal(tls_engine_binding(pair.client, seen[i][1]), 0);
        assert_memory_equal(seen[i][0], seen[i][1], TLS_BINDING_OCTETS);
        engine_pair_free(&pair);
    }
    assert_memory_not_equal(seen[0][0], seen[1][0], TLS_BINDING_OCTETS);
    tls_context_free(there);
    tls_context_free(here);
    free(ca);
}

static void a_certificate_to_show_is_checked_with_its_key(void **state)
{
    static const struct {
        const char *chain, *key, *want;
    } cases[] = {
        {"us", "a", "does not belong to certificate"},
        {"none", "us", "No such file or directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *chain = path_of(*state, cases[i].chain, ".pem");
        char *key = path_of(*state, cases[i].key, ".key");
        struct upstream_settings settings = {
            .certificate = {.chain = chain, .key = key},
        };
        struct diags diags;
        diags_init(&diags);
        assert_null(FROM_DISK(tls_context_new_client(&settings, disk, &diags)));
        assert_int_equal(diags.errors, 1);
        assert_non_null(strstr(diags.items[0].text, cases[i].want));
        diags_release(&diags);
        free(chain);
        free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pinned_certificate_is_trusted_whatever_it_says),
        cmocka_unit_test(
            another_certificate_is_refused_and_its_fingerprint_told),
        cmocka_unit_test(what_is_wrong_is_told_with_what_may_be_done),
        cmocka_unit_test(names_of_a_stranger_are_shown_without_surprises),
        cmocka_unit_test(both_ends_see_the_same_channel),
        cmocka_unit_test(the_server_sees_the_certificate_that_is_to_be_shown),
        cmocka_unit_test(a_certificate_to_show_is_checked_with_its_key),
    };
    return cmocka_run_group_tests(tests, make_certificates,
                                  remove_certificates);
}
