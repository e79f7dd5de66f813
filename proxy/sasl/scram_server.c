#include "proxy/sasl/scram_server.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/gs2_header.h"
#include "rules/base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/mem.h>
#include <openssl/sha.h>

/* RFC 9266. */
#define BINDING_NAME "tls-exporter"
#define BINDING_MAX 64

/* RFC 5802 7: attr-val, but for m=, which asks to be understood. */
static bool is_attribute(struct str text)
{
    return text.n > 2 && ascii_is_alpha(text.p[0]) && text.p[0] != 'm' &&
           text.p[1] == '=';
}

/* Extensions that need not be understood, behind what was read. */
static bool are_extensions(struct str rest)
{
    while (rest.n > 0) {
        struct str one, behind;
        if (str_cut(rest, ',', &one, &behind) && behind.n == 0)
            return false;
        if (!is_attribute(one))
            return false;
        rest = behind;
    }
    return true;
}

static bool is_nonce(struct str nonce)
{
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e || nonce.p[i] == ',')
            return false;
    return nonce.n > 0 && nonce.n <= SCRAM_NONCE_MAX - SCRAM_NONCE_ROOM;
}

static bool is_text(struct str message)
{
    return str_index(message, '\0') < 0 && utf8_is_valid(message);
}

/* Adds to what the signatures cover. */
static void speak(struct scram_server *scram, struct str text)
{
    assert(text.n <= sizeof scram->spoken - scram->spoken_length);
    memcpy(scram->spoken + scram->spoken_length, text.p, text.n);
    scram->spoken_length += text.n;
}

void scram_server_init(struct scram_server *scram, bool is_plus,
                       bool offers_plus, struct str binding)
{
    assert(binding.n <= BINDING_MAX);
    scram->step = SCRAM_SERVER_FIRST;
    scram->is_plus = is_plus;
    scram->offers_plus = offers_plus;
    scram->binding = binding;
    if (scram->server_nonce[0] == '\0')
        scram_make_nonce(scram->server_nonce);
}

/* RFC 5802 6. "y" where we offered to bind means that somebody took our offer
 * out on its way. */
static bool is_bound_as_agreed(const struct scram_server *scram,
                               const struct gs2_header *header)
{
    switch (header->binding) {
    case GS2_NONE:
        return !scram->is_plus;
    case GS2_UNOFFERED:
        return !scram->is_plus && !scram->offers_plus;
    case GS2_BOUND:
        break;
    }
    return scram->is_plus && scram->binding.n > 0 &&
           str_equals(header->binding_name, STR(BINDING_NAME));
}

/* What follows the header: [reserved-mext] is not among it, and thus no name
 * where it stands. */
static bool read_bare(struct scram_server *scram, struct str bare)
{
    struct str name, nonce, rest = bare;
    if (!scram_take_attribute(&rest, 'n', &name) || name.n == 0 ||
        !scram_take_attribute(&rest, 'r', &nonce) || !is_nonce(nonce) ||
        bare.p[bare.n - 1] == ',' || !are_extensions(rest))
        return false;
    snprintf(scram->nonce, sizeof scram->nonce, "%.*s%s", (int)nonce.n, nonce.p,
             scram->server_nonce);
    return saslname_read(name, scram->name, sizeof scram->name,
                         &scram->name_length);
}

static enum scram_server_result take_first(struct scram_server *scram,
                                           struct str message)
{
    struct gs2_header header;
    if (message.n > SCRAM_SERVER_FIRST_MAX || !is_text(message) ||
        !gs2_header_read(message, &header) ||
        !saslname_read(header.authzid, scram->authzid, sizeof scram->authzid,
                       &scram->authzid_length) ||
        !read_bare(scram, str_skip(message, header.length)))
        return SCRAM_SERVER_MALFORMED;
    if (!is_bound_as_agreed(scram, &header))
        return SCRAM_SERVER_REFUSED;
    scram->header_length = header.length;
    scram->spoken_length = 0;
    speak(scram, message);
    return SCRAM_SERVER_TAKEN;
}

enum scram_server_result scram_server_first(struct scram_server *scram,
                                            struct str message)
{
    enum scram_server_result result = SCRAM_SERVER_MALFORMED;
    if (scram->step == SCRAM_SERVER_FIRST)
        result = take_first(scram, message);
    scram->step =
        result == SCRAM_SERVER_TAKEN ? SCRAM_SERVER_KEYS : SCRAM_SERVER_FAILED;
    return result;
}

struct str scram_server_challenge(struct scram_server *scram,
                                  const struct scram_verifier *verifier,
                                  char to[SCRAM_SERVER_REPLY])
{
    char salt[BASE64_ROOM(SCRAM_SALT_MAX)];
    assert(scram->step == SCRAM_SERVER_KEYS);
    scram->verifier = *verifier;
    base64_encode(str_span((const char *)verifier->salt, verifier->salt_length),
                  salt);
    int n = snprintf(to, SCRAM_SERVER_REPLY, "r=%s,s=%s,i=%u", scram->nonce,
                     salt, verifier->iterations);
    assert(n > 0 && n < SCRAM_SERVER_REPLY);
    struct str message = str_span(to, (size_t)n);
    speak(scram, STR(","));
    speak(scram, message);
    scram->step = SCRAM_SERVER_FINAL;
    return message;
}

