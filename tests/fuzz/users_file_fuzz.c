/* A users file, as octets: every login that is read has a name that is found
 * again, and of its password what its kind says, within the caps. */
#include "proxy/login/users_file.h"

#include "proxy/login/login.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_scram(const struct scram_verifier *verifier)
{
    struct scram_verifier again;
    char text[SCRAM_VERIFIER_TEXT];
    assert(verifier->iterations >= SCRAM_ITERATIONS_MIN);
    assert(verifier->iterations <= SCRAM_VERIFIER_ITERATIONS_MAX);
    assert(verifier->salt_length > 0);
    scram_verifier_write(verifier, text);
    const char *wrong = scram_verifier_read(str_from(text), &again);
    assert(wrong == NULL && memcmp(&again, verifier, sizeof again) == 0);
}

static void assert_password(const struct password_hash *hash)
{
    bool has_setting =
        hash->kind == PASSWORD_CRYPT || hash->kind == PASSWORD_ARGON2;
    assert(has_setting == (hash->setting != NULL));
    assert((hash->kind == PASSWORD_SCRAM) == (hash->scram != NULL));
    assert((hash->kind == PASSWORD_CRAM_MD5) == (hash->cram != NULL));
    if (hash->scram != NULL)
        assert_scram(hash->scram);
}

static void assert_user(const struct users *users, const struct user *user)
{
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    assert(user->name.n > 0 && user->line > 0);
    struct str normal = login_normalise(&arena, user->name);
    assert(normal.p == NULL || str_equals(normal, user->name));
    const struct user *found = users_find(users, user->name);
    assert(found != NULL && str_equals(found->name, user->name));
    assert_password(&user->password);
    for (size_t i = 0; i < user->may_act_as_count; i++)
        assert(user->may_act_as[i].n > 0);
    arena_release(&arena);
}

static size_t count_kind(const struct users *users, enum password_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < users->count; i++)
        count += users->items[i].password.kind == kind;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct users users;
    struct diags diags;
    users_init(&users);
    diags_init(&diags);
    int result = users_parse(&users, str_span((const char *)data, size),
                             "users", &diags);
    assert((result != 0) == (diags.errors > 0));
    for (size_t i = 0; i < users.count; i++)
        assert_user(&users, &users.items[i]);
    assert(users.with_password.count ==
           users.count - count_kind(&users, PASSWORD_NONE));
    assert(users.with_scram.count == count_kind(&users, PASSWORD_SCRAM));
    assert(users.with_cram.count == count_kind(&users, PASSWORD_CRAM_MD5));
    users_release(&users);
    diags_release(&diags);
    return 0;
}
