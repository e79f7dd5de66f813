/* From a token's claims to a login's answer; what both back-ends for tokens
 * share. For the files of this folder. */
#ifndef PROXY_LOGIN_TOKEN_ANSWER_H
#define PROXY_LOGIN_TOKEN_ANSWER_H

#include "config/settings.h"
#include "proxy/login/login.h"
#include "proxy/sasl/token_claims.h"

/* Borrows from the settings. */
struct token_wants token_wants_of(const struct token_settings *settings);

/* LOGIN_OK for whom the claims name; LOGIN_FAILED when that can't be a login's
 * name. Borrows from the claims and the arena. */
struct login_answer token_answer(const struct token_claims *claims,
                                 struct arena *arena);

#endif
