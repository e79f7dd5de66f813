#include "proxy/login/identity.h"

#include "proxy/login/owned_address.h"

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
    if (!out->has_addresses &&
        owned_address_of_name(arena, out->user, &out->addresses,
                              &out->address_count) != 0)
        *out = (struct login_answer){.result = LOGIN_UNAVAILABLE};
}
