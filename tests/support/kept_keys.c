#include "tests/support/kept_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void kept_keys_init(struct kept_keys *kept, bool is_rsa, bool is_minimum_13)
{
    const struct certificate_wish wish = {.file = "a",
                                          .names = "DNS:a.example",
                                          .until_days = 30,
                                          .is_authority = true,
                                          .is_rsa = is_rsa};
    struct diags diags;
    struct files *files = files_from_disk();
    assert_non_null(files);
    certificate_folder_init(&kept->folder);
    certificate_make(&kept->folder, &wish);
    char *chain = certificate_path(&kept->folder, "a.pem");
    char *key = certificate_path(&kept->folder, "a.key");
    char *missing = certificate_path(&kept->folder, "missing.key");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    const struct tls_settings server = {.certificates = &certificate,
                                        .certificate_count = 1,
                                        .is_minimum_13 = is_minimum_13,
                                        .has_tickets = true};
    const struct upstream_settings client = {.is_verified = true, .ca = chain};
    diags_init(&diags);
    kept->keyed = tls_context_new_server(&server, files, &diags);
    assert_non_null(kept->keyed);
    certificate.key = missing;
    kept->keyless = tls_context_new_keyless(&server, files, &diags);
    kept->client = tls_context_new_client(&client, files, &diags);
    kept->keys = key_set_of(kept->keyed);
    assert_non_null(kept->keyless);
    assert_non_null(kept->client);
    assert_non_null(kept->keys);
    diags_release(&diags);
    files_free(files);
    free(chain);
    free(key);
    free(missing);
}

void kept_keys_release(struct kept_keys *kept)
{
    tls_context_free(kept->keyed);
    tls_context_free(kept->keyless);
    tls_context_free(kept->client);
    key_set_free(kept->keys);
    certificate_folder_release(&kept->folder);
}
