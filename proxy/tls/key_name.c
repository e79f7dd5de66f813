#include "proxy/tls/key_name.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/sha.h>

int key_name_of(const EVP_PKEY *key, uint8_t name[KEY_NAME_OCTETS])
{
    CBB builder;
    uint8_t *octets = NULL;
    size_t n = 0;
    CBB_zero(&builder);
    int is_written = CBB_init(&builder, 512) == 1 &&
                     EVP_marshal_public_key(&builder, key) == 1 &&
                     CBB_finish(&builder, &octets, &n) == 1;
    if (is_written)
        SHA256(octets, n, name);
    else
        CBB_cleanup(&builder);
    OPENSSL_free(octets);
    ERR_clear_error();
    return is_written ? 0 : -1;
}
