#include "proxy/session/auth_offer.h"

#include <string.h>

#include "proxy/session/session_internal.h"

#define SCRAM (1U << SASL_SCRAM_SHA_256 | 1U << SASL_SCRAM_SHA_256_PLUS)
#define PASSWORDS (1U << SASL_PLAIN | 1U << SASL_LOGIN)

/* Those that this client can't use, whatever the configuration says: only
 * TLS 1.3 has a channel that can be bound to. */
static unsigned out_of_reach(const struct session *s)
{
    bool is_bindable = strcmp(stream_tls_version(s->stream), "1.3") == 0;
    return (s->certificate.n == 0 ? 1U << SASL_EXTERNAL : 0) |
           (is_bindable ? 0 : 1U << SASL_SCRAM_SHA_256_PLUS);
}

/* Clients choose the strongest: a login without SCRAM's keys would never get
 * in. A listener with a list of its own knows what it does. */
static unsigned not_for_all(const struct session *s)
{
    bool is_for_all =
        s->listener->mechanisms != 0 || login_all_hold_scram(s->host->logins);
    return (is_for_all ? 0 : SCRAM) |
           (login_takes(s->host->logins, CLAIM_PASSWORD) ? 0 : PASSWORDS);
}

unsigned auth_offers(const struct session *s)
{
    unsigned mechanisms = s->listener->mechanisms != 0
                              ? s->listener->mechanisms
                              : session_settings(s)->auth.mechanisms;
    if (s->listener->auth == AUTH_NONE || !stream_is_secure(s->stream))
        return 0;
    return mechanisms & ~out_of_reach(s) & ~not_for_all(s);
}

void auth_describe_channel(struct session *s, unsigned offers)
{
    bool offers_plus = (offers & 1U << SASL_SCRAM_SHA_256_PLUS) != 0;
    s->channel = (struct sasl_channel){
        .offers_plus = offers_plus,
        .binding = STR(""),
        .hostname = session_settings(s)->hostname,
        .certificate = s->certificate,
    };
    if (offers_plus && stream_tls_binding(s->stream, s->binding) == 0)
        s->channel.binding =
            str_span((const char *)s->binding, sizeof s->binding);
}
