#include "proxy/login/argon2_hash.h"

#include "proxy/sasl/base64.h"

#include <string.h>

#include <argon2.h>
#include <openssl/mem.h>

#define ID_PREFIX "$argon2id$"
#define I_PREFIX "$argon2i$"

/* In octets: a shorter salt is refused by the library, a shorter hash is
 * guessed by chance. */
#define SALT_MIN 8
#define HASH_MIN 16
#define PART_MAX 64

static const char damaged[] =
    "the password's Argon2 hash is damaged: it is not like "
    "$argon2id$v=19$m=65536,t=3,p=1$SALT$HASH";
static const char dear[] =
    "the password's Argon2 hash costs more than a login may: m is at most "
    "262144 (256 MiB), t at most 10 and p at most 4; hash it anew with less";

bool argon2_hash_is_one(struct str text)
{
    return str_starts_with(text, STR(ID_PREFIX)) ||
           str_starts_with(text, STR(I_PREFIX));
}

/* "m=65536" */
static bool read_number(struct str text, char letter, uint64_t *out)
{
    return text.n > 2 && text.n < 13 && text.p[0] == letter &&
           text.p[1] == '=' && str_to_u64(str_skip(text, 2), out) == 0;
}

/* Base64 without padding, of `least` to PART_MAX octets. */
static bool is_part(struct str text, size_t least)
{
    char padded[BASE64_ROOM(PART_MAX) + 3];
    char decoded[BASE64_TEXT_MAX];
    size_t length = 0, n = text.n;
    if (n > BASE64_ROOM(PART_MAX) || str_index(text, '=') >= 0)
        return false;
    memcpy(padded, text.p, n);
    while (n % 4 != 0)
        padded[n++] = '=';
    bool is_good = base64_decode(str_span(padded, n), decoded, &length) == 0;
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(decoded, sizeof decoded);
    return is_good && length >= least && length <= PART_MAX;
}

struct costs {
    uint64_t memory, passes, lanes;
};

static bool read_costs(struct str text, struct costs *out)
{
    struct str memory, passes, lanes, rest;
    return str_cut(text, ',', &memory, &rest) &&
           str_cut(rest, ',', &passes, &lanes) &&
           read_number(memory, 'm', &out->memory) &&
           read_number(passes, 't', &out->passes) &&
           read_number(lanes, 'p', &out->lanes) && out->passes > 0 &&
           out->lanes > 0 && out->memory >= 8 * out->lanes;
}

const char *argon2_hash_read(struct str text)
{
    struct str version, costs, salt, hash, rest;
    struct costs cost;
    bool is_id = str_starts_with(text, STR(ID_PREFIX));
    rest = str_skip(text, strlen(is_id ? ID_PREFIX : I_PREFIX));
    if (!str_cut(rest, '$', &version, &rest) ||
        !str_equals(version, STR("v=19")) ||
        !str_cut(rest, '$', &costs, &rest) ||
        !str_cut(rest, '$', &salt, &hash) || !read_costs(costs, &cost) ||
        !is_part(salt, SALT_MIN) || !is_part(hash, HASH_MIN))
        return damaged;
    return cost.memory > ARGON2_MEMORY_KIB_MAX ||
                   cost.passes > ARGON2_PASSES_MAX ||
                   cost.lanes > ARGON2_LANES_MAX
               ? dear
               : NULL;
}

enum argon2_verdict argon2_hash_check(const char *hash, struct str password)
{
    bool is_id = str_starts_with(str_from(hash), STR(ID_PREFIX));
    int code = argon2_verify(hash, password.p, password.n,
                             is_id ? Argon2_id : Argon2_i);
    return code == ARGON2_OK                ? ARGON2_MATCHES
           : code == ARGON2_VERIFY_MISMATCH ? ARGON2_DIFFERS
                                            : ARGON2_FAILED;
}
