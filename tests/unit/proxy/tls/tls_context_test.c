#include "proxy/tls/tls_context.h"

#include "tests/support/certificates.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static int make_files(void **state)
{
    struct certificate_folder *folder = malloc(sizeof(*folder));
    certificate_folder_init(folder);
    certificate_make(
        folder, &(struct certificate_wish){.file = "good", .until_days = 30});
    certificate_make(
        folder, &(struct certificate_wish){.file = "other", .until_days = 30});
    certificate_make(
        folder, &(struct certificate_wish){.file = "open", .until_days = 30});
    char *open_key = certificate_path(folder, "open.key");
    chmod(open_key, 0604);
    free(open_key);
    certificate_write(folder, "text", "not a certificate\n");
    certificate_write(folder, "broken",
                      "-----BEGIN CERTIFICATE-----\nAAAA\n"
                      "-----END CERTIFICATE-----\n");
    *state = folder;
    return 0;
}

static int remove_files(void **state)
{
    certificate_folder_release(*state);
    free(*state);
    return 0;
}

static const struct mark CHAIN_MARK = {"a.yaml", 3, 5};
static const struct mark KEY_MARK = {"a.yaml", 4, 7};

static const struct server_case {
    const char *name, *chain, *key;
    bool want_context;
    size_t want_line; /* of the one diagnostic; 0: none */
    const char *want_text;
} SERVER_CASES[] = {
    {.name = "good",
     .chain = "good.pem",
     .key = "good.key",
     .want_context = true},
    {.name = "missing chain",
     .chain = "none.pem",
     .key = "good.key",
     .want_line = 3,
     .want_text = "No such file or directory"},
    {.name = "missing key",
     .chain = "good.pem",
     .key = "none.key",
     .want_line = 4,
     .want_text = "No such file or directory"},
    {.name = "chain is a folder",
     .chain = ".",
     .key = "good.key",
     .want_line = 3,
     .want_text = "is a folder"},
    {.name = "chain is no PEM",
     .chain = "text",
     .key = "good.key",
     .want_line = 3,
     .want_text = "holds no certificate in PEM form"},
    {.name = "chain is broken",
     .chain = "broken",
     .key = "good.key",
     .want_line = 3,
     .want_text = "a certificate in it can't be read"},
    {.name = "key is no PEM",
     .chain = "good.pem",
     .key = "text",
     .want_line = 4,
     .want_text = "holds no private key in PEM form"},
    {.name = "key of another",
     .chain = "good.pem",
     .key = "other.key",
     .want_line = 4,
     .want_text = "does not belong to certificate"},
    {.name = "key that others may read",
     .chain = "open.pem",
     .key = "open.key",
     .want_line = 4,
     .want_text = "others may read it: chmod 600"},
};

static void check_server_case(const struct certificate_folder *folder,
                              const struct server_case *c)
{
    struct diags diags;
    char *chain = certificate_path(folder, c->chain);
    char *key = certificate_path(folder, c->key);
    struct certificate_settings certificate = {.chain = chain,
                                               .key = key,
                                               .chain_mark = CHAIN_MARK,
                                               .key_mark = KEY_MARK};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1,
                                    .has_tickets = true};
    print_message("%s\n", c->name);
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_int_equal(context != NULL, c->want_context);
    assert_int_equal(diags.count, c->want_line == 0 ? 0 : 1);
    if (c->want_line != 0) {
        assert_int_equal(diags.items[0].mark.line, c->want_line);
        assert_non_null(strstr(diags.items[0].text, c->want_text));
    }
    tls_context_free(context);
    diags_release(&diags);
    free(chain);
    free(key);
}

static void each_fault_of_a_certificate_is_one_line_at_its_mark(void **state)
{
    for (size_t i = 0; i < sizeof(SERVER_CASES) / sizeof(SERVER_CASES[0]); i++)
        check_server_case(*state, &SERVER_CASES[i]);
}

static void faults_of_all_certificates_are_told_at_once(void **state)
{
    struct diags diags;
    char *text = certificate_path(*state, "text");
    char *none = certificate_path(*state, "none");
    const struct certificate_settings certificates[] = {
        {.chain = text, .key = none}, {.chain = none, .key = text}};
    struct tls_settings settings = {.certificates = certificates,
                                    .certificate_count = 2};
    diags_init(&diags);
    assert_null(FROM_DISK(tls_context_new_server(&settings, disk, &diags)));
    assert_int_equal(diags.errors, 4);
    diags_release(&diags);
    free(text);
    free(none);
}

static const struct client_case {
    const char *ca;
    bool is_verified;
    const char *want_text; /* NULL: no error */
} CLIENT_CASES[] = {
    {.ca = "good.pem", .is_verified = true},
    {.ca = "none.pem", .is_verified = false},
    {.ca = "none.pem",
     .is_verified = true,
     .want_text = "No such file or directory"},
    {.ca = "text",
     .is_verified = true,
     .want_text = "holds no certificate in PEM form"},
    {.ca = "broken",
     .is_verified = true,
     .want_text = "a certificate in it can't be read"},
};

static void a_bad_ca_file_is_one_line_at_its_mark(void **state)
{
    size_t count = sizeof(CLIENT_CASES) / sizeof(CLIENT_CASES[0]);
    for (size_t i = 0; i < count; i++) {
        const struct client_case *c = &CLIENT_CASES[i];
        struct diags diags;
        char *ca = certificate_path(*state, c->ca);
        struct upstream_settings settings = {
            .ca = ca, .ca_mark = KEY_MARK, .is_verified = c->is_verified};
        diags_init(&diags);
        struct tls_context *context =
            FROM_DISK(tls_context_new_client(&settings, disk, &diags));
        assert_int_equal(context != NULL, c->want_text == NULL);
        assert_int_equal(diags.errors, c->want_text == NULL ? 0 : 1);
        if (c->want_text != NULL) {
            assert_non_null(strstr(diags.items[0].text, c->want_text));
            assert_int_equal(diags.items[0].mark.line, KEY_MARK.line);
        }
        tls_context_free(context);
        diags_release(&diags);
        free(ca);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_certificate_is_one_line_at_its_mark),
        cmocka_unit_test(faults_of_all_certificates_are_told_at_once),
        cmocka_unit_test(a_bad_ca_file_is_one_line_at_its_mark),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
