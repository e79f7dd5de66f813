/* Written anew after RFC 5802 and RFC 2195, so that the product's own client
 * and server do not agree on a mistake. */
#include "tests/dialogue/player_login.h"

#include <stdio.h>
#include <string.h>

#include <openssl/digest.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "proxy/sasl/base64.h"
#include "proxy/sasl/scram_message.h"
#include "tests/dialogue/player_act.h"

#define TEXT_MAX 1024
#define NONCE "fyko+d2lbbFgONRv9qkxdawL"

struct login {
    struct player *p;
    struct far_end *far;
    struct str mechanism, name, password;
    struct str authzid; /* n 0: none */
    struct str flag;    /* n 0: as the mechanism has it */
    bool is_other_channel;
    uint64_t stop; /* so many challenges are answered */
    char challenge[BASE64_TEXT_MAX];
};

static const char *read_words(struct login *login, struct str words)
{
    struct str word;
    login->stop = UINT64_MAX;
    str_cut(words, ' ', &login->mechanism, &words);
    str_cut(words, ' ', &login->name, &words);
    str_cut(words, ' ', &login->password, &words);
    while (str_cut(words, ' ', &word, &words), word.n) {
        struct str key, value;
        str_cut(word, '=', &key, &value);
        if (str_equals(key, STR("as")))
            login->authzid = value;
        else if (str_equals(key, STR("flag")))
            login->flag = value;
        else if (str_equals(word, STR("channel=other")))
            login->is_other_channel = true;
        else if (!str_equals(key, STR("stop")) ||
                 str_to_u64(value, &login->stop))
            return "a login knows no such word";
    }
    return NULL;
}

static void say(const struct login *login, const char *before,
                struct str response)
{
    char encoded[BASE64_ROOM(2 * TEXT_MAX)], line[4 * TEXT_MAX];
    base64_encode(response, encoded);
    int n = snprintf(line, sizeof line, "%s%s\r\n", before, encoded);
    player_speak(login->p, login->far, str_span(line, (size_t)n));
    world_settle(&login->p->world);
}

/* p NULL: it was none, or is the script's to see. */
static struct str take_challenge(struct login *login)
{
    const struct str none = {NULL, 0};
    struct str heard = octets_view(&login->far->heard);
    ptrdiff_t end = heard.n ? str_index(heard, '\n') : -1;
    size_t length;
    if (!login->stop || end < 5 || !str_starts_with(heard, STR("334 ")) ||
        base64_decode(str_span(heard.p + 4, (size_t)end - 5), login->challenge,
                      &length))
        return none;
    login->stop--;
    octets_drop(&login->far->heard, (size_t)end + 1);
    return str_span(login->challenge, length);
}

static const char *play_cram(struct login *login)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    char response[TEXT_MAX];
    unsigned length;
    player_speak(login->p, login->far, STR("AUTH CRAM-MD5\r\n"));
    world_settle(&login->p->world);
    struct str challenge = take_challenge(login);
    if (!challenge.p)
        return NULL;
    HMAC(EVP_md5(), login->password.p, login->password.n,
         (const uint8_t *)challenge.p, challenge.n, digest, &length);
    int n = snprintf(response, sizeof response, "%.*s ", (int)login->name.n,
                     login->name.p);
    for (size_t i = 0; i < sizeof digest; i++)
        n += snprintf(response + n, sizeof response - (size_t)n, "%02x",
                      (unsigned)digest[i]);
    say(login, "", str_span(response, (size_t)n));
    return NULL;
}

struct scram {
    struct login *login;
    char header[TEXT_MAX]; /* GS2's */
    char bare[TEXT_MAX], without_proof[2 * TEXT_MAX];
    char spoken[8 * TEXT_MAX]; /* what the signatures cover */
    uint8_t client[SCRAM_KEY_OCTETS], server[SCRAM_KEY_OCTETS];
};

