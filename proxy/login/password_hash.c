#include "proxy/login/password_hash.h"

#include "proxy/login/argon2_hash.h"

#include <crypt.h>
#include <string.h>

#define SCRAM_TEXT "SCRAM-SHA-256$"

/* A hash of crypt(3) ends in as many octets behind its last "$": one that was
 * cut while copying would never match any password. */
struct crypt_kind {
    const char *prefix;
    size_t tail;
    bool is_weak;
};

static const struct crypt_kind crypt_kinds[] = {
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

static const char clear_text[] =
    "the password is not hashed; make a line with `postern passwd`";
static const char foreign_text[] =
    "the password's hash is of a kind that can't be checked; make a line "
    "with `postern passwd`";
static const char damaged_text[] =
    "the password's hash is damaged: it is not as long as its kind is, or "
    "holds a foreign character";
static const char full_text[] = "the password can't be kept: out of memory";

typedef const char *read_kind(struct str field, struct arena *arena,
                              struct password_hash *out);

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

static const char *keep_setting(struct str field, struct arena *arena,
                                enum password_kind kind,
                                struct password_hash *out)
{
    out->kind = kind;
    out->setting = arena_cstr(arena, field);
    return out->setting == NULL ? full_text : NULL;
}

static const char *read_crypt(struct str field, struct arena *arena,
                              struct password_hash *out)
{
    for (size_t i = 0; i < sizeof crypt_kinds / sizeof *crypt_kinds; i++) {
        const struct crypt_kind *kind = &crypt_kinds[i];
        if (!str_starts_with(field, str_from(kind->prefix)))
            continue;
        if (!has_whole_tail(field, kind->tail) || !crypt_knows(field))
            return damaged_text;
        out->is_weak = kind->is_weak;
        return keep_setting(field, arena, PASSWORD_CRYPT, out);
    }
    return field.n > 0 && field.p[0] == '$' ? foreign_text : clear_text;
}

static const char *read_argon2(struct str field, struct arena *arena,
                               struct password_hash *out)
{
    if (!argon2_hash_is_one(field))
        return field.n > 0 && field.p[0] == '$' ? foreign_text : clear_text;
    const char *wrong = argon2_hash_read(field);
    return wrong != NULL ? wrong
                         : keep_setting(field, arena, PASSWORD_ARGON2, out);
}

static const char *read_scram(struct str field, struct arena *arena,
                              struct password_hash *out)
{
    struct scram_verifier *verifier = arena_alloc(arena, sizeof *verifier);
    if (verifier == NULL)
        return full_text;
    out->kind = PASSWORD_SCRAM;
    out->scram = verifier;
    return scram_verifier_read(field, verifier);
}

/* Whoever steals these can log in with them by CRAM-MD5, and guesses the
 * password at a glance. */
static const char *read_cram(struct str field, struct arena *arena,
                             struct password_hash *out)
{
    uint8_t *contexts = arena_alloc(arena, CRAM_CONTEXTS);
    if (contexts == NULL)
        return full_text;
    out->kind = PASSWORD_CRAM_MD5;
    out->is_weak = true;
    out->cram = contexts;
    return cram_contexts_read(field, contexts) == 0
               ? NULL
               : "the password's CRAM-MD5 contexts are damaged: they are 64 "
                 "hexadecimal digits";
}

static const char *refuse_clear(struct str field, struct arena *arena,
                                struct password_hash *out)
{
    (void)field, (void)arena, (void)out;
    return clear_text;
}

/* Without a scheme the hash itself says what it is. */
static const char *read_bare(struct str field, struct arena *arena,
                             struct password_hash *out)
{
    if (str_equals(field, STR("*")) || str_equals(field, STR("!"))) {
        out->kind = PASSWORD_NONE;
        return NULL;
    }
    if (argon2_hash_is_one(field))
        return read_argon2(field, arena, out);
    if (str_starts_with(field, STR(SCRAM_TEXT)))
        return read_scram(field, arena, out);
    return read_crypt(field, arena, out);
}

/* {SCHEME}, as Dovecot writes it. */
static const struct {
    const char *name;
    read_kind *read;
} schemes[] = {
    {"CRYPT", read_crypt},         {"BLF-CRYPT", read_crypt},
    {"SHA512-CRYPT", read_crypt},  {"SHA256-CRYPT", read_crypt},
    {"MD5-CRYPT", read_crypt},     {"ARGON2ID", read_argon2},
    {"ARGON2I", read_argon2},      {"ARGON2", read_argon2},
    {"SCRAM-SHA-256", read_scram}, {"CRAM-MD5", read_cram},
    {"PLAIN", refuse_clear},       {"CLEAR", refuse_clear},
    {"CLEARTEXT", refuse_clear},   {"PLAIN-TRUNC", refuse_clear},
};

/* Takes {SCHEME} off. NULL: there is one that is not known. */
static read_kind *take_scheme(struct str *field)
{
    ptrdiff_t end = str_index(*field, '}');
    if (field->p[0] != '{')
        return read_bare;
    if (end < 0)
        return NULL;
    struct str name = str_span(field->p + 1, (size_t)end - 1);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!str_equals_nocase(name, str_from(schemes[i].name)))
            continue;
        *field = str_skip(*field, (size_t)end + 1);
        return schemes[i].read;
    }
    return NULL;
}

