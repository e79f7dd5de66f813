#include "proxy/session/auth_offer.h"

#include "proxy/session/session_internal.h"

unsigned auth_offers(const struct session *s)
{
    if (s->listener->auth == AUTH_NONE || !stream_is_secure(s->stream))
        return 0;
    return session_settings(s)->auth.mechanisms;
}