static void begin_scram(struct scram *scram)
{
    const struct login *login = scram->login;
    char first[2 * TEXT_MAX], command[64];
    bool is_plus = str_ends_with_nocase(login->mechanism, STR("-PLUS"));
    struct str flag = login->flag.n ? login->flag
                      : is_plus     ? STR("p=tls-exporter")
                                    : STR("n");
    snprintf(scram->header, sizeof scram->header, "%.*s,%s%.*s,", (int)flag.n,
             flag.p, login->authzid.n ? "a=" : "", (int)login->authzid.n,
             login->authzid.n ? login->authzid.p : "");
    snprintf(scram->bare, sizeof scram->bare, "n=%.*s,r=" NONCE,
             (int)login->name.n, login->name.p);
    snprintf(first, sizeof first, "%s%s", scram->header, scram->bare);
    snprintf(command, sizeof command, "AUTH %.*s ", (int)login->mechanism.n,
             login->mechanism.p);
    say(login, command, str_from(first));
}

static const char *derive(struct scram *scram, struct str server_first)
{
    char salt[BASE64_TEXT_MAX];
    size_t salt_length;
    uint64_t iterations;
    struct str rest = server_first, nonce, encoded, count;
    if (!scram_take_attribute(&rest, 'r', &nonce) ||
        !str_starts_with(nonce, STR(NONCE)) || nonce.n == strlen(NONCE) ||
        !scram_take_attribute(&rest, 's', &encoded) ||
        !scram_take_attribute(&rest, 'i', &count) || rest.n ||
        base64_decode(encoded, salt, &salt_length) || !salt_length ||
        str_to_u64(count, &iterations))
        return "the server's first message is none";
    char bound[TEXT_MAX + 32], channel[BASE64_ROOM(sizeof bound)];
    size_t n = strlen(scram->header);
    memcpy(bound, scram->header, n);
    if (scram->header[0] == 'p') {
        memset(bound + n, scram->login->is_other_channel ? 'x' : 'b', 32);
        n += 32;
    }
    base64_encode(str_span(bound, n), channel);
    snprintf(scram->without_proof, sizeof scram->without_proof, "c=%s,r=%.*s",
             channel, (int)nonce.n, nonce.p);
    snprintf(scram->spoken, sizeof scram->spoken, "%s,%.*s,%s", scram->bare,
             (int)server_first.n, server_first.p, scram->without_proof);
    if (scram_derive(scram->login->password, str_span(salt, salt_length),
                     (unsigned)iterations, scram->client, scram->server))
        return "no keys can be made of the password";
    return NULL;
}

static void prove(const struct scram *scram)
{
    uint8_t stored[SCRAM_KEY_OCTETS], proof[SCRAM_KEY_OCTETS];
    char encoded[BASE64_ROOM(sizeof proof)], final[3 * TEXT_MAX];
    SHA256(scram->client, sizeof scram->client, stored);
    scram_hmac(stored, str_from(scram->spoken), proof);
    for (size_t i = 0; i < sizeof proof; i++)
        proof[i] ^= scram->client[i];
    base64_encode(str_span((const char *)proof, sizeof proof), encoded);
    snprintf(final, sizeof final, "%s,p=%s", scram->without_proof, encoded);
    say(scram->login, "", str_from(final));
}

static bool is_proven(const struct scram *scram, struct str server_final)
{
    uint8_t signature[SCRAM_KEY_OCTETS];
    char encoded[BASE64_ROOM(sizeof signature)], want[sizeof encoded + 2];
    scram_hmac(scram->server, str_from(scram->spoken), signature);
    base64_encode(str_span((const char *)signature, sizeof signature), encoded);
    snprintf(want, sizeof want, "v=%s", encoded);
    return str_equals(server_final, str_from(want));
}

static const char *play_scram(struct login *login)
{
    struct scram scram = {.login = login};
    begin_scram(&scram);
    struct str challenge = take_challenge(login);
    const char *wrong = challenge.p ? derive(&scram, challenge) : NULL;
    if (!challenge.p || wrong)
        return wrong;
    prove(&scram);
    challenge = take_challenge(login);
    if (!challenge.p)
        return NULL;
    if (!is_proven(&scram, challenge))
        return "the server does not prove that it knows the password";
    player_speak(login->p, login->far, STR("\r\n"));
    return NULL;
}

const char *player_login(struct player *p, struct far_end *far,
                         struct str words)
{
    struct login login = {.p = p, .far = far};
    const char *wrong = read_words(&login, words);
    if (wrong)
        return wrong;
    if (str_equals(login.mechanism, STR("CRAM-MD5")))
        return play_cram(&login);
    if (str_starts_with(login.mechanism, STR("SCRAM-SHA-256")))
        return play_scram(&login);
    return "this login can be written down";
}
