/* What clear text leaves behind in an engine that expects secrets. */
#include "proxy/tls/tls_engine.h"

#include "proxy/tls/tls_context_internal.h"
#include "tests/support/certificates.h"
#include "tests/support/engine_pair.h"
#include "tests/support/own_memory.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#define TEXT_MAX 20000
#define SECRET_OCTETS 32

static struct tls_context *new_server(void)
{
    struct certificate_folder folder;
    struct diags diags;
    certificate_folder_init(&folder);
    certificate_make(
        &folder, &(struct certificate_wish){
                     .file = "a", .names = "DNS:a.example", .until_days = 30});
    char *chain = certificate_path(&folder, "a.pem");
    char *key = certificate_path(&folder, "a.key");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings settings = {.certificates = &certificate,
                                    .certificate_count = 1};
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_server(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    free(chain);
    free(key);
    certificate_folder_release(&folder);
    return context;
}

static struct tls_context *new_client(uint16_t version)
{
    struct upstream_settings settings = {.is_verified = false};
    struct diags diags;
    diags_init(&diags);
    struct tls_context *context =
        FROM_DISK(tls_context_new_client(&settings, disk, &diags));
    assert_non_null(context);
    diags_release(&diags);
    assert_int_equal(
        SSL_CTX_set_max_proto_version(context->set.contexts[0], version), 1);
    return context;
}

/* Other octets for each case: what one leaves must not be another's. */
static struct str masked_secret(char to[SECRET_OCTETS], size_t number)
{
    for (size_t i = 0; i < SECRET_OCTETS; i++)
        to[i] = (char)(i * 7 + number * 31 + 1);
    return str_span(to, SECRET_OCTETS);
}

struct secret_case {
    const char *name;
    uint16_t version;
    size_t length; /* of the text; the secret is its end */
    size_t step;   /* octets of the network at a time */
    size_t room;   /* for reading; 0: nobody does */
};

static const struct secret_case CASES[] = {
    {"a line", TLS1_3_VERSION, 64, 99999, 4096},
    {"a line of TLS 1.2", TLS1_2_VERSION, 64, 99999, 4096},
    {"octet by octet", TLS1_3_VERSION, 64, 1, 4096},
    {"TLS 1.2, octet by octet", TLS1_2_VERSION, 64, 1, 4096},
    {"nothing but the secret", TLS1_3_VERSION, SECRET_OCTETS, 99999, 4096},
    {"a whole record", TLS1_3_VERSION, 16384, 99999, TEXT_MAX},
    {"two records", TLS1_3_VERSION, TEXT_MAX, 99999, TEXT_MAX},
    {"read in pieces", TLS1_3_VERSION, 4000, 99999, 300},
    {"read octet by octet", TLS1_3_VERSION, 64, 99999, 1},
    {"all octet by octet", TLS1_2_VERSION, 64, 1, 1},
    {"never read", TLS1_3_VERSION, 64, 99999, 0},
    {"never read, long", TLS1_2_VERSION, 9000, 99999, 0},
};

/* To the server and out of it, with no copy of ours left. */
static void pass(const struct engine_pair *pair, const struct secret_case *c,
                 struct str masked)
{
    static char text[TEXT_MAX], heard[TEXT_MAX];
    memset(text, 'x', c->length);
    char *secret = text + c->length - masked.n;
    for (size_t i = 0; i < masked.n; i++)
        secret[i] = (char)(masked.p[i] ^ OWN_MEMORY_MASK);
    assert_int_equal(tls_engine_write(pair->client, str_span(text, c->length)),
                     c->length);
    size_t total = 0, got;
    do {
        engines_carry(pair->client, pair->server, c->step);
        size_t room =
            sizeof heard - total < c->room ? sizeof heard - total : c->room;
        got = tls_engine_read(pair->server, heard + total, room);
        total += got;
    } while (got > 0);
    assert_int_equal(total, c->room == 0 ? 0 : c->length);
    assert_memory_equal(heard, text, total);
    explicit_bzero(text, sizeof text);
    explicit_bzero(heard, sizeof heard);
}

static void what_was_read_is_left_nowhere(void **state)
{
    struct tls_context *server = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char masked[SECRET_OCTETS];
        struct str secret = masked_secret(masked, i);
        struct tls_context *client = new_client(CASES[i].version);
        struct engine_pair pair =
            engine_pair_new(server, client, "a.example", 99999);
        tls_engine_expect_secrets(pair.server, true);
        pass(&pair, &CASES[i], secret);
        if (CASES[i].room == 0)
            engine_pair_free(&pair);
        /* Pieces of it are secrets as well. */
        size_t left = own_memory_count(str_head(secret, SECRET_OCTETS / 2)) +
                      own_memory_count(str_skip(secret, SECRET_OCTETS / 2));
        if (left != 0)
            print_message("%s: %zu pieces are left\n", CASES[i].name, left);
        assert_int_equal(left, 0);
        if (CASES[i].room > 0)
            engine_pair_free(&pair);
        tls_context_free(client);
    }
}

static int make_server(void **state)
{
    *state = new_server();
    return 0;
}

static int free_server(void **state)
{
    tls_context_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_is_left_nowhere),
    };
    return cmocka_run_group_tests(tests, make_server, free_server);
}
