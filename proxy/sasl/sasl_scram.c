/* SCRAM-SHA-256, with and without -PLUS: scram_server.h in SASL's steps. */
#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl_internal.h"
#include "proxy/sasl/scram_server.h"

struct scram_state {
    struct scram_server scram;
    char challenge[BASE64_ROOM(SCRAM_SERVER_REPLY)];
};

static enum sasl_next judge(enum scram_server_result result)
{
    return result == SCRAM_SERVER_TAKEN       ? SASL_CLAIM
           : result == SCRAM_SERVER_MALFORMED ? SASL_MALFORMED
                                              : SASL_REFUSED;
}

static enum sasl_next challenge_with(struct scram_state *state,
                                     struct str message, const char **challenge)
{
    *challenge = base64_encode(message, state->challenge).p;
    return SASL_CHALLENGE;
}

static enum sasl_next take_first(struct sasl *sasl, struct str message)
{
    struct scram_state *state = sasl_make_state(sasl, sizeof *state);
    if (state == NULL)
        return SASL_MEMORY;
    struct scram_server *scram = &state->scram;
    scram_server_init(scram, sasl->mechanism == SASL_SCRAM_SHA_256_PLUS,
                      sasl->channel->offers_plus, sasl->channel->binding);
    enum sasl_next next = judge(scram_server_first(scram, message));
    struct str name = str_span(scram->name, scram->name_length);
    if (next == SASL_CLAIM)
        next = sasl_is_name(name) ? sasl_keep_name(sasl, name) : SASL_MALFORMED;
    if (next == SASL_CLAIM)
        next = sasl_keep_authzid(
            sasl, str_span(scram->authzid, scram->authzid_length));
    return next == SASL_CLAIM ? SASL_SECRETS : next;
}

/* The server's proof goes out as a challenge, as SMTP has no place for it in
 * a 235 (RFC 4954 4, RFC 4422 5); its response is empty. */
static enum sasl_next take_scram_response(struct sasl *sasl, struct str message,
                                          const char **challenge)
{
    struct scram_state *state = sasl->state;
    char reply[SCRAM_SERVER_REPLY];
    struct str final;
    if (sasl->responses == 0)
        return take_first(sasl, message);
    if (sasl->responses > 1)
        return message.n == 0 ? SASL_CLAIM : SASL_MALFORMED;
    enum sasl_next next =
        judge(scram_server_final(&state->scram, message, reply, &final));
    return next == SASL_CLAIM ? challenge_with(state, final, challenge) : next;
}

static enum sasl_next take_verifier(struct sasl *sasl,
                                    const struct scram_verifier *verifier,
                                    const char **challenge)
{
    struct scram_state *state = sasl->state;
    char reply[SCRAM_SERVER_REPLY];
    return challenge_with(
        state, scram_server_challenge(&state->scram, verifier, reply),
        challenge);
}

const struct sasl_kind sasl_kind_scram = {.name = "SCRAM-SHA-256",
                                          .take = take_scram_response,
                                          .take_scram = take_verifier};
const struct sasl_kind sasl_kind_scram_plus = {.name = "SCRAM-SHA-256-PLUS",
                                               .take = take_scram_response,
                                               .take_scram = take_verifier};