const char *password_hash_read(struct str field, struct arena *arena,
                               struct password_hash *out)
{
    *out = (struct password_hash){.kind = PASSWORD_NONE};
    if (field.n == 0)
        return "the password is missing; make a line with `postern passwd`";
    read_kind *read = take_scheme(&field);
    const char *wrong = read == NULL ? foreign_text : read(field, arena, out);
    if (wrong != NULL)
        password_hash_wipe(out);
    return wrong;
}

/* True too where there is nothing to copy. */
static bool copy_octets(struct arena *arena, const void *from, size_t length,
                        void **to)
{
    if (from == NULL)
        return true;
    *to = arena_alloc(arena, length);
    if (*to != NULL)
        memcpy(*to, from, length);
    return *to != NULL;
}

int password_hash_copy(struct arena *arena, const struct password_hash *from,
                       struct password_hash *out)
{
    void *scram = NULL;
    void *cram = NULL;
    *out = (struct password_hash){.kind = from->kind, .is_weak = from->is_weak};
    if (from->setting != NULL)
        out->setting = arena_cstr(arena, str_from(from->setting));
    bool is_whole =
        (from->setting == NULL || out->setting != NULL) &&
        copy_octets(arena, from->scram, sizeof *from->scram, &scram) &&
        copy_octets(arena, from->cram, CRAM_CONTEXTS, &cram);
    out->scram = scram;
    out->cram = cram;
    return is_whole ? 0 : -1;
}

void password_hash_wipe(struct password_hash *hash)
{
    if (hash->setting != NULL)
        explicit_bzero(hash->setting, strlen(hash->setting));
    if (hash->scram != NULL)
        explicit_bzero(hash->scram, sizeof *hash->scram);
    if (hash->cram != NULL)
        explicit_bzero(hash->cram, CRAM_CONTEXTS);
    *hash = (struct password_hash){.kind = PASSWORD_NONE};
}

/* RFC 5803's text has two colons; Dovecot's has commas instead. */
static bool holds_colons(struct str rest)
{
    struct str until_colon;
    str_cut(rest, ':', &until_colon, &rest);
    return str_starts_with(until_colon, STR(SCRAM_TEXT)) ||
           (str_starts_with_nocase(until_colon, STR(SCRAM_VERIFIER_SCHEME)) &&
            str_index(until_colon, ',') < 0);
}

struct str password_hash_cut(struct str *rest)
{
    struct str from = *rest, piece;
    for (int colons = holds_colons(from) ? 3 : 1; colons > 0; colons--)
        str_cut(*rest, ':', &piece, rest);
    return str_head(from, (size_t)(piece.p + piece.n - from.p));
}
