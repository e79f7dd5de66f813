/* A BIO that copies from the input queue and into the output queue stands
 * where BoringSSL expects the socket. BoringSSL gives up its own record
 * buffers whenever they are empty. */
#include "proxy/tls/tls_engine.h"

#include "proxy/tls/octet_queue.h"
#include "proxy/tls/record_memory.h"
#include "proxy/tls/remote_key.h"
#include "proxy/tls/tls_context_internal.h"
#include "proxy/tls/tls_error.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Above TLS_ENGINE_OUTPUT_HIGH there must be room for a record, answers to
 * key updates and alerts; a long certificate chain leaves in pieces. */
#define OUTPUT_MAX (128 * 1024)
#define RECORD_MAX (16 * 1024) /* RFC 8446 5.1 */
#define ERROR_MAX 256

struct tls_engine {
    SSL *ssl;
    enum tls_state state;
    struct octet_queue input;  /* from the network */
    struct str lent;           /* behind that; the caller's memory */
    struct octet_queue output; /* to the network */
    bool is_dry;               /* nothing to do until something comes or goes */
    SSL_SESSION *session;      /* client: the newest to offer next */
    char policy[TLS_POLICY_OCTETS]; /* client: it was begun under */
    bool expects_secrets;
    struct record_memory record;
    struct remote_key *key; /* what is asked of it; NULL: nothing */
    char *error;            /* owned; NULL: none, or no memory for it */
};

static void drop_network(struct tls_engine *engine, size_t octets)
{
    if (engine->input.size > 0)
        octet_queue_drop(&engine->input, octets);
    else
        engine->lent = str_skip(engine->lent, octets);
}

