/* AUTH (RFC 4954): the exchange, up to the claim that it comes to. */
#include <string.h>

#include "proxy/session/auth_offer.h"
#include "proxy/session/auth_outcome.h"
#include "proxy/session/command_table.h"
#include "proxy/session/session_reply.h"
#include "rules/base/stack_wipe.h"

/* After an exchange that came to nothing. */
static void end_exchange(struct session *s)
{
    sasl_release(&s->sasl);
    session_enter(s, SESSION_READY);
}

static void continue_exchange(struct session *s, enum sasl_next next,
                              const char *challenge);

/* A name without such keys gets what looks like another's. */
static void take_secrets(struct session *s)
{
    struct sasl *sasl = &s->sasl;
    struct str name = str_span(sasl->name, sasl->name_length);
    const char *challenge = "";
    struct scram_verifier verifier;
    uint8_t contexts[CRAM_CONTEXTS];
    enum sasl_next next;
    if (!auth_note_name(s, name))
        return;
    if (sasl->mechanism == SASL_CRAM_MD5) {
        login_cram_contexts(s->host->logins, name, contexts);
        next = sasl_take_cram(sasl, contexts);
        explicit_bzero(contexts, sizeof contexts);
    } else {
        login_scram_verifier(s->host->logins, name, &verifier);
        next = sasl_take_scram(sasl, &verifier, &challenge);
        explicit_bzero(&verifier, sizeof verifier);
    }
    continue_exchange(s, next, challenge);
}

static void continue_exchange(struct session *s, enum sasl_next next,
                              const char *challenge)
{
    switch (next) {
    case SASL_CHALLENGE:
        auth_challenge(s, challenge);
        break;
    case SASL_SECRETS:
        take_secrets(s);
        break;
    case SASL_CLAIM:
        auth_ask(s);
        break;
    case SASL_CANCELLED:
        end_exchange(s);
        session_reply(s, 501, "5.7.0", "Authentication cancelled");
        break;
    case SASL_MALFORMED:
        end_exchange(s);
        session_bad_command(s, 501, "5.5.2", "The response is malformed");
        break;
    case SASL_REFUSED:
        end_exchange(s);
        auth_refuse(s);
        break;
    case SASL_MEMORY:
        end_exchange(s);
        session_reply(s, 454, "4.3.0", "Out of memory, try again later");
        break;
    }
}

/* RFC 4954 4: a response that can't be read ends the exchange, or the next
 * command would be taken for a response. Of a claim that was refused already
 * it says nothing. */
void auth_refuse_line(struct session *s, bool is_too_long)
{
    end_exchange(s);
    if (s->is_excused)
        auth_refuse(s);
    else if (is_too_long)
        session_bad_command(s, 500, "5.5.6", "The response is too long");
    else
        session_bad_command(s, 501, "5.5.2", "The response is malformed");
}

void auth_respond(struct session *s, struct str line)
{
    const char *challenge = "";
    enum sasl_next next = sasl_respond(&s->sasl, line, &challenge);
    stack_wipe();
    continue_exchange(s, next, challenge);
}

void cmd_auth(struct session *s, const struct command *command)
{
    struct str name, initial;
    enum sasl_mechanism mechanism;
    const char *challenge = "";
    if (s->listener->auth == AUTH_NONE) {
        session_bad_command(s, 502, "5.5.1", "AUTH is not offered here");
        return;
    }
    if (!stream_is_secure(s->stream)) {
        session_bad_command(s, 538, "5.7.11", "AUTH needs TLS: STARTTLS first");
        return;
    }
    if (s->user.n > 0) {
        session_bad_command(s, 503, "5.5.1", "Already logged in");
        return;
    }
    unsigned offers = auth_offers(s);
    bool has_initial = str_cut(command->argument, ' ', &name, &initial);
    if (sasl_mechanism_parse(name, &mechanism) != 0 ||
        (offers & 1U << mechanism) == 0) {
        session_bad_command(s, 504, "5.5.4", "Mechanism not offered");
        return;
    }
    sasl_release(&s->sasl);
    auth_describe_channel(s, offers);
    sasl_init(&s->sasl, mechanism, &s->channel);
    /* Not every exchange comes to a name: the last one's must not stay. */
    facts_forget(&s->facts, FACT_AUTH_NAME);
    facts_set_text(&s->facts, FACT_AUTH_MECHANISM,
                   str_from(sasl_mechanism_name(mechanism)));
    enum sasl_next next =
        sasl_begin(&s->sasl, has_initial, initial, &challenge);
    stack_wipe();
    continue_exchange(s, next, challenge);
}
