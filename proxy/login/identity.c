#include "proxy/login/identity.h"

#include "rules/address.h"
#include "rules/glob.h"

void identity_of_user(const struct user *user, struct login_answer *answer)
{
    *answer = (struct login_answer){
        .result = LOGIN_OK,
        .user = user->name,
        .addresses = user->addresses,
        .address_count = user->address_count,
        .has_addresses = true,
        .groups = user->groups,
        .group_count = user->group_count,
        .has_groups = true,
        .may_act_as = user->may_act_as,
        .may_act_as_count = user->may_act_as_count,
    };
}

/* OAuth's claims may name a user beside the token: whom it is to act as. */
static struct str wanted_name(const struct claim *claim)
{
    bool is_beside = claim->kind == CLAIM_TOKEN && claim->authzid.n == 0;
    return is_beside ? claim->name : claim->authzid;
}

static bool may_act_as(const struct login_answer *user, struct str wanted)
{
    for (size_t i = 0; i < user->may_act_as_count; i++)
        if (str_equals(user->may_act_as[i], STR("*")) ||
            str_equals(user->may_act_as[i], wanted))
            return true;
    return false;
}

/* What the back-end does not tell, a users file may. */
static void fill(const struct user_book *book, struct login_answer *out)
{
    const struct user *user = user_book_find(book, out->user);
    struct login_answer line;
    if (user == NULL)
        return;
    identity_of_user(user, &line);
    if (!out->has_addresses) {
        out->addresses = line.addresses;
        out->address_count = line.address_count;
        out->has_addresses = true;
    }
    if (!out->has_groups) {
        out->groups = line.groups;
        out->group_count = line.group_count;
        out->has_groups = true;
    }
    if (out->may_act_as_count == 0) {
        out->may_act_as = line.may_act_as;
        out->may_act_as_count = line.may_act_as_count;
    }
}

/* A back-end without addresses: a login that is one owns itself. With an
 * asterisk in it, which some may choose for themselves, it would be read as a
 * pattern, and own what it matches. */
static void own_name(struct arena *arena, struct login_answer *out)
{
    struct str *own;
    if (out->has_addresses || str_index(out->user, '@') < 0 ||
        glob_has_star(out->user))
        return;
    own = arena_alloc(arena, sizeof *own);
    if (own != NULL)
        *own = address_canonical(arena, out->user);
    if (own == NULL || own->p == NULL) {
        *out = (struct login_answer){.result = LOGIN_UNAVAILABLE};
        return;
    }
    out->addresses = own;
    out->address_count = 1;
}

void identity_settle(const struct user_book *book, const struct claim *claim,
                     const struct login_answer *given, struct arena *arena,
                     struct login_answer *out)
{
    const struct login_answer failed = {.result = LOGIN_FAILED};
    struct str wanted = wanted_name(claim);
    *out = *given;
    if (out->user.n == 0) {
        *out = failed;
        return;
    }
    fill(book, out);
    if (wanted.n > 0)
        wanted = login_normalise(arena, wanted);
    if (wanted.p == NULL || (wanted.n > 0 && !str_equals(wanted, out->user) &&
                             !may_act_as(out, wanted))) {
        *out = failed;
        return;
    }
    if (wanted.n > 0 && !str_equals(wanted, out->user)) {
        *out = (struct login_answer){.result = LOGIN_OK, .user = wanted};
        fill(book, out);
    }
    own_name(arena, out);
}