int tls_engine_bio_read(BIO *bio, char *to, int room)
{
    struct tls_engine *engine = BIO_get_data(bio);
    struct str held = engine->input.size > 0 ? octet_queue_view(&engine->input)
                                             : engine->lent;
    BIO_clear_retry_flags(bio);
    if (room <= 0)
        return 0;
    if (held.n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    held = str_head(held, (size_t)room);
    memcpy(to, held.p, held.n);
    record_memory_note(&engine->record, to, (size_t)room, held.n);
    drop_network(engine, held.n);
    return (int)held.n;
}

int tls_engine_bio_write(BIO *bio, const char *octets, int count)
{
    struct tls_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (count <= 0)
        return 0;
    size_t room = octet_queue_room(&engine->output);
    struct str taken = str_head(str_span(octets, (size_t)count), room);
    if (taken.n == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    if (octet_queue_add(&engine->output, taken) != 0)
        return -1;
    return (int)taken.n;
}

long tls_engine_bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static void fail_for(struct tls_engine *engine, const char *words)
{
    engine->state = TLS_FAILED;
    free(engine->error);
    engine->error = strdup(words);
}

static void fail(struct tls_engine *engine)
{
    char words[ERROR_MAX];
    tls_error_words(engine->ssl, words, sizeof words);
    const char *of_key = remote_key_words(engine->key);
    fail_for(engine, of_key == NULL ? words : of_key);
}

static bool is_address(const char *name)
{
    return strchr(name, ':') != NULL ||
           strspn(name, "0123456789.") == strlen(name);
}

/* RFC 6066 3: an address is never sent as a server name. */
static int expect_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(wanted, name) == 1 ? 0 : -1;
    X509_VERIFY_PARAM_set_hostflags(wanted,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(wanted, name, strlen(name)) == 1 &&
                   SSL_set_tlsext_host_name(ssl, name) == 1
               ? 0
               : -1;
}

static void set_side(struct tls_engine *engine,
                     const struct tls_context *context, const char *name)
{
    if (context->is_server) {
        SSL_set_accept_state(engine->ssl);
        return;
    }
    /* Without a name any certificate of the CA would do. */
    assert(name != NULL || !context->is_verified);
    SSL_set_connect_state(engine->ssl);
    if (name != NULL && expect_name(engine->ssl, name) != 0) {
        char words[ERROR_MAX];
        ERR_clear_error();
        snprintf(words, sizeof words, "%s can't be the name of a TLS server",
                 name);
        fail_for(engine, words);
    }
}

struct tls_engine *tls_engine_new(struct tls_context *context, const char *name)
{
    struct tls_engine *engine = calloc(1, sizeof(*engine));
    if (engine == NULL)
        return NULL;
    octet_queue_init(&engine->input, TLS_ENGINE_INPUT_MAX);
    octet_queue_init(&engine->output, OUTPUT_MAX);
    /* What is encrypted is no secret. */
    octet_queue_expect_secrets(&engine->input, false);
    octet_queue_expect_secrets(&engine->output, false);
    engine->ssl = tls_context_begin(context, engine->policy);
    BIO *bio = BIO_new(context->buffers);
    if (engine->ssl == NULL || bio == NULL ||
        SSL_set_app_data(engine->ssl, context) != 1) {
        BIO_free(bio);
        tls_engine_free(engine);
        return NULL;
    }
    BIO_set_data(bio, engine);
    BIO_set_init(bio, 1);
    SSL_set_bio(engine->ssl, bio, bio);
    /* What only the handshake needs goes after it: idle sessions are many. */
    SSL_set_shed_handshake_config(engine->ssl, 1);
    set_side(engine, context, name);
    return engine;
}

void tls_engine_share(struct tls_engine *engine, struct spare_blocks *spare)
{
    octet_queue_share(&engine->input, spare);
    octet_queue_share(&engine->output, spare);
}

/* Whoever it was made with was held against the same CAs. */
static bool is_of_policy(const struct tls_engine *engine,
                         const SSL_SESSION *session)
{
    unsigned n;
    const uint8_t *name = SSL_SESSION_get0_id_context(session, &n);
    return n == sizeof engine->policy &&
           memcmp(name, engine->policy, sizeof engine->policy) == 0;
}

void tls_engine_offer(struct tls_engine *engine, SSL_SESSION *session)
{
    if (session == NULL)
        return;
    if (engine->state == TLS_HANDSHAKING && is_of_policy(engine, session))
        SSL_set_session(engine->ssl, session);
    SSL_SESSION_free(session);
}

int tls_engine_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_engine *engine = BIO_get_data(SSL_get_rbio(ssl));
    tls_session_free(engine->session);
    engine->session = session;
    return 1;
}

SSL_SESSION *tls_engine_session(struct tls_engine *engine)
{
    SSL_SESSION *session = engine->session;
    engine->session = NULL;
    return session;
}

bool tls_engine_is_resumed(const struct tls_engine *engine)
{
    return engine->state == TLS_OPEN && SSL_session_reused(engine->ssl) == 1;
}

/* A session of TLS 1.2 serves again: the server gives no new one with it. */
static void keep_reused(struct tls_engine *engine)
{
    SSL_SESSION *session = SSL_get_session(engine->ssl);
    if (engine->session == NULL && SSL_session_reused(engine->ssl) == 1 &&
        !SSL_is_server(engine->ssl) && session != NULL &&
        SSL_SESSION_should_be_single_use(session) == 0 &&
        SSL_SESSION_up_ref(session) == 1)
        engine->session = session;
}

static void forget_key(struct tls_engine *engine)
{
    remote_key_free(engine->key);
    engine->key = NULL;
}

static void advance_handshake(struct tls_engine *engine)
{
    int result = SSL_do_handshake(engine->ssl);
    if (result == 1) {
        engine->state = TLS_OPEN;
        keep_reused(engine);
        forget_key(engine);
        return;
    }
    int error = SSL_get_error(engine->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE &&
        error != SSL_ERROR_WANT_PRIVATE_KEY_OPERATION)
        fail(engine);
    engine->is_dry = true;
}

struct remote_key **tls_engine_remote_key(const SSL *ssl)
{
    struct tls_engine *engine = BIO_get_data(SSL_get_rbio(ssl));
    return &engine->key;
}

bool tls_engine_asks(struct tls_engine *engine, struct key_question *question)
{
    return engine->state == TLS_HANDSHAKING &&
           remote_key_asks(engine->key, question);
}

void tls_engine_answer(struct tls_engine *engine, struct str signature,
                       const char *words)
{
    remote_key_answer(engine->key, signature, words);
    engine->is_dry = false;
}

/* Brings the first octet of clear text within reach. What stands before it
 * (tickets, key updates, close_notify) is dealt with on the way. */
static void advance_open(struct tls_engine *engine)
{
    char first;
    if (SSL_pending(engine->ssl) > 0)
        return;
    int result = SSL_peek(engine->ssl, &first, 1);
    if (result > 0)
        return;
    int error = SSL_get_error(engine->ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN)
        engine->state = TLS_PEER_CLOSED;
    else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        fail(engine);
    engine->is_dry = true;
}

enum tls_state tls_engine_advance(struct tls_engine *engine)
{
    if (engine->state == TLS_HANDSHAKING && !engine->is_dry)
        advance_handshake(engine);
    if (engine->state == TLS_OPEN && !engine->is_dry)
        advance_open(engine);
    return engine->state;
}

void tls_engine_lend(struct tls_engine *engine, struct str octets)
{
    assert(engine->lent.n == 0);
    engine->lent = octets;
    engine->is_dry = engine->is_dry && octets.n == 0;
}

int tls_engine_keep(struct tls_engine *engine)
{
    struct str left = engine->lent;
    engine->lent = STR("");
    return octet_queue_add(&engine->input, left);
}

size_t tls_engine_feed(struct tls_engine *engine, struct str octets)
{
    octets = str_head(octets, tls_engine_room(engine));
    tls_engine_lend(engine, octets);
    return tls_engine_keep(engine) == 0 ? octets.n : 0;
}

size_t tls_engine_unread(const struct tls_engine *engine)
{
    return engine->input.size + engine->lent.n;
}

size_t tls_engine_room(const struct tls_engine *engine)
{
    return octet_queue_room(&engine->input);
}

struct str tls_engine_output(const struct tls_engine *engine)
{
    return octet_queue_view(&engine->output);
}

void tls_engine_sent(struct tls_engine *engine, size_t octets)
{
    octet_queue_drop(&engine->output, octets);
    /* A handshake may have stopped for want of room. */
    engine->is_dry = engine->is_dry && octets == 0;
}

/* With the last that is left the record's memory goes: it is looked at first,
 * then wiped there, and only then read. */
static int read_last(struct tls_engine *engine, char *to, size_t octets)
{
    char wiped[1024];
    int got = SSL_peek(engine->ssl, to, (int)octets);
    if (got <= 0)
        return got;
    record_memory_wipe(&engine->record, str_span(to, (size_t)got));
    for (size_t left = (size_t)got; left > 0;) {
        size_t n = left < sizeof wiped ? left : sizeof wiped;
        int gone = SSL_read(engine->ssl, wiped, (int)n);
        assert(gone > 0);
        left -= (size_t)gone;
    }
    OPENSSL_cleanse(wiped, sizeof wiped);
    return got;
}

/* Of one record, of which something is left. */
static int read_record(struct tls_engine *engine, char *to, size_t room)
{
    size_t left = tls_engine_pending(engine);
    if (left > room)
        return SSL_read(engine->ssl, to, (int)room);
    return engine->expects_secrets ? read_last(engine, to, left)
                                   : SSL_read(engine->ssl, to, (int)left);
}

/* What was decrypted and nobody wants any more. */
static void wipe_unread(struct tls_engine *engine)
{
    char unread[1024];
    while (engine->expects_secrets && tls_engine_pending(engine) > 0 &&
           read_record(engine, unread, sizeof unread) > 0)
        continue;
    OPENSSL_cleanse(unread, sizeof unread);
}

void tls_engine_free(struct tls_engine *engine)
{
    if (engine == NULL)
        return;
    if (engine->ssl != NULL)
        wipe_unread(engine);
    SSL_free(engine->ssl);
    remote_key_free(engine->key);
    tls_session_free(engine->session);
    octet_queue_release(&engine->input);
    octet_queue_release(&engine->output);
    free(engine->error);
    free(engine);
}

size_t tls_engine_read(struct tls_engine *engine, char *to, size_t room)
{
    size_t total = 0;
    while (total < room && tls_engine_advance(engine) == TLS_OPEN) {
        if (tls_engine_pending(engine) == 0)
            break;
        int got = read_record(engine, to + total, room - total);
        if (got <= 0)
            break;
        total += (size_t)got;
        /* BoringSSL never reads beyond the record that it needs. */
        engine->is_dry =
            tls_engine_pending(engine) == 0 && tls_engine_unread(engine) == 0;
    }
    return total;
}

size_t tls_engine_pending(const struct tls_engine *engine)
{
    return engine->state == TLS_OPEN ? (size_t)SSL_pending(engine->ssl) : 0;
}

void tls_engine_expect_secrets(struct tls_engine *engine, bool are_expected)
{
    engine->expects_secrets = are_expected;
}

static bool can_write(const struct tls_engine *engine)
{
    return (engine->state == TLS_OPEN || engine->state == TLS_PEER_CLOSED) &&
           octet_queue_view(&engine->output).n < TLS_ENGINE_OUTPUT_HIGH;
}

size_t tls_engine_write(struct tls_engine *engine, struct str octets)
{
    size_t total = 0;
    while (total < octets.n && can_write(engine)) {
        struct str record = str_head(str_skip(octets, total), RECORD_MAX);
        int taken = SSL_write(engine->ssl, record.p, (int)record.n);
        if (taken <= 0) {
            fail(engine);
            break;
        }
        total += (size_t)taken;
    }
    return total;
}

void tls_engine_close(struct tls_engine *engine)
{
    if (engine->state != TLS_OPEN && engine->state != TLS_PEER_CLOSED)
        return;
    if ((SSL_get_shutdown(engine->ssl) & SSL_SENT_SHUTDOWN) == 0)
        SSL_shutdown(engine->ssl);
    ERR_clear_error();
}

const char *tls_engine_error(const struct tls_engine *engine)
{
    return engine->error == NULL ? "" : engine->error;
}

const char *tls_engine_version(const struct tls_engine *engine)
{
    if (SSL_in_init(engine->ssl))
        return "";
    return SSL_version(engine->ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
}

const char *tls_engine_cipher(const struct tls_engine *engine)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(engine->ssl);
    return cipher == NULL || SSL_in_init(engine->ssl)
               ? ""
               : SSL_CIPHER_standard_name(cipher);
}

const char *tls_engine_sni(const struct tls_engine *engine)
{
    const char *name =
        SSL_get_servername(engine->ssl, TLSEXT_NAMETYPE_host_name);
    return name == NULL ? "" : name;
}

int tls_engine_binding(const struct tls_engine *engine,
                       uint8_t out[TLS_BINDING_OCTETS])
{
    static const char label[] = "EXPORTER-Channel-Binding";
    if (SSL_in_init(engine->ssl) || SSL_version(engine->ssl) != TLS1_3_VERSION)
        return -1;
    int is_made = SSL_export_keying_material(
        engine->ssl, out, TLS_BINDING_OCTETS, label, strlen(label), NULL, 0, 1);
    ERR_clear_error();
    return is_made == 1 ? 0 : -1;
}

int tls_engine_client(const struct tls_engine *engine, struct arena *arena,
                      struct client_certificate *out)
{
    return client_certificate_read(engine->ssl, arena, out);
}
