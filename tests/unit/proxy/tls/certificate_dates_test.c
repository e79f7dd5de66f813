#include "proxy/tls/certificate_dates.h"

#include "tests/support/certificates.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/asn1.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define DAY ((int64_t)24 * 60 * 60)

struct told {
    int count;
    size_t line;
    char words[600];
};

static void tell(void *owner, struct mark mark, const char *words)
{
    struct told *told = owner;
    told->count++;
    told->line = mark.line;
    snprintf(told->words, sizeof(told->words), "%s", words);
}

/* The certificate lasts for 30 days. */
static const struct {
    int day; /* counted from its first second */
    int second;
    const char *want; /* NULL: nothing is told */
} CASES[] = {
    {.second = -1, .want = "is not valid yet; clients will refuse it"},
    {.second = 0},
    {.day = -1, .want = "is not valid yet; clients will refuse it"},
    {.day = 1},
    {.day = 16},
    {.day = 16,
     .second = 1,
     .want = "ends in 13 days; clients will refuse it then"},
    {.day = 29, .want = "ends in 1 day; clients will refuse it then"},
    {.day = 29,
     .second = 1,
     .want = "ends within a day; clients will refuse it then"},
    {.day = 30, .want = "ends within a day; clients will refuse it then"},
    {.day = 30, .second = 1, .want = "has expired; clients will refuse it"},
    {.day = 31, .want = "has expired; clients will refuse it"},
    {.day = 4000, .want = "has expired; clients will refuse it"},
};

/* The first second in which the certificate of this file is valid. */
static int64_t beginning(const char *chain)
{
    int days, seconds;
    FILE *file = fopen(chain, "r");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(certificate);
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, epoch,
                                    X509_get0_notBefore(certificate)),
                     1);
    ASN1_TIME_free(epoch);
    X509_free(certificate);
    return days * DAY + seconds;
}

static void what_ends_soon_is_told_with_its_days(void **state)
{
    struct certificate_folder folder;
    struct diags diags;
    (void)state;
    certificate_folder_init(&folder);
    certificate_make(
        &folder, &(struct certificate_wish){
                     .file = "a", .names = "DNS:a.example", .until_days = 30});
    char *chain = certificate_path(&folder, "a.pem");
    char *key = certificate_path(&folder, "a.key");
    struct certificate_settings certificate = {
        .chain = chain, .key = key, .chain_mark = {.line = 7}};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1};
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(context);
    int64_t begins = beginning(chain);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct told told = {0};
        certificate_dates_tell(context, settings.certificates,
                               begins + CASES[i].day * DAY + CASES[i].second,
                               tell, &told);
        print_message("day %d, second %d: %s\n", CASES[i].day, CASES[i].second,
                      told.words);
        assert_int_equal(told.count, CASES[i].want == NULL ? 0 : 1);
        if (CASES[i].want == NULL)
            continue;
        assert_non_null(strstr(told.words, CASES[i].want));
        assert_non_null(strstr(told.words, chain));
        assert_int_equal(told.line, 7);
    }
    tls_context_free(context);
    diags_release(&diags);
    free(chain);
    free(key);
    certificate_folder_release(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ends_soon_is_told_with_its_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
