#include "proxy/sasl/scram_server.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/scram_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 7677 3. */
#define CLIENT_NONCE "rOprNGfwEbeRWgbNEkqO"
#define OUR_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define NONCE CLIENT_NONCE OUR_NONCE
#define FIRST "n,,n=user,r=" CLIENT_NONCE
#define OUR_FIRST "r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define PROOF "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define FINAL "c=biws,r=" NONCE ",p=" PROOF
#define OUR_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
#define KEYS                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"                             \
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"                            \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

#define BINDING "0123456789abcdef0123456789abcdef"

struct server {
    struct scram_server scram;
    struct scram_verifier verifier;
    char reply[SCRAM_SERVER_REPLY];
    struct str final;
};

static void open_server(struct server *s, bool is_plus, bool offers_plus)
{
    memset(s, 0, sizeof *s);
    assert_null(scram_verifier_read(STR(KEYS), &s->verifier));
    memcpy(s->scram.server_nonce, OUR_NONCE, sizeof OUR_NONCE);
    scram_server_init(&s->scram, is_plus, offers_plus, STR(BINDING));
}

static enum scram_server_result finish(struct server *s, const char *final)
{
    return scram_server_final(&s->scram, str_from(final), s->reply, &s->final);
}

static void the_messages_are_those_of_the_standard(void **state)
{
    struct server s;
    (void)state;
    open_server(&s, false, false);
    assert_int_equal(scram_server_first(&s.scram, STR(FIRST)),
                     SCRAM_SERVER_TAKEN);
    assert_string_equal(s.scram.name, "user");
    assert_int_equal(s.scram.authzid_length, 0);
    assert_true(
        str_equals(scram_server_challenge(&s.scram, &s.verifier, s.reply),
                   STR(OUR_FIRST)));
    assert_int_equal(finish(&s, FINAL), SCRAM_SERVER_TAKEN);
    assert_true(str_equals(s.final, STR(OUR_FINAL)));
    /* Nothing may follow; and no key stays. */
    assert_int_equal(finish(&s, FINAL), SCRAM_SERVER_MALFORMED);
    for (size_t i = 0; i < SCRAM_KEY_OCTETS; i++)
        assert_int_equal(s.scram.verifier.stored_key[i], 0);
}

struct first_case {
    const char *message;
    bool is_plus, offers_plus;
    enum scram_server_result want;
    const char *want_name, *want_authzid;
};

static const struct first_case firsts[] = {
    {FIRST, false, false, SCRAM_SERVER_TAKEN, "user", ""},
    {FIRST, false, true, SCRAM_SERVER_TAKEN, "user", ""},
    {"y,,n=user,r=abc", false, false, SCRAM_SERVER_TAKEN, "user", ""},
    {"n,a=bob,n=user,r=abc", false, false, SCRAM_SERVER_TAKEN, "user", "bob"},
    {"n,a=b=2Cb=3D,n==3Du=2C,r=abc", false, false, SCRAM_SERVER_TAKEN, "=u,",
     "b,b="},
    {"n,,n=user,r=abc,x=y,z=1=2", false, false, SCRAM_SERVER_TAKEN, "user", ""},
    {"p=tls-exporter,,n=user,r=abc", true, true, SCRAM_SERVER_TAKEN, "user",
     ""},
    {"n,,n=\xc3\xa9,r=abc", false, false, SCRAM_SERVER_TAKEN, "\xc3\xa9", ""},
    /* Bound otherwise than agreed. */
    {"y,,n=user,r=abc", false, true, SCRAM_SERVER_REFUSED, NULL, NULL},
    {"y,,n=user,r=abc", true, true, SCRAM_SERVER_REFUSED, NULL, NULL},
    {"n,,n=user,r=abc", true, true, SCRAM_SERVER_REFUSED, NULL, NULL},
    {"p=tls-exporter,,n=user,r=abc", false, true, SCRAM_SERVER_REFUSED, NULL,
     NULL},
    {"p=tls-unique,,n=user,r=abc", true, true, SCRAM_SERVER_REFUSED, NULL,
     NULL},
    {"p=tls-exporte,,n=user,r=abc", true, true, SCRAM_SERVER_REFUSED, NULL,
     NULL},
    /* No messages. */
    {"", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"N,,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"x,,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"nn,,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"p,,n=user,r=abc", true, true, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"p=,,n=user,r=abc", true, true, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"p=a b,,n=user,r=abc", true, true, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"F,n,,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,a=,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,b=x,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,a=x=,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=u=,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=u=2c,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=u=3d,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=u=3,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=u=41,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=a b", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=a\xc3\xa9", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=abc,", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=abc,,x=y", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=abc,x=", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=abc,xy", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,r=abc,n=user", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,m=x,n=user,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=user,r=abc,m=x", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
    {"n,,n=\xff,r=abc", false, false, SCRAM_SERVER_MALFORMED, NULL, NULL},
};

static void first_messages_are_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        const struct first_case *c = &firsts[i];
        struct server s;
        print_message("  %s\n", c->message);
        open_server(&s, c->is_plus, c->offers_plus);
        assert_int_equal(scram_server_first(&s.scram, str_from(c->message)),
                         c->want);
        if (c->want_name != NULL) {
            assert_string_equal(s.scram.name, c->want_name);
            assert_string_equal(s.scram.authzid, c->want_authzid);
        } else {
            assert_int_equal(s.scram.step, SCRAM_SERVER_FAILED);
            assert_int_equal(scram_server_first(&s.scram, STR(FIRST)),
                             SCRAM_SERVER_MALFORMED);
        }
    }
}

