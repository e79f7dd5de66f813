/* Contexts of listeners with and without their keys, and the keys. */
#ifndef TESTS_SUPPORT_KEPT_KEYS_H
#define TESTS_SUPPORT_KEPT_KEYS_H

#include "proxy/tls/key_set.h"
#include "proxy/tls/tls_context.h"
#include "tests/support/certificates.h"

struct kept_keys {
    struct certificate_folder folder;
    struct tls_context *keyed, *keyless;
    struct tls_context *client; /* trusts the certificate */
    struct key_set *keys;
};

/* One certificate for a.example. Trouble fails the test. */
void kept_keys_init(struct kept_keys *kept, bool is_rsa, bool is_minimum_13);
/* The keys may have been taken; then they are NULL. */
void kept_keys_release(struct kept_keys *kept);

#endif
