#include "proxy/login/identity.h"

#include "proxy/login/owned_address.h"

void identity_of_user(const struct user *user, struct arena *arena,
                      struct login_answer *answer)
{
    *answer = (struct login_answer){
        .result = LOGIN_OK,
        .user = arena_str(arena, user->name),
        .addresses = arena_strs(arena, user->addresses, user->address_count),
        .address_count = user->address_count,
        .has_addresses = true,
        .groups = arena_strs(arena, user->groups, user->group_count),
        .group_count = user->group_count,
        .has_groups = true,
        .may_act_as =
            arena_strs(arena, user->may_act_as, user->may_act_as_count),
        .may_act_as_count = user->may_act_as_count,
    };
    if (answer->user.p == NULL || answer->addresses == NULL ||
        answer->groups == NULL || answer->may_act_as == NULL)
        *answer = (struct login_answer){.result = LOGIN_UNAVAILABLE,
                                        .error = "out of memory"};
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

/* What the back-end does not tell, a users file may. 0, or -1 when the arena
 * is full. */
static int fill(const struct user_book *book, struct arena *arena,
                struct login_answer *out)
{
    const struct user *user = user_book_find(book, out->user);
    struct login_answer line;
    if (user == NULL)
        return 0;
    identity_of_user(user, arena, &line);
    if (line.result != LOGIN_OK)
        return -1;
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
    return 0;
}

void identity_settle(const struct user_book *book, const struct claim *claim,
                     const struct login_answer *given, struct arena *arena,
                     struct login_answer *out)
{
    const struct login_answer failed = {.result = LOGIN_FAILED};
    const struct login_answer no_memory = {.result = LOGIN_UNAVAILABLE};
    struct str wanted = wanted_name(claim);
    *out = *given;
    if (out->user.n == 0) {
        *out = failed;
        return;
    }
    if (fill(book, arena, out) != 0) {
        *out = no_memory;
        return;
    }
    if (wanted.n > 0)
        wanted = login_normalise(arena, wanted);
    if (wanted.p == NULL || (wanted.n > 0 && !str_equals(wanted, out->user) &&
                             !may_act_as(out, wanted))) {
        *out = failed;
        return;
    }
    bool is_filled = true;
    if (wanted.n > 0 && !str_equals(wanted, out->user)) {
        *out = (struct login_answer){.result = LOGIN_OK, .user = wanted};
        is_filled = fill(book, arena, out) == 0;
    }
    if (!is_filled || (!out->has_addresses &&
                       owned_address_of_name(arena, out->user, &out->addresses,
                                             &out->address_count) != 0))
        *out = no_memory;
}