static void a_nul_and_what_is_too_long_are_refused(void **state)
{
    static const struct {
        size_t name, nonce;
        enum scram_server_result want;
    } cases[] = {
        {SCRAM_SERVER_NAME_MAX, 1, SCRAM_SERVER_TAKEN},
        {SCRAM_SERVER_NAME_MAX + 1, 1, SCRAM_SERVER_MALFORMED},
        {1, SCRAM_NONCE_MAX - SCRAM_NONCE_ROOM, SCRAM_SERVER_TAKEN},
        {1, SCRAM_NONCE_MAX - SCRAM_NONCE_ROOM + 1, SCRAM_SERVER_MALFORMED},
        {1, SCRAM_SERVER_FIRST_MAX, SCRAM_SERVER_MALFORMED},
    };
    struct server s;
    (void)state;
    open_server(&s, false, false);
    assert_int_equal(scram_server_first(&s.scram, STR("n,,n=us\0er,r=abc")),
                     SCRAM_SERVER_MALFORMED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[2 * SCRAM_SERVER_FIRST_MAX], pad[SCRAM_SERVER_FIRST_MAX];
        memset(pad, 'x', sizeof pad);
        snprintf(message, sizeof message, "n,,n=%.*s,r=%.*s",
                 (int)cases[i].name, pad, (int)cases[i].nonce, pad);
        open_server(&s, false, false);
        assert_int_equal(scram_server_first(&s.scram, str_from(message)),
                         cases[i].want);
        if (cases[i].want == SCRAM_SERVER_TAKEN)
            scram_server_challenge(&s.scram, &s.verifier, s.reply);
    }
}

