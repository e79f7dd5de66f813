#include "proxy/sasl/scram_message.h"

#include "proxy/sasl/base64.h"

#include <openssl/digest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#define NONCE_OCTETS 24 /* of chance, before base64 */

bool scram_take_attribute(struct str *rest, char letter, struct str *value)
{
    struct str attribute, behind = STR("");
    if (!str_cut(*rest, ',', &attribute, &behind))
        attribute = *rest;
    *rest = behind;
    if (attribute.n < 2 || attribute.p[0] != letter || attribute.p[1] != '=')
        return false;
    *value = str_skip(attribute, 2);
    return true;
}

void scram_make_nonce(char to[SCRAM_NONCE_ROOM])
{
    uint8_t chance[NONCE_OCTETS];
    RAND_bytes(chance, sizeof chance);
    base64_encode(str_span((const char *)chance, sizeof chance), to);
}

void scram_hmac(const uint8_t *key, struct str text, uint8_t *to)
{
    unsigned length = SCRAM_KEY_OCTETS;
    HMAC(EVP_sha256(), key, SCRAM_KEY_OCTETS, (const uint8_t *)text.p, text.n,
         to, &length);
}

int scram_derive(struct str password, struct str salt, unsigned iterations,
                 uint8_t client_key[SCRAM_KEY_OCTETS],
                 uint8_t server_key[SCRAM_KEY_OCTETS])
{
    uint8_t salted[SCRAM_KEY_OCTETS];
    if (PKCS5_PBKDF2_HMAC(password.p, password.n, (const uint8_t *)salt.p,
                          salt.n, iterations, EVP_sha256(), sizeof salted,
                          salted) != 1)
        return -1;
    scram_hmac(salted, STR("Client Key"), client_key);
    scram_hmac(salted, STR("Server Key"), server_key);
    OPENSSL_cleanse(salted, sizeof salted);
    return 0;
}