/* The header again, and what binds to the channel behind it. That it is the
 * one of this channel keeps out whoever passes on another's proof. */
static bool is_our_channel(const struct scram_server *scram, struct str text)
{
    char want[SCRAM_SERVER_FIRST_MAX + BINDING_MAX];
    char encoded[BASE64_ROOM(sizeof want)];
    size_t n = scram->header_length;
    memcpy(want, scram->spoken, n);
    if (scram->is_plus) {
        memcpy(want + n, scram->binding.p, scram->binding.n);
        n += scram->binding.n;
    }
    struct str wanted = base64_encode(str_span(want, n), encoded);
    bool is_same =
        wanted.n == text.n && CRYPTO_memcmp(wanted.p, text.p, text.n) == 0;
    OPENSSL_cleanse(want, sizeof want);
    OPENSSL_cleanse(encoded, sizeof encoded);
    return is_same;
}

/* RFC 5802 3: the proof gives the ClientKey, whose hash is stored. */
static bool is_proof(const struct scram_server *scram,
                     const uint8_t proof[SCRAM_KEY_OCTETS], struct str spoken)
{
    uint8_t key[SCRAM_KEY_OCTETS], stored[SCRAM_KEY_OCTETS];
    scram_hmac(scram->verifier.stored_key, spoken, key);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] ^= proof[i];
    SHA256(key, sizeof key, stored);
    OPENSSL_cleanse(key, sizeof key);
    return CRYPTO_memcmp(stored, scram->verifier.stored_key, sizeof stored) ==
           0;
}

struct client_final {
    struct str without_proof;
    struct str binding;
    struct str nonce;
    uint8_t proof[SCRAM_KEY_OCTETS];
};

static bool read_final(struct str message, struct client_final *out)
{
    char proof[BASE64_TEXT_MAX];
    size_t length;
    ptrdiff_t end = str_last_index(message, ',');
    if (message.n > SCRAM_SERVER_FINAL_MAX || !is_text(message) || end < 0)
        return false;
    struct str rest = str_skip(message, (size_t)end + 1), value;
    out->without_proof = str_head(message, (size_t)end);
    if (!str_starts_with(rest, STR("p=")) ||
        base64_decode(str_skip(rest, 2), proof, &length) != 0 ||
        length != SCRAM_KEY_OCTETS)
        return false;
    memcpy(out->proof, proof, length);
    rest = out->without_proof;
    if (!scram_take_attribute(&rest, 'c', &out->binding) ||
        !scram_take_attribute(&rest, 'r', &value) || value.n == 0 ||
        message.p[end - 1] == ',')
        return false;
    out->nonce = value;
    return are_extensions(rest);
}

static void write_final(const struct scram_server *scram, struct str spoken,
                        char to[SCRAM_SERVER_REPLY], struct str *final)
{
    uint8_t signature[SCRAM_KEY_OCTETS];
    char encoded[BASE64_ROOM(SCRAM_KEY_OCTETS)];
    scram_hmac(scram->verifier.server_key, spoken, signature);
    base64_encode(str_span((const char *)signature, sizeof signature), encoded);
    int n = snprintf(to, SCRAM_SERVER_REPLY, "v=%s", encoded);
    *final = str_span(to, (size_t)n);
}

static enum scram_server_result take_final(struct scram_server *scram,
                                           struct str message,
                                           char to[SCRAM_SERVER_REPLY],
                                           struct str *final)
{
    struct client_final said;
    struct str nonce = str_from(scram->nonce);
    if (!read_final(message, &said))
        return SCRAM_SERVER_MALFORMED;
    speak(scram, STR(","));
    speak(scram, said.without_proof);
    struct str spoken = str_skip(str_span(scram->spoken, scram->spoken_length),
                                 scram->header_length);
    bool is_ours = is_our_channel(scram, said.binding) &&
                   said.nonce.n == nonce.n &&
                   CRYPTO_memcmp(said.nonce.p, nonce.p, nonce.n) == 0;
    if (!is_proof(scram, said.proof, spoken) || !is_ours)
        return SCRAM_SERVER_REFUSED;
    write_final(scram, spoken, to, final);
    return SCRAM_SERVER_TAKEN;
}

enum scram_server_result scram_server_final(struct scram_server *scram,
                                            struct str message,
                                            char to[SCRAM_SERVER_REPLY],
                                            struct str *final)
{
    enum scram_server_result result = SCRAM_SERVER_MALFORMED;
    if (scram->step == SCRAM_SERVER_FINAL)
        result = take_final(scram, message, to, final);
    scram->step = result == SCRAM_SERVER_TAKEN ? SCRAM_SERVER_PROVEN
                                               : SCRAM_SERVER_FAILED;
    OPENSSL_cleanse(&scram->verifier, sizeof scram->verifier);
    return result;
}
