#include "proxy/login/token_answer.h"

struct token_wants token_wants_of(const struct token_settings *settings)
{
    return (struct token_wants){
        .issuer = settings->issuer,
        .audience = settings->audience,
        .scope = settings->scope,
        .user_claim = settings->user_claim,
        .addresses_claim = settings->addresses_claim,
        .groups_claim = settings->groups_claim,
        .skew_ms = settings->skew_ms,
    };
}

struct login_answer token_answer(const struct token_claims *claims,
                                 struct arena *arena)
{
    struct str user = login_normalise(arena, claims->user);
    if (user.n == 0)
        return (struct login_answer){.result = LOGIN_FAILED};
    return (struct login_answer){
        .result = LOGIN_OK,
        .user = user,
        .addresses = claims->addresses,
        .address_count = claims->address_count,
        .has_addresses = claims->has_addresses,
        .groups = claims->groups,
        .group_count = claims->group_count,
        .has_groups = claims->has_groups,
        .expires_ms = claims->expires_ms,
    };
}