static void final_messages_are_read_strictly(void **state)
{
    static const struct {
        const char *message;
        enum scram_server_result want;
    } cases[] = {
        {FINAL, SCRAM_SERVER_TAKEN},
        {"", SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE, SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE ",p=", SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE ",p=AAAA", SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE ",p=" PROOF ",", SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE ",,p=" PROOF, SCRAM_SERVER_MALFORMED},
        {"r=" NONCE ",c=biws,p=" PROOF, SCRAM_SERVER_MALFORMED},
        {"c=biws,p=" PROOF, SCRAM_SERVER_MALFORMED},
        {"p=" PROOF, SCRAM_SERVER_MALFORMED},
        {",p=" PROOF, SCRAM_SERVER_MALFORMED},
        {"m=x,c=biws,r=" NONCE ",p=" PROOF, SCRAM_SERVER_MALFORMED},
        {"c=biws,r=" NONCE ",m=x,p=" PROOF, SCRAM_SERVER_MALFORMED},
        /* Signed otherwise. */
        {"c=biws,r=" NONCE ",x=y,p=" PROOF, SCRAM_SERVER_REFUSED},
        {"c=eSws,r=" NONCE ",p=" PROOF, SCRAM_SERVER_REFUSED},
        {"c=biw,r=" NONCE ",p=" PROOF, SCRAM_SERVER_REFUSED},
        {"c=biws,r=" NONCE "x,p=" PROOF, SCRAM_SERVER_REFUSED},
        {"c=biws,r=" CLIENT_NONCE ",p=" PROOF, SCRAM_SERVER_REFUSED},
        {"c=biws,r=" NONCE ",p=AHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
         SCRAM_SERVER_REFUSED},
        {"c=biws,r=" NONCE ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
         SCRAM_SERVER_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server s;
        print_message("  %s\n", cases[i].message);
        open_server(&s, false, false);
        scram_server_first(&s.scram, STR(FIRST));
        scram_server_challenge(&s.scram, &s.verifier, s.reply);
        assert_int_equal(finish(&s, cases[i].message), cases[i].want);
        if (cases[i].want != SCRAM_SERVER_TAKEN)
            assert_int_equal(finish(&s, FINAL), SCRAM_SERVER_MALFORMED);
    }
}

/* What a client that knows the password signs and sends. */
struct signed_final {
    const char *title, *header, *binding, *nonce;
    bool is_plus;
    enum scram_server_result want;
};

static void make_final(const struct signed_final *c, char *to, size_t room)
{
    struct scram_verifier made;
    uint8_t client_key[SCRAM_KEY_OCTETS], signature[SCRAM_KEY_OCTETS];
    char bound[256], text[1024], encoded[512];
    assert_null(scram_verifier_read(STR(KEYS), &made));
    scram_derive(STR("pencil"), str_span((const char *)made.salt, 16), 4096,
                 client_key, made.server_key);
    snprintf(bound, sizeof bound, "%s%s", c->header, c->binding);
    base64_encode(str_from(bound), encoded);
    int n = snprintf(text, sizeof text, "n=user,r=%s,%s,c=%s,r=%s",
                     CLIENT_NONCE, OUR_FIRST, encoded, c->nonce);
    scram_hmac(made.stored_key, str_span(text, (size_t)n), signature);
    for (size_t i = 0; i < sizeof signature; i++)
        signature[i] ^= client_key[i];
    char proof[BASE64_ROOM(SCRAM_KEY_OCTETS)];
    base64_encode(str_span((const char *)signature, sizeof signature), proof);
    snprintf(to, room, "c=%s,r=%s,p=%s", encoded, c->nonce, proof);
}

static void a_proof_holds_for_its_own_channel_and_nonce_alone(void **state)
{
    static const struct signed_final cases[] = {
        {"bound", "p=tls-exporter,,", BINDING, NONCE, true, SCRAM_SERVER_TAKEN},
        {"for another", "p=tls-exporter,a=bob,", BINDING, NONCE, true,
         SCRAM_SERVER_TAKEN},
        {"another channel", "p=tls-exporter,,",
         "1123456789abcdef0123456789abcdef", NONCE, true, SCRAM_SERVER_REFUSED},
        {"a piece", "p=tls-exporter,,", "0123456789abcdef", NONCE, true,
         SCRAM_SERVER_REFUSED},
        {"nothing", "p=tls-exporter,,", "", NONCE, true, SCRAM_SERVER_REFUSED},
        {"more", "p=tls-exporter,,", BINDING "0", NONCE, true,
         SCRAM_SERVER_REFUSED},
        {"not asked for", "n,,", BINDING, NONCE, false, SCRAM_SERVER_REFUSED},
        {"none", "n,,", "", NONCE, false, SCRAM_SERVER_TAKEN},
        {"another nonce", "n,,", "",
         CLIENT_NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k1", false,
         SCRAM_SERVER_REFUSED},
        {"a longer nonce", "n,,", "", NONCE "x", false, SCRAM_SERVER_REFUSED},
        {"a shorter nonce", "n,,", "", CLIENT_NONCE, false,
         SCRAM_SERVER_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server s;
        char first[256], final[1024];
        print_message("  %s\n", cases[i].title);
        open_server(&s, cases[i].is_plus, cases[i].is_plus);
        snprintf(first, sizeof first, "%sn=user,r=" CLIENT_NONCE,
                 cases[i].header);
        make_final(&cases[i], final, sizeof final);
        assert_int_equal(scram_server_first(&s.scram, str_from(first)),
                         SCRAM_SERVER_TAKEN);
        scram_server_challenge(&s.scram, &s.verifier, s.reply);
        assert_int_equal(finish(&s, final), cases[i].want);
    }
}

/* Somebody in between who writes another header than the client's. */
static void a_header_that_was_changed_is_noticed(void **state)
{
    static const char *const changed[] = {"y,,", "n,a=bob,", "n,a=x,"};
    (void)state;
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        struct server s;
        char first[256];
        open_server(&s, false, false);
        snprintf(first, sizeof first, "%sn=user,r=" CLIENT_NONCE, changed[i]);
        assert_int_equal(scram_server_first(&s.scram, str_from(first)),
                         SCRAM_SERVER_TAKEN);
        scram_server_challenge(&s.scram, &s.verifier, s.reply);
        assert_int_equal(finish(&s, FINAL), SCRAM_SERVER_REFUSED);
    }
}

enum message { CLIENT_FIRST, SERVER_FIRST, CLIENT_FINAL, SERVER_FINAL };

/* Where a message is changed on its way. */
struct change {
    enum message message;
    size_t at;
    uint8_t flip;
};

/* Whether there was an octet to change. */
static bool pass(const struct change *change, enum message message,
                 struct str said, char *to, struct str *heard)
{
    memcpy(to, said.p, said.n);
    *heard = str_span(to, said.n);
    if (change->message != message)
        return true;
    if (change->at >= said.n)
        return false;
    to[change->at] = (char)((uint8_t)to[change->at] ^ change->flip);
    return true;
}

struct both {
    struct server server;
    struct scram_client client;
    struct scram_keys keys;
    bool server_believes, client_believes;
};

/* Our own client with our own server. False when the message was shorter than
 * the place of the change. */
static bool talk(struct both *b, const struct change *change)
{
    char message[SCRAM_MESSAGE_MAX], passed[SCRAM_MESSAGE_MAX];
    struct str heard;
    const char *error;
    struct str said = scram_client_first(&b->client, STR("us=er"),
                                         STR("pencil"), &b->keys, message);
    if (!pass(change, CLIENT_FIRST, said, passed, &heard))
        return false;
    if (scram_server_first(&b->server.scram, heard) != SCRAM_SERVER_TAKEN)
        return true;
    said = scram_server_challenge(&b->server.scram, &b->server.verifier,
                                  b->server.reply);
    if (!pass(change, SERVER_FIRST, said, passed, &heard))
        return false;
    said = scram_client_final(&b->client, heard, message, &error);
    if (said.p == NULL)
        return true;
    if (!pass(change, CLIENT_FINAL, said, passed, &heard))
        return false;
    b->server_believes =
        scram_server_final(&b->server.scram, heard, b->server.reply,
                           &b->server.final) == SCRAM_SERVER_TAKEN;
    if (!b->server_believes)
        return true;
    if (!pass(change, SERVER_FINAL, b->server.final, passed, &heard))
        return false;
    b->client_believes = scram_client_verify(&b->client, heard, &error);
    return true;
}

static void our_client_and_our_server_believe_each_other(void **state)
{
    static struct both b;
    const struct change none = {SERVER_FINAL, 0, 0};
    (void)state;
    memset(&b, 0, sizeof b);
    open_server(&b.server, false, true);
    assert_true(talk(&b, &none));
    assert_true(b.server_believes && b.client_believes);
    assert_string_equal(b.server.scram.name, "us=er");
}

/* Whatever octet is changed on its way, one of the two notices: the server
 * never lets in, but for its own last words, which the client refuses. */
static void no_octet_may_be_changed_on_its_way(void **state)
{
    static struct both b;
    static struct scram_keys keys;
    static const uint8_t flips[] = {0x01, 0x02, 0x20, 0x80};
    size_t changes = 0;
    (void)state;
    for (int message = CLIENT_FIRST; message <= SERVER_FINAL; message++) {
        bool is_inside = true;
        for (size_t at = 0; is_inside; at++) {
            for (size_t i = 0; i < sizeof flips && is_inside; i++) {
                const struct change change = {(enum message)message, at,
                                              flips[i]};
                memset(&b, 0, sizeof b);
                b.keys = keys;
                open_server(&b.server, false, true);
                is_inside = talk(&b, &change);
                /* Derived once; a changed salt must not stay. */
                if (message == CLIENT_FIRST)
                    keys = b.keys;
                if (!is_inside)
                    continue;
                changes++;
                assert_false(b.client_believes);
                assert_true(!b.server_believes || message == SERVER_FINAL);
            }
        }
    }
    assert_true(changes > 800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_are_those_of_the_standard),
        cmocka_unit_test(first_messages_are_read_strictly),
        cmocka_unit_test(a_nul_and_what_is_too_long_are_refused),
        cmocka_unit_test(final_messages_are_read_strictly),
        cmocka_unit_test(a_proof_holds_for_its_own_channel_and_nonce_alone),
        cmocka_unit_test(a_header_that_was_changed_is_noticed),
        cmocka_unit_test(our_client_and_our_server_believe_each_other),
        cmocka_unit_test(no_octet_may_be_changed_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
