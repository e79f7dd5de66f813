#include "proxy/login/password_hash.h"

#include <crypt.h>
#include <string.h>

/* A hash ends in as many octets behind its last "$": one that was cut while
 * copying would never match any password. */
struct kind {
    const char *prefix;
    size_t tail;
    bool is_weak;
};

static const struct kind kinds[] = {
    {.prefix = "$y$", .tail = 43},
    {.prefix = "$gy$", .tail = 43},
    {.prefix = "$7$", .tail = 43},
    {.prefix = "$2a$", .tail = 53},
    {.prefix = "$2b$", .tail = 53},
    {.prefix = "$2y$", .tail = 53},
    {.prefix = "$6$", .tail = 86},
    {.prefix = "$5$", .tail = 43},
    {.prefix = "$sha1$", .tail = 28, .is_weak = true},
    {.prefix = "$1$", .tail = 22, .is_weak = true},
};

/* {SCHEME}, as Dovecot writes it. */
enum scheme { SCHEME_CRYPT, SCHEME_CLEAR, SCHEME_LATER };

static const struct {
    const char *name;
    enum scheme scheme;
} schemes[] = {
    {"CRYPT", SCHEME_CRYPT},        {"BLF-CRYPT", SCHEME_CRYPT},
    {"SHA512-CRYPT", SCHEME_CRYPT}, {"SHA256-CRYPT", SCHEME_CRYPT},
    {"MD5-CRYPT", SCHEME_CRYPT},    {"PLAIN", SCHEME_CLEAR},
    {"CLEAR", SCHEME_CLEAR},        {"CLEARTEXT", SCHEME_CLEAR},
    {"PLAIN-TRUNC", SCHEME_CLEAR},  {"ARGON2", SCHEME_LATER},
    {"ARGON2I", SCHEME_LATER},      {"ARGON2ID", SCHEME_LATER},
    {"SCRAM-SHA-1", SCHEME_LATER},  {"SCRAM-SHA-256", SCHEME_LATER},
};

static const char later_text[] =
    "the password's hash is of a kind that is known, not built yet "
    "(Argon2, SCRAM); use one of `postern passwd`, bcrypt or SHA512-CRYPT";
static const char clear_text[] =
    "the password is not hashed; make a line with `postern passwd`";
static const char foreign_text[] =
    "the password's hash is of a kind that can't be checked; make a line "
    "with `postern passwd`";

/* Takes {SCHEME} off. NULL, or what is wrong with it. */
static const char *take_scheme(struct str *field)
{
    ptrdiff_t end = str_index(*field, '}');
    if (field->n == 0 || field->p[0] != '{')
        return NULL;
    if (end < 0)
        return foreign_text;
    struct str name = str_span(field->p + 1, (size_t)end - 1);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (!str_equals_nocase(name, str_from(schemes[i].name)))
            continue;
        *field = str_skip(*field, (size_t)end + 1);
        if (schemes[i].scheme == SCHEME_CLEAR)
            return clear_text;
        return schemes[i].scheme == SCHEME_LATER ? later_text : NULL;
    }
    return foreign_text;
}

static bool is_hash_octet(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '/';
}

static bool has_whole_tail(struct str hash, size_t want)
{
    struct str tail = str_skip(hash, (size_t)str_last_index(hash, '$') + 1);
    for (size_t i = 0; i < tail.n; i++)
        if (!is_hash_octet(tail.p[i]))
            return false;
    return tail.n == want;
}

static bool crypt_knows(struct str hash)
{
    char setting[CRYPT_OUTPUT_SIZE];
    if (hash.n >= sizeof setting || memchr(hash.p, '\0', hash.n) != NULL)
        return false;
    memcpy(setting, hash.p, hash.n);
    setting[hash.n] = '\0';
    int verdict = crypt_checksalt(setting);
    explicit_bzero(setting, sizeof setting);
    return verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY;
}

const char *password_hash_read(struct str field, struct password_hash *out)
{
    if (field.n == 0)
        return "the password is missing; make a line with `postern passwd`";
    const char *wrong = take_scheme(&field);
    if (wrong != NULL)
        return wrong;
    if (str_starts_with(field, STR("$argon2")))
        return later_text;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!str_starts_with(field, str_from(kinds[i].prefix)))
            continue;
        if (!has_whole_tail(field, kinds[i].tail) || !crypt_knows(field))
            return "the password's hash is damaged: it is not as long as its "
                   "kind is, or holds a foreign character";
        *out = (struct password_hash){field, kinds[i].is_weak};
        return NULL;
    }
    return field.n > 0 && field.p[0] == '$' ? foreign_text : clear_text;
}
